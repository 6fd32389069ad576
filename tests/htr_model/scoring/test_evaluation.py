import pytest

from htr_model.bundle import load
from htr_model.data.samples import Sample
from htr_model.recognizer import Recognizer
from htr_model.scoring.evaluation import evaluate
from htr_model.scoring.metrics import error_rates
from tests.htr_model.drawing import word


@pytest.fixture(scope="module")
def recognizer(tiny_bundle):
    return Recognizer(load(tiny_bundle))


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
