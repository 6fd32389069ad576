import pytest

from htr_model.scoring.page_text import comparable, shared_words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You 're here , ( at last ) !", "You're here, (at last)!"),
        ("one\n  two", "one two"),
        ("l’été – oui", "l'été - oui"),
        ("", ""),
    ],
)
def test_texts_are_made_comparable(text, expected):
    assert comparable(text) == expected


@pytest.mark.parametrize(
    ("truth", "prediction", "shared"),
    [
        ("the cat saw the dog", "dog the saw cat the", 5),
        ("the cat saw the dog", "the the the", 2),
        ("the cat", "The cat,", 0),
        ("", "anything", 0),
        ("anything", "", 0),
    ],
)
def test_shared_words_are_counted_whatever_their_order(truth, prediction, shared):
    assert shared_words(truth, prediction) == shared
