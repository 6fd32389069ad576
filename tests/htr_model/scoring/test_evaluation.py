import numpy as np
import pytest

from htr_model.bundle import load
from htr_model.normalization import Normalization, normalize
from htr_model.recognizer import Recognizer
from htr_model.samples import Sample
from htr_model.scoring import evaluation
from htr_model.scoring.evaluation import batches_by_width, evaluate, read_all
from htr_model.scoring.metrics import error_rates
from tests.htr_model.drawing import word

SETTINGS = Normalization()


@pytest.fixture(scope="module")
def recognizer(tiny_bundle):
    return Recognizer(load(tiny_bundle))


@pytest.mark.parametrize("columns", [64, 512, 16_384])
def test_batches_hold_every_picture_once_within_the_columns(columns):
    widths = np.random.default_rng(0).integers(8, 1600, 200).tolist()
    batches = list(batches_by_width(widths, SETTINGS, columns))
    assert sorted(i for batch in batches for i in batch) == list(range(200))
    for batch in batches:
        padded = max(SETTINGS.padded_width(widths[i]) for i in batch)
        assert len(batch) == 1 or len(batch) * padded <= columns


def test_no_pictures_make_no_batch():
    assert list(batches_by_width([], SETTINGS, 100)) == []


def test_readings_come_in_the_order_of_the_pictures(recognizer, monkeypatch):
    monkeypatch.setattr(evaluation, "COLUMNS_PER_BATCH", 512)
    texts = ["wide words here", "i", "middle", "a", "longer one", "of"]
    pictures = [normalize(word(t), SETTINGS).pixels for t in texts]
    together = [r.text for r in read_all(recognizer, pictures)]
    assert together == [recognizer.read([p])[0].text for p in pictures]
    assert read_all(recognizer, []) == []


def test_evaluation_counts_overall_and_by_collection(recognizer):
    drawn = [("the", "b"), ("cat", "a"), ("sat", "b")]
    samples = [Sample(f"{i}", text, word(text), collection) for i, (text, collection) in enumerate(drawn)]
    result = evaluate(recognizer, samples)
    read = [r.text for r in recognizer.read_gray([s.gray for s in samples])]
    assert [r.text for r in result.predictions] == read
    assert result.overall == error_rates([t for t, _ in drawn], read)
    assert list(result.by_collection) == ["a", "b"]
    assert result.by_collection["a"] == error_rates(["cat"], read[1:2])
    assert result.by_collection["b"] == error_rates(["the", "sat"], [read[0], read[2]])
    assert result.samples_per_second > 0


def test_truth_that_equals_the_reading_has_no_errors(recognizer):
    gray = word("anything")
    text = recognizer.read_gray([gray])[0].text
    overall = evaluate(recognizer, [Sample("x", text, gray)]).overall
    assert (overall.cer, overall.wer, overall.accuracy) == (0.0, 0.0, 1.0)


def test_no_samples_are_refused(recognizer):
    with pytest.raises(ValueError, match="0 and 0"):
        evaluate(recognizer, [])
