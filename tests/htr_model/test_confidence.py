import pytest

from htr_model.confidence import geometric_mean


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
