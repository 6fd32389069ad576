import numpy as np
import pytest

from htr_model import networks
from htr_model.bundle import Bundle, BundleError, load
from htr_model.charset import Charset
from htr_model.networks import named_weights
from htr_model.normalization import Normalization
from htr_model.recognizer import Recognizer
from htr_model.training.charset_extension import extend
from tests.htr_model.drawing import randomise, word


def drawn(name: str) -> Bundle:
    model = networks.build(name, 32, 6)
    randomise(model, seed=3)
    return Bundle(name, Charset("abcd "), Normalization(height=32), named_weights(model))


@pytest.mark.parametrize("name", sorted(networks.NETWORKS))
def test_old_text_reads_the_same_before_training(name):
    old = drawn(name)
    new = extend(old, "dабв")
    pictures = [word(t) for t in ("cat", "a longer line of words", "I", "bad cab")]
    before, after = Recognizer(old).read_gray(pictures), Recognizer(new).read_gray(pictures)
    assert [r.text for r in after] == [r.text for r in before]
    assert [r.spans for r in after] == [r.spans for r in before]
    assert any(r.text for r in before)


def test_old_weights_and_symbols_keep_their_places(tiny_bundle):
    old = load(tiny_bundle)
    new = extend(old, "éaΩ")
    assert new.charset.symbols == old.charset.symbols + "éΩ"
    for name, array in old.weights.items():
        if name.startswith("logits/"):
            assert new.weights[name].shape[-1] == array.shape[-1] + 2
            np.testing.assert_array_equal(new.weights[name][..., : array.shape[-1]], array)
        else:
            np.testing.assert_array_equal(new.weights[name], array)


def test_no_new_symbol_leaves_the_bundle_as_it_is(tiny_bundle):
    old = load(tiny_bundle)
    assert extend(old, "abc") is old
    assert extend(old, "") is old


def test_bundle_without_an_output_layer_is_refused():
    with pytest.raises(BundleError, match="logits/kernel"):
        extend(Bundle("crnn", Charset("a"), Normalization(), {}), "b")
