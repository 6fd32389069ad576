import math

import numpy as np
import pytest

from htr_model.confidence import UNCALIBRATED, Calibration, geometric_mean, word_score
from htr_model.reading import reading, word_slices


def test_geometric_mean_by_hand():
    assert geometric_mean([0.9, 0.4]) == pytest.approx(0.6)
    assert geometric_mean([0.5]) == pytest.approx(0.5)
    assert geometric_mean([1.0, 1.0, 1.0]) == pytest.approx(1.0)


def test_no_characters_give_0():
    assert geometric_mean([]) == 0.0


def test_one_doubtful_letter_pulls_it_below_the_arithmetic_mean():
    probabilities = [0.99] * 9 + [0.05]
    assert geometric_mean(probabilities) < sum(probabilities) / 10 - 0.1


def test_zero_probability_stays_finite():
    assert 0.0 <= geometric_mean([0.0, 1.0]) < 1e-5


def test_score_of_a_word_falls_with_every_doubtful_letter():
    assert word_score([0.9, 0.5]) == pytest.approx(0.45)
    assert word_score([0.9] * 10) < word_score([0.9] * 2)


def test_calibration_is_a_line_between_points_and_level_outside():
    calibration = Calibration((0.2, 0.4, 0.8), (0.1, 0.5, 0.5))
    found = [calibration(score) for score in (0.0, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)]
    assert found == pytest.approx([0.1, 0.1, 0.3, 0.5, 0.5, 0.5, 0.5])


def test_uncalibrated_leaves_scores_alone():
    scores = np.linspace(0, 1, 11)
    assert [UNCALIBRATED(s) for s in scores] == pytest.approx(scores.tolist())


@pytest.mark.parametrize(
    ("scores", "confidences"),
    [
        ((), ()),
        ((0.5,), (0.5,)),
        ((0.0, 1.0), (0.0,)),
        ((0.0, 0.0), (0.0, 1.0)),
        ((1.0, 0.0), (0.0, 1.0)),
        ((0.0, 1.0), (0.5, 0.4)),
        ((0.0, 1.1), (0.0, 1.0)),
        ((0.0, 1.0), (-0.1, 1.0)),
        ((0.0, 1.0), (0.0, math.nan)),
        (("a", "b"), (0.0, 1.0)),
    ],
)
def test_calibration_that_falls_or_leaves_0_to_1_is_refused(scores, confidences):
    with pytest.raises(ValueError):
        Calibration(scores, confidences)


def test_words_of_a_reading_are_calibrated_one_by_one():
    found = reading("ab c", ((0, 1),) * 4, (0.5, 0.5, 0.01, 0.8), Calibration((0.0, 1.0), (0.0, 0.5)))
    assert found.word_confidences == pytest.approx((0.125, 0.4))
    assert found.confidence == pytest.approx((0.125 * 0.4) ** 0.5)
    assert found.min_char_confidence == 0.01


def test_reading_of_nothing_has_no_confidence():
    found = reading("", (), ())
    assert (found.confidence, found.min_char_confidence, found.word_confidences) == (0.0, 0.0, ())


@pytest.mark.parametrize(
    ("text", "slices"),
    [("", []), (" ", []), ("a", [(0, 1)]), ("ab c", [(0, 2), (3, 4)]), ("  a  bc ", [(2, 3), (5, 7)])],
)
def test_words_stand_between_spaces(text, slices):
    assert word_slices(text) == slices
