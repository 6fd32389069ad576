import pytest

from htr_model.scoring.errors import (
    Outcome,
    align,
    by_character,
    by_length,
    by_writer,
    confusions,
    edit_distances,
    kind,
)
from htr_model.scoring.metrics import error_rates


@pytest.mark.parametrize(
    ("truth", "prediction", "wrong"),
    [
        ("cat", "cat", []),
        ("cat", "cut", [("a", "u")]),
        ("10", "IO", [("1", "I"), ("0", "O")]),
        ("cat", "ct", [("a", "")]),
        ("ct", "cat", [("", "a")]),
        ("corner", "comer", [("rn", "m")]),
        ("comer", "corner", [("m", "rn")]),
        ("", "ab", [("", "a"), ("", "b")]),
        ("ab", "", [("a", ""), ("b", "")]),
        ("abcd", "xyzwv", [("a", "x"), ("b", "y"), ("c", "z"), ("d", "w"), ("", "v")]),
    ],
)
def test_alignment_names_what_was_written_and_what_was_read(truth, prediction, wrong):
    chunks = align(truth, prediction)
    assert sorted(c for c in chunks if c[0] != c[1]) == sorted(wrong)
    assert "".join(a for a, _ in chunks) == truth
    assert "".join(b for _, b in chunks) == prediction


def test_confusions_are_counted_and_named():
    found = confusions([Outcome("Ill", "lll"), Outcome("I", "l"), Outcome("a", "")])
    assert found == {("I", "l"): 2, ("a", ""): 1}
    assert [kind(c) for c in (("I", "l"), ("a", ""), ("", "b"), ("rn", "m"))] == [
        *("substitution", "deletion", "insertion", "substitution"),
    ]


def test_characters_have_precision_of_what_was_read_and_recall_of_what_was_written():
    # "e" is written 3 times, read 2 times, right once.
    found = by_character([Outcome("eel", "el"), Outcome("e", "a"), Outcome("a", "e")])
    e = found["e"]
    assert (e.written, e.read, e.right) == (3, 2, 1)
    assert (e.precision, e.recall) == (pytest.approx(1 / 2), pytest.approx(1 / 3))
    assert e.f1 == pytest.approx(2 / 5)
    assert list(found)[0] == "e"


def test_character_that_was_only_read_has_no_recall_to_divide_by():
    found = by_character([Outcome("a", "ab")])
    assert (found["b"].written, found["b"].precision, found["b"].recall) == (0, 0.0, 0.0)


def test_writers_come_worst_first_and_the_unnamed_are_left_out():
    found = by_writer([Outcome("aa", "aa", "good", "x"), Outcome("bb", "bc", "bad", "x"), Outcome("c", "d", None, "x")])
    assert list(found) == ["x/bad", "x/good"]
    assert found["x/bad"] == error_rates(["bb"], ["bc"])


def test_lengths_are_single_up_to_20_and_then_by_tens():
    texts = ["a", "b" * 20, "c" * 21, "d" * 30, "e" * 31]
    found = by_length([Outcome(t, t) for t in texts])
    assert {name: rates.samples for name, rates in found.items()} == {"1": 1, "20": 1, "21-30": 2, "31-40": 1}
    assert list(found) == ["1", "20", "21-30", "31-40"]


def test_edit_distances_count_pictures():
    assert edit_distances([Outcome("ab", "ab"), Outcome("ab", "b"), Outcome("a", "b")]) == {0: 1, 1: 2}
