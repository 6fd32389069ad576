from dataclasses import replace

import numpy as np
import pytest

from htr_model import networks
from htr_model.bundle import DEFAULT, Bundle, load
from htr_model.charset import Charset
from htr_model.networks import named_weights
from htr_model.normalization import Normalization
from htr_model.onnx_networks import misfit
from htr_model.runtimes import KERAS, ONNX, predictor
from htr_model.time_steps import time_steps
from tests.htr_model.drawing import randomise

HEIGHT = Normalization().height


def weights(name, classes, height=HEIGHT):
    return named_weights(networks.build(name, height, classes))


def fit(name, height, classes, found):
    """`misfit` of a bundle with as many symbols as it needs."""
    symbols = "".join(chr(ord("A") + i) for i in range(classes - 1))
    return misfit(Bundle(name, Charset(symbols), Normalization(height=height), found))


@pytest.fixture(scope="module", params=sorted(networks.NETWORKS))
def built(request):
    return request.param, weights(request.param, 30)


def test_every_variable_of_every_network_is_used(built):
    """Taken away or of another shape, each of them is missed; so none is told that the network does not have."""
    name, found = built
    assert fit(name, HEIGHT, 30, found) is None
    for path, array in found.items():
        assert path in fit(name, HEIGHT, 30, {p: a for p, a in found.items() if p != path})
        assert path in fit(name, HEIGHT, 30, {**found, path: array[..., None]})


def test_height_of_the_input_is_heeded(built):
    name, _ = built
    assert fit(name, 48, 30, weights(name, 30, height=48)) is None


def test_another_charset_or_network_does_not_fit(built):
    name, found = built
    assert "logits/" in fit(name, HEIGHT, 31, found)
    assert all(fit(other, HEIGHT, 30, found) for other in set(networks.NETWORKS) - {name})
    assert "unknown network 'rnn'" in fit("rnn", HEIGHT, 30, found)


def test_default_bundle_fits():
    bundle = load(DEFAULT)
    assert misfit(bundle) is None


@pytest.mark.parametrize("count", [1, 3, 100])
def test_both_runtimes_see_the_same_classes(built, count):
    """On pictures of several widths in one batch, their padding left out."""
    name, _ = built
    model = networks.build(name, 16, 7)
    randomise(model, seed=5)
    bundle = Bundle(name, Charset("abcdef"), Normalization(height=16), named_weights(model))
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 256, (3, 16, 96, 1)).astype(np.uint8)
    widths = np.array([96, 61, 18], np.int32)
    for picture, valid in zip(pixels, widths, strict=True):
        picture[:, valid:] = 0
    one, other = (predictor(bundle, count, runtime).predict(pixels, widths) for runtime in (KERAS, ONNX))
    assert [a.dtype for a in other] == [np.int32, np.float32]
    assert all(a.shape == (3, 24, min(count, 7)) for a in (*one, *other))
    for i, steps in enumerate(time_steps(widths)):
        np.testing.assert_allclose(other[1][i, :steps], one[1][i, :steps], atol=1e-4)
        # Of classes that are equally probable but for rounding, either may come first.
        clear = np.diff(one[1][i, :steps], axis=1, append=-np.inf) < -1e-3
        np.testing.assert_array_equal(other[0][i, :steps][clear], one[0][i, :steps][clear])


@pytest.mark.parametrize("runtime", [KERAS, ONNX])
def test_runtimes_name_the_bundle_whose_weights_do_not_fit(built, runtime):
    name, found = built
    bundle = Bundle(name, Charset("abc"), Normalization(), found, id="0123abcd")
    with pytest.raises(Exception, match=r"bundle 0123abcd: weight logits/\w+ is of shape"):
        predictor(bundle, 1, runtime)
    with pytest.raises(Exception, match="bundle 0123abcd: unknown network 'rnn'"):
        predictor(replace(bundle, network="rnn"), 1, runtime)
