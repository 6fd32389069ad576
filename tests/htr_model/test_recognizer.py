import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from htr_model import bundle, networks
from htr_model.bundle import BundleError, load
from htr_model.confidence import Calibration
from htr_model.decoding.settings import DecoderSettings
from htr_model.networks import assign_weights, named_weights
from htr_model.normalization import Normalization, normalize
from htr_model.reading import word_slices
from htr_model.recognizer import Recognizer, parts_by_width
from htr_model.runtimes import KERAS, ONNX
from htr_model.time_steps import TIME_STRIDE, time_steps
from tests.conftest import REPOSITORY
from tests.htr_model.drawing import word

TEXTS = ("a", "of", "the", "ocean", "writing", "manuscript", "a line of words", "I,", "Hand", "letters", "x", "zoo",
         "from", "quill", "ink", "paper")  # fmt: skip


@pytest.fixture(scope="module")
def recognizer(tiny_bundle):
    return Recognizer(load(tiny_bundle))


@pytest.fixture(scope="module")
def pictures(recognizer):
    return [normalize(word(t, 30 + 3 * i), recognizer.normalization).pixels for i, t in enumerate(TEXTS)]


def assert_same(one, other):
    assert one.text == other.text
    assert one.spans == other.spans
    assert one.confidence == pytest.approx(other.confidence, abs=1e-4)
    np.testing.assert_allclose(one.char_confidences, other.char_confidences, atol=1e-4)


def test_tiny_bundle_tells_pictures_apart(recognizer, pictures):
    texts = [r.text for r in recognizer.read(pictures)]
    assert all(texts)
    assert len(set(texts)) > len(texts) // 2


def test_text_does_not_depend_on_the_batch(recognizer, pictures):
    together = recognizer.read(pictures)
    assert len(together) == 16
    for picture, reading in zip(pictures, together, strict=True):
        assert_same(recognizer.read([picture])[0], reading)


def test_text_does_not_depend_on_the_place_in_the_batch(recognizer, pictures):
    forward, backward = recognizer.read(pictures), recognizer.read(pictures[::-1])
    for one, other in zip(forward, backward[::-1], strict=True):
        assert_same(one, other)


@pytest.mark.parametrize("runtime", [KERAS, ONNX])
def test_threads_change_nothing_but_speed(recognizer, pictures, runtime):
    many = [p for p in pictures for _ in range(40)]
    alone = Recognizer(recognizer.bundle, threads=1, runtime=runtime).read(many)
    for one, other in zip(Recognizer(recognizer.bundle, threads=3, runtime=runtime).read(many), alone, strict=True):
        assert_same(one, other)
    for picture, one in zip(many[::40], alone[::40], strict=True):
        assert_same(recognizer.read([picture])[0], one)


@pytest.mark.parametrize("columns", [64, 512, 16_384])
def test_parts_hold_every_picture_once_within_the_columns(columns):
    settings = Normalization()
    widths = np.random.default_rng(0).integers(8, settings.max_width, 200).tolist()
    parts = list(parts_by_width(widths, settings, columns))
    assert sorted(i for part in parts for i in part) == list(range(200))
    for part in parts:
        padded = max(settings.padded_width(widths[i]) for i in part)
        assert len(part) == 1 or len(part) * padded <= columns


def test_no_pictures_make_no_part():
    assert list(parts_by_width([], Normalization(), 100)) == []


def test_no_pictures_give_no_readings(recognizer):
    assert recognizer.read([]) == []
    assert recognizer.read_gray([]) == []


def test_spans_lie_in_order_within_the_time_steps_of_the_picture(recognizer, pictures):
    for picture, reading in zip(pictures, recognizer.read(pictures), strict=True):
        assert len(reading.spans) == len(reading.text) == len(reading.char_confidences)
        end = 0
        for first, last in reading.spans:
            assert end <= first < last
            end = last
        assert end <= time_steps(picture.shape[1]) * TIME_STRIDE


@pytest.fixture(scope="module")
def never_silent(tiny_bundle):
    """A recogniser that never writes a blank: every time step has a symbol, up to the last column."""
    talkative = load(tiny_bundle)
    bias = next(n for n in talkative.weights if n.startswith("logits/") and n.endswith("bias"))
    talkative.weights[bias][0] = -1e3
    return Recognizer(talkative)


@pytest.mark.parametrize("width", [61, 62, 63, 64])
def test_span_of_the_last_column_ends_with_the_picture(never_silent, width):
    noise = np.random.default_rng(width).integers(0, 256, (never_silent.normalization.height, width)).astype(np.uint8)
    assert never_silent.read([noise])[0].spans[-1][1] == width


def test_confidences_are_probabilities_and_agree_with_each_other(recognizer, pictures):
    for reading in recognizer.read(pictures):
        assert 0 < reading.confidence <= 1
        assert 0 < reading.min_char_confidence == min(reading.char_confidences) <= 1
        words = [np.prod(reading.char_confidences[a:b]) for a, b in word_slices(reading.text)]
        assert reading.word_confidences == pytest.approx(words)
        assert reading.confidence == pytest.approx(np.exp(np.mean(np.log(words))))


def test_calibration_of_the_bundle_changes_words_confidences_and_no_text(recognizer, pictures):
    halved = Calibration((0.0, 1.0), (0.0, 0.5))
    other = Recognizer(replace(recognizer.bundle, calibration=halved))
    for one, changed in zip(recognizer.read(pictures), other.read(pictures), strict=True):
        assert (changed.text, changed.char_confidences) == (one.text, one.char_confidences)
        assert changed.word_confidences == pytest.approx([c / 2 for c in one.word_confidences])
        assert changed.confidence == pytest.approx(one.confidence / 2)


