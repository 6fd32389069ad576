"""Round stamps: left out where they stand by themselves; nothing that was written goes with them."""

import cv2
import numpy as np
import pytest

from segmentation.ink.stamps import find_stamps, stamped
from segmentation.page import segment
from tests.segmentation.boxes import intersection_over_union
from tests.segmentation.drawing import INK, SCRIPT, dark, draw_line, draw_page, draw_word, noisy, paper, turned

HEIGHT, WIDTH, X_HEIGHT = 1200, 900, 15
RADIUS = 80


def letter() -> np.ndarray:
    """A page of writing that begins in row 450."""
    gray = paper(HEIGHT, WIDTH)
    for i in range(10):
        draw_line(gray, "With many thanks for your kind letter", 70, 480 + 65 * i, 30, SCRIPT)
    return gray


def stamp(gray: np.ndarray, x: int, y: int, thickness: int = 4, gaps: int = 0) -> np.ndarray:
    """The page with two rings about a date, and so many gaps in each ring."""
    drawn = paper(*gray.shape)
    for radius in (RADIUS, RADIUS - 25):
        cv2.circle(drawn, (x, y), radius, INK, thickness)
    for i in range(gaps):
        angle = 2 * np.pi * i / gaps
        end = (round(x + 100 * np.cos(angle)), round(y + 100 * np.sin(angle)))
        cv2.line(drawn, (x, y), end, 240, 12)
    draw_word(drawn, "23.MAR", x - 40, y + 8, 22)
    return np.minimum(gray, drawn)


def found(gray: np.ndarray, x_height: float = X_HEIGHT) -> list[tuple[int, int, int]]:
    return [(round(s.x), round(s.y), round(s.radius)) for s in find_stamps(gray, dark(gray), x_height)]


@pytest.mark.parametrize("x, y", [(200, 200), (450, 250), (700, 120), (60, 200), (450, 70)])
@pytest.mark.parametrize("gaps", [0, 6])
def test_a_stamp_is_found_where_it_stands(x, y, gaps):
    assert found(stamp(letter(), x, y, gaps=gaps)) == [
        (pytest.approx(x, abs=5), pytest.approx(y, abs=5), pytest.approx(RADIUS + 2, abs=8))
    ]


def test_a_stamp_is_one_however_many_rings_it_has_and_others_are_found_beside_it():
    gray = stamp(stamp(letter(), 200, 200), 650, 250)
    assert sorted(x for x, _, _ in found(gray)) == pytest.approx([200, 650], abs=5)


def test_a_page_without_stamps_has_none():
    assert found(letter()) == []
    assert found(noisy(letter(), 12)) == []
    assert found(draw_page(["O O O", "OOO 000 888"], size=60).gray) == []


def test_a_ring_with_large_gaps_is_none():
    gray = letter()
    for start in range(0, 360, 60):
        cv2.ellipse(gray, (300, 220), (RADIUS, RADIUS), 0, start, start + 25, INK, 4)
    assert found(gray) == []


@pytest.mark.parametrize("x, y", [(300, 700), (500, 640), (150, 900)])
def test_a_stamp_over_writing_stays(x, y):
    assert found(stamp(letter(), x, y)) == []


def test_a_word_between_others_that_is_ringed_stays():
    gray = paper(HEIGHT, WIDTH)
    for i in range(4):
        draw_line(gray, "Dear Sir", 60, 260 + 220 * i, 60, SCRIPT)
        draw_line(gray, "I am", 620, 260 + 220 * i, 60, SCRIPT)
    draw_word(gray, "not", 385, 480, 60, SCRIPT)
    cv2.circle(gray, (430, 465), 110, INK, 4)
    assert found(gray, x_height=28) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (40, 30), (300, 2)])
def test_pictures_of_any_shape_are_looked_at(shape):
    assert find_stamps(np.zeros(shape, np.uint8), np.ones(shape, bool), 12.0) == []


def test_a_stamp_covers_its_ring_and_what_is_in_it():
    gray = stamp(paper(HEIGHT, WIDTH), 200, 200)
    covered = stamped(gray.shape, find_stamps(gray, dark(gray), X_HEIGHT))
    assert not (dark(gray) & ~covered).any()
    assert covered.sum() == pytest.approx(np.pi * (RADIUS + 6) ** 2, rel=0.1)


@pytest.mark.parametrize("degrees", [0, 3])
def test_the_lines_of_a_stamped_page_are_those_of_the_page(degrees):
    plain, with_stamp = (turned(g, degrees) for g in (letter(), stamp(letter(), 640, 270)))
    expected, got = segment(plain).layout, segment(with_stamp).layout
    assert len(got.lines) == len(expected.lines) == 10
    for line, other in zip(got.lines, expected.lines, strict=True):
        assert intersection_over_union(line.box, other.box) > 0.95
    assert got.discarded_ink > expected.discarded_ink + 500
