import weakref

import numpy as np
import pytest

from htr_model.normalization import normalize
from htr_model.recognizer import Recognizer
from pipelines.models import load_bundle
from pipelines.page_text import Failure
from pipelines.steps.recognising import RecognizerHandler, recognise
from pipelines.steps.units import ImageKey, TextImage, UnitReading
from segmentation.decoding import PageRef
from tests.htr_model.drawing import word

TEXTS = ("a", "manuscript of some length", "of", "the", "archive", "I,", "letters and papers", "ink", "quill")
POISON = TEXTS.index("archive")


@pytest.fixture(scope="module")
def recognizer(tiny_bundle):
    return Recognizer(load_bundle(str(tiny_bundle)))


@pytest.fixture(scope="module")
def images(recognizer):
    normal = [normalize(word(t), recognizer.normalization) for t in TEXTS]
    keys = [ImageKey(PageRef("/s/letter.png", 0), i, None) for i in range(len(TEXTS))]
    return [TextImage(k, n.pixels, n.left, n.scale) for k, n in zip(keys, normal, strict=True)]


class Poisoned:
    """A recogniser that fails on one picture, and with it on every batch that holds it."""

    def __init__(self, recognizer, picture, answer=None):
        self._recognizer = recognizer
        self._picture = picture
        self._answer = answer
        self.calls = []

    @property
    def normalization(self):
        return self._recognizer.normalization

    def read(self, pictures):
        self.calls.append(len(pictures))
        if any(p is self._picture for p in pictures):
            if self._answer is not None:
                return self._answer
            raise MemoryError("out of memory on a picture")
        return self._recognizer.read(pictures)


def assert_same(one, other):
    assert one.text == other.text
    assert one.spans == other.spans
    assert one.confidence == pytest.approx(other.confidence, abs=1e-4)


def lost(results):
    assert all(isinstance(result, UnitReading | Failure) for result in results)
    return [i for i, result in enumerate(results) if isinstance(result, Failure)]


def test_readings_come_in_the_order_of_the_pictures_whatever_their_widths(images, recognizer):
    results = recognise(images, recognizer)
    assert [r.key for r in results] == [i.key for i in images]
    assert [(r.left, r.scale) for r in results] == [(i.left, i.scale) for i in images]
    for result, image in zip(results, images, strict=True):
        assert_same(result.reading, recognizer.read([image.pixels])[0])


def test_culprit_costs_only_itself(images, recognizer):
    results = recognise(images, Poisoned(recognizer, images[POISON].pixels))
    assert lost(results) == [POISON]
    failure = results[POISON]
    assert (failure.stage, failure.uri, failure.page_index) == ("recognise", "/s/letter.png", 0)
    assert failure.error_type == "MemoryError"
    assert failure.message == f"line {POISON}, word None: out of memory on a picture"
    assert "Traceback" in failure.traceback
    for result, expected in zip(results, recognise(images, recognizer), strict=True):
        if result is not failure:
            assert result.key == expected.key
            assert_same(result.reading, expected.reading)


def test_answer_that_lacks_a_picture_is_an_error_and_shifts_no_text(images, recognizer):
    results = recognise(images, Poisoned(recognizer, images[POISON].pixels, answer=[]))
    assert lost(results) == [POISON]


def test_pictures_are_read_together(images, recognizer):
    counting = Poisoned(recognizer, None)
    recognise(images, counting)
    assert sum(counting.calls) == len(images)
    assert len(counting.calls) <= 2


def test_pixels_stay_behind(images, recognizer):
    for result in recognise(images, recognizer):
        held = [vars(x) for x in (result, result.key, result.reading)]
        assert not any(isinstance(v, np.ndarray) for values in held for v in values.values())


def test_empty_batch_gives_nothing(recognizer):
    assert recognise([], recognizer) == []


def test_handler_loads_a_recogniser_that_beam_can_share(tiny_bundle, images):
    handler = RecognizerHandler(str(tiny_bundle), batch_size=4)
    model = handler.load_model()
    assert weakref.ref(model)() is model
    assert [r.key for r in handler.run_inference(images[:3], model)] == [i.key for i in images[:3]]


@pytest.mark.parametrize("size", [1, 4, 64])
def test_beam_is_told_the_batch_size(size):
    sizes = RecognizerHandler("unused", size).batch_elements_kwargs()
    assert sizes["max_batch_size"] == size
    assert 1 <= sizes["min_batch_size"] <= size