def test_picture_without_text_has_no_confidence(tiny_bundle):
    silent = load(tiny_bundle)
    bias = next(n for n in silent.weights if n.startswith("logits/") and n.endswith("bias"))
    silent.weights[bias][0] = 1e3
    for reading in Recognizer(silent).read_gray([word("silence"), np.full((30, 80), 255, np.uint8)]):
        assert (reading.text, reading.confidence, reading.min_char_confidence) == ("", 0.0, 0.0)
        assert reading.spans == reading.char_confidences == ()


def test_empty_picture_has_no_text_whatever_the_network_thinks(never_silent):
    (reading,) = never_silent.read_gray([np.full((30, 80), 255, np.uint8)])
    assert (reading.text, reading.confidence, reading.spans) == ("", 0.0, ())


def test_grey_pictures_are_normalised_by_the_one_function(recognizer):
    gray = [word("one", 90), word("two", 25)]
    expected = recognizer.read([normalize(g, recognizer.normalization).pixels for g in gray])
    for one, other in zip(recognizer.read_gray(gray), expected, strict=True):
        assert_same(one, other)


def test_saved_network_reads_like_the_one_in_memory(recognizer, pictures, tmp_path):
    bundle.save(recognizer.bundle, tmp_path / "copy", "")
    copy = Recognizer(load(tmp_path / "copy"))
    assert copy.bundle.id == recognizer.bundle.id
    for one, other in zip(recognizer.read(pictures[:4]), copy.read(pictures[:4]), strict=True):
        assert_same(one, other)


def test_weights_survive_their_names():
    first, second = networks.build("crnn", 16, 5), networks.build("crnn", 16, 5)
    assign_weights(second, named_weights(first), "x")
    for name, array in named_weights(first).items():
        np.testing.assert_array_equal(named_weights(second)[name], array)


def test_missing_or_misshapen_weights_are_refused_and_named(recognizer):
    whole = recognizer.bundle
    name = next(iter(whole.weights))
    less = {n: a for n, a in whole.weights.items() if n != name}
    with pytest.raises(BundleError, match=f"bundle {whole.id}: weight {name} is missing"):
        Recognizer(replace(whole, weights=less))
    with pytest.raises(BundleError, match=rf"bundle {whole.id}: weight {name} is of shape \(2, 3\)"):
        Recognizer(replace(whole, weights={**whole.weights, name: np.zeros((2, 3), np.float32)}))
    other = "crnn" if whole.network != "crnn" else "resnet-ctc"
    with pytest.raises(BundleError, match=whole.id):
        Recognizer(replace(whole, network=other))


def test_unknown_network_is_refused(recognizer):
    with pytest.raises(BundleError, match="unknown network 'transformer'"):
        Recognizer(replace(recognizer.bundle, network="transformer"))


READ_ELSEWHERE = """
import json, sys
import numpy as np
from htr_model.bundle import load
from htr_model.reading import word_slices
from htr_model.recognizer import Recognizer, parts_by_width
from htr_model.runtimes import KERAS, ONNX
pictures = list(np.load(sys.argv[2]).values())
readings = Recognizer(load(sys.argv[1])).read(pictures)
print(json.dumps([(r.text, r.confidence) for r in readings]))
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_other_backends_read_the_same(backend, recognizer, pictures, tiny_bundle, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    np.savez(tmp_path / "pictures.npz", *pictures)
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", READ_ELSEWHERE, str(tiny_bundle), str(tmp_path / "pictures.npz")],
        capture_output=True, text=True, env=environment, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for (text, confidence), reading in zip(json.loads(done.stdout), recognizer.read(pictures), strict=True):
        assert text == reading.text
        assert confidence == pytest.approx(reading.confidence, abs=1e-3)


@pytest.fixture(scope="module")
def searching(recognizer):
    """The same recogniser, with a beam search."""
    return Recognizer(recognizer.bundle, DecoderSettings("beam", 8, 3))


def test_beam_search_does_not_depend_on_the_batch(searching, pictures):
    together = searching.read(pictures)
    for picture, reading in zip(pictures, together, strict=True):
        alone = searching.read([picture])[0]
        assert_same(alone, reading)
        assert [a.text for a in alone.alternatives] == [a.text for a in reading.alternatives]


def test_beam_search_gives_every_word_its_alternatives(searching, pictures):
    readings = searching.read(pictures)
    assert any(r.alternatives for r in readings)
    for reading in readings:
        assert len(reading.spans) == len(reading.text) == len(reading.char_confidences)
        assert len(reading.word_alternatives) == len(reading.text.split())
        for text, others in zip(reading.text.split(), reading.word_alternatives, strict=True):
            assert len(others) <= 3
            assert text not in [a.text for a in others]
            assert sum(a.confidence for a in others) <= 1 + 1e-6


def test_alternatives_leave_greedy_text_and_confidence_as_they_were(recognizer, pictures):
    asked = Recognizer(recognizer.bundle, DecoderSettings(alternatives=2))
    for plain, other in zip(recognizer.read(pictures), asked.read(pictures), strict=True):
        assert_same(plain, other)
        assert plain.alternatives == plain.word_alternatives == ()
    assert any(r.alternatives for r in asked.read(pictures))


def test_empty_picture_has_no_text_for_a_beam_search(searching):
    empty = np.zeros((searching.normalization.height, 64), np.uint8)
    assert searching.read([empty])[0].text == ""
