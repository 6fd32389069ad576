import pytest

from htr_model.scoring.metrics import error_rates


def test_rates_by_hand():
    rates = error_rates(["the cat", "dog"], ["the hat", "dogs"])
    assert rates.samples == 2
    assert rates.cer == pytest.approx(2 / 10)
    assert rates.wer == pytest.approx(2 / 3)
    assert rates.accuracy == 0.0


def test_edits_are_summed_before_they_are_divided():
    # 1 of 1 and 0 of 9 characters: 10 %, not the mean of 100 % and 0 %.
    assert error_rates(["a", "ninechars"], ["b", "ninechars"]).cer == pytest.approx(0.1)


def test_insertions_deletions_and_substitutions_each_cost_one():
    assert error_rates(["abc"], ["abcd"]).cer == pytest.approx(1 / 3)
    assert error_rates(["abc"], ["ab"]).cer == pytest.approx(1 / 3)
    assert error_rates(["abc"], ["axc"]).cer == pytest.approx(1 / 3)


def test_perfect_transcriptions_have_no_errors():
    rates = error_rates(["a b", "c"], ["a b", "c"])
    assert (rates.cer, rates.wer, rates.accuracy) == (0.0, 0.0, 1.0)


def test_cer_may_exceed_one():
    assert error_rates(["a"], ["xyz"]).cer == pytest.approx(3.0)


def test_nothing_read_costs_every_character():
    rates = error_rates(["ab cd"], [""])
    assert (rates.cer, rates.wer, rates.accuracy) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(("truths", "predictions"), [([], []), (["a"], []), (["a"], ["a", "b"])])
def test_empty_or_unequal_lists_are_refused(truths, predictions):
    with pytest.raises(ValueError, match=f"{len(truths)} and {len(predictions)}"):
        error_rates(truths, predictions)


def test_precision_is_of_what_was_read_and_recall_of_what_was_written():
    # Of 2 characters read both are right; of 8 written 2 were read. Swapped they would be 0.25 and 1.
    rates = error_rates(["abcdefgh"], ["ab"])
    assert (rates.precision, rates.recall) == (1.0, 0.25)
    assert rates.f1 == pytest.approx(0.4)
    rates = error_rates(["ab"], ["abcdefgh"])
    assert (rates.precision, rates.recall) == (0.25, 1.0)


def test_word_accuracy_and_mean_edit_distance_by_hand():
    rates = error_rates(["the cat sat", "dog"], ["the cat", "dig"])
    assert rates.word_accuracy == pytest.approx(2 / 4)
    assert rates.mean_edit_distance == pytest.approx((4 + 1) / 2)


def test_nothing_read_has_neither_precision_nor_recall():
    rates = error_rates(["ab"], [""])
    assert (rates.precision, rates.recall, rates.f1, rates.word_accuracy) == (0.0, 0.0, 0.0, 0.0)
