import numpy as np
import pytest

from htr_model.confidence import UNCALIBRATED
from htr_model.data.samples import Sample
from htr_model.reading import reading
from htr_model.scoring.calibration import (
    LEAST_WORDS,
    JudgedWord,
    cross_fitted,
    expected_calibration_error,
    fit,
    judged_words,
    reliability,
)


def words(count=4000, power=3.0, writers=10, seed=0) -> list[JudgedWord]:
    """Words whose probability of being right is a power of their score, so that the score says too much."""
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 1, count)
    right = rng.uniform(0, 1, count) < scores**power
    pairs = zip(scores, right, strict=True)
    return [JudgedWord(float(s), float(s), bool(r), f"w{i % writers}") for i, (s, r) in enumerate(pairs)]


def error(judged) -> float:
    return expected_calibration_error([w.confidence for w in judged], [w.right for w in judged])


def test_calibration_error_by_hand():
    # Bin 0.2–0.3: two words at 0.25, one right; bin 0.9–1: one at 0.95 that is right, one at 1.0 that is wrong.
    assert expected_calibration_error([0.25, 0.25, 0.95, 1.0], [True, False, True, False]) == pytest.approx(
        0.5 * 0.25 + 0.5 * 0.475
    )
    assert expected_calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert expected_calibration_error([1.0, 0.0], [False, True]) == 1.0
    assert expected_calibration_error([], []) == 0.0


def test_reliability_leaves_empty_bins_out():
    first, last = reliability([0.05, 0.08, 1.0], [False, True, True])
    assert (first.words, first.confidence, first.accuracy) == (2, pytest.approx(0.065), 0.5)
    assert (last.words, last.confidence, last.accuracy) == (1, 1.0, 1.0)


def test_fitted_map_follows_the_truth_on_other_words():
    calibration = fit(words())
    fresh = words(seed=1)
    assert error(fresh) > 0.2
    assert error([JudgedWord(w.score, calibration(w.score), w.right, w.group) for w in fresh]) < 0.03
    assert calibration(0.5) == pytest.approx(0.125, abs=0.05)


def test_fitted_map_never_falls_and_never_is_certain():
    for seed in range(5):
        calibration = fit(words(count=300, power=0.5, seed=seed))
        values = [calibration(s) for s in np.linspace(0, 1, 101)]
        assert values == sorted(values)
        assert values[0] > 0 and values[-1] < 1


def test_words_whose_score_says_nothing_get_one_confidence():
    rng = np.random.default_rng(0)
    backwards = [JudgedWord(float(s), 0.0, bool(rng.uniform() > s), "w") for s in rng.uniform(0, 1, 2000)]
    calibration = fit(backwards)
    assert calibration(0.01) == pytest.approx(calibration(0.99), abs=0.02)
    assert calibration(0.5) == pytest.approx(np.mean([w.right for w in backwards]), abs=0.02)


def test_equal_scores_make_a_map_too():
    same = [JudgedWord(0.7, 0.7, i % 4 > 0, "w") for i in range(400)]
    assert fit(same)(0.7) == pytest.approx(0.75, abs=0.01)


def test_few_words_are_not_enough():
    assert fit(words(LEAST_WORDS - 1)) == UNCALIBRATED
    assert fit(words(LEAST_WORDS)) != UNCALIBRATED
    assert cross_fitted(words(LEAST_WORDS)) is None


def test_each_half_of_the_writers_gets_the_map_of_the_other():
    judged = words(writers=4)
    # Two writers whose words are all wrong: had their own words a say, their confidence would be low.
    liars = {"w0"}
    judged = [JudgedWord(w.score, w.confidence, w.right and w.group not in liars, w.group) for w in judged]
    crossed = cross_fitted(judged)
    assert [(w.score, w.right, w.group) for w in crossed] == [(w.score, w.right, w.group) for w in judged]
    side = {w.group: w.confidence for w in crossed if w.score > 0.97}
    assert side["w0"] > 0.75
    assert min(side.values()) < 0.6


def test_one_writer_alone_cannot_be_measured():
    assert cross_fitted(words(writers=1)) is None


def test_words_are_judged_by_their_place_in_the_line():
    sample = Sample("1", "the cat sat", np.zeros((1, 1), np.uint8), "set", writer="x")
    text = "he cat cat sat"
    [*judged] = judged_words([sample], [reading(text, (), (0.9,) * len(text))])
    assert sorted(w.right for w in judged) == [False, False, True, True]
    assert judged[0].right is False and judged[3].right is True
    assert {w.group for w in judged} == {"set/x"}
    assert judged[0].score == pytest.approx(0.81) and judged[1].score == pytest.approx(0.729)


def test_empty_reading_has_no_words_to_judge():
    sample = Sample("1", "cat", np.zeros((1, 1), np.uint8))
    assert judged_words([sample], [reading("", (), ())]) == []
