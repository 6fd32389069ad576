import math

import numpy as np
import pytest

from htr_model.data.word_gaps import word_gaps
from htr_model.normalization import Normalization, Normalized, normalize
from htr_model.reading import Reading
from tests.htr_model.drawing import word

SETTINGS = Normalization()
WORDS = ("every", "word", "stands", "alone")
SPACE = 36


def line(space: int = SPACE) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """A picture of `WORDS`, and the columns of each word's ink."""
    pictures = [word(w, 60)[:, 10:-10] for w in WORDS]
    gap = np.full((60, space), 245, np.uint8)
    places, parts, left = [], [], 0
    for picture in pictures:
        inked = np.flatnonzero((picture < 128).any(axis=0))
        places.append((left + int(inked[0]), left + int(inked[-1]) + 1))
        parts += [picture, gap]
        left += picture.shape[1] + space
    return np.hstack(parts[:-1]), places


def read(places, picture: Normalized, words=WORDS) -> Reading:
    """A reading whose letters are spread evenly over each word's ink; a space has no place of its own."""
    spans = []
    for i, ((left, right), w) in enumerate(zip(places, words, strict=True)):
        if i:
            spans.append((spans[-1][1], spans[-1][1] + 4))
        edges = np.linspace(left, right, len(w) + 1)
        spans += [tuple(round((x - picture.left) * picture.scale) for x in pair) for pair in zip(edges, edges[1:])]  # noqa: B905
    text = " ".join(words)
    return Reading(text, 1.0, 1.0, tuple(spans), (1.0,) * len(text))


def test_gaps_lie_between_the_words():
    gray, places = line()
    picture = normalize(gray, SETTINGS)
    gaps = word_gaps(" ".join(WORDS), read(places, picture), picture, gray.shape[1])
    assert len(gaps) == 3
    for gap, (_, left), (right, _) in zip(gaps, places, places[1:], strict=False):
        assert gap * gray.shape[1] == pytest.approx((left + right) / 2, abs=SPACE / 6)


def test_a_misread_word_has_its_gaps_and_a_missed_space_has_none():
    gray, places = line()
    picture = normalize(gray, SETTINGS)
    misread = word_gaps(" ".join(WORDS), read(places, picture, ("every", "wood", "stauds", "alone")), picture, 100)
    assert not any(map(math.isnan, misread))
    joined = [places[0], (places[1][0], places[2][1]), places[3]]
    gaps = word_gaps(" ".join(WORDS), read(joined, picture, ("every", "wordstands", "alone")), picture, 100)
    assert [math.isnan(g) for g in gaps] == [False, True, False]


def test_no_gap_where_ink_crosses_all_of_it():
    gray, places = line()
    struck = gray.copy()
    struck[30:33, places[0][0] : places[1][1]] = 20
    picture = normalize(struck, SETTINGS)
    gaps = word_gaps(" ".join(WORDS), read(places, picture), picture, gray.shape[1])
    assert [math.isnan(g) for g in gaps] == [True, False, False]


@pytest.mark.parametrize(("columns", "found"), [(1, False), (10, True)])
def test_a_gap_is_wider_than_a_break_within_a_letter(columns, found):
    pixels = np.full((SETTINGS.height, 100), 255, np.uint8)
    pixels[:, 50 : 50 + columns] = 0
    reading = Reading("a b", 1.0, 1.0, ((20, 30), (30, 34), (70, 80)), (1.0,) * 3)
    (gap,) = word_gaps("a b", reading, Normalized(pixels, 0.0, 1.0), 100)
    assert gap == pytest.approx(0.5 + columns / 200) if found else math.isnan(gap)


def test_a_reading_of_nothing_has_no_gaps():
    gray, _ = line()
    picture = normalize(gray, SETTINGS)
    assert all(map(math.isnan, word_gaps("two words", Reading("", 0.0, 0.0, (), ()), picture, gray.shape[1])))


def test_a_single_word_has_none():
    gray = word("alone")
    assert word_gaps("alone", Reading("", 0.0, 0.0, (), ()), normalize(gray, SETTINGS), gray.shape[1]) == ()
