import numpy as np
import pytest

from segmentation.ink.binarisation import binarise
from segmentation.ink.paper import flatten_paper
from tests.segmentation.drawing import INK, PAPER, draw_page, grown, noisy, paper


def ink_of(gray):
    return binarise(flatten_paper(gray))


@pytest.mark.parametrize("size", [24, 40, 80])
@pytest.mark.parametrize("deviation", [0, 6])
def test_binarise_finds_drawn_strokes_and_little_else(size, deviation):
    page = draw_page(size=size)
    ink = ink_of(noisy(page.gray, deviation))
    assert np.count_nonzero(ink & page.ink) > 0.98 * np.count_nonzero(page.ink)
    assert not (ink & ~grown(page.ink, 3)).any()


@pytest.mark.parametrize(("value", "deviation"), [(255, 0), (255, 2), (255, 4), (200, 3), (120, 0), (120, 1), (0, 0)])
def test_blank_or_faintly_noisy_paper_has_no_ink(value, deviation):
    assert not ink_of(noisy(np.full((400, 600), value, np.uint8), deviation)).any()


def test_faint_ends_of_strokes_are_kept():
    page = draw_page()
    gray = np.vstack([page.gray, paper(100, page.gray.shape[1])])
    row, left, right = page.gray.shape[0] + 20, 100, 400
    gray[row : row + 5, left:right] = np.linspace(INK, PAPER - 60, right - left).astype(np.uint8)
    ink = ink_of(gray)
    assert ink[row + 2, left : right - 10].all()


def test_pale_marks_alone_are_dropped_where_the_writing_is_dark():
    gray = np.hstack([draw_page().gray, paper(728, 300)])[:728]
    pale = slice(-280, -40)
    gray[200:204, pale] = PAPER - 26
    gray[400:404, pale] = PAPER - 26
    ink = ink_of(gray)
    assert not ink[:, pale].any()
