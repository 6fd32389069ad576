import numpy as np
import pytest

from segmentation.ink.binarisation import binarise
from segmentation.ink.grain import smooth_grain
from segmentation.ink.paper import flat_sheet
from tests.segmentation.drawing import draw_page, noisy


def error(a, b):
    return float(np.sqrt(np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("deviation", [0, 2, 4])
def test_a_page_with_little_grain_is_left_as_it_is(deviation):
    gray = noisy(draw_page().gray, deviation)
    assert smooth_grain(gray) is gray


@pytest.mark.parametrize("deviation", [20, 40])
def test_strong_grain_is_halved_and_strokes_stay(deviation):
    page = draw_page()
    before = noisy(page.gray, deviation)
    after = smooth_grain(before)
    assert after.dtype == np.uint8
    assert error(after, page.gray) < 0.6 * error(before, page.gray)
    assert np.median(after[~page.ink].astype(int)) - np.median(after[page.ink].astype(int)) > 0.7 * (
        np.median(page.gray[~page.ink].astype(int)) - np.median(page.gray[page.ink].astype(int))
    )


@pytest.mark.parametrize("paper", [128, 225])
@pytest.mark.parametrize("deviation", [5, 20, 40])
def test_nothing_but_grain_is_left_as_it_is(paper, deviation):
    gray = noisy(np.full((500, 400), paper, np.uint8), deviation)
    assert smooth_grain(gray) is gray


def test_ink_is_found_under_grain_as_dark_as_a_third_of_its_contrast():
    page = draw_page()
    ink = binarise(flat_sheet(noisy(page.gray, 45)))
    assert np.count_nonzero(ink & page.ink) > 0.8 * np.count_nonzero(page.ink)
    assert np.count_nonzero(ink & page.ink) > 0.7 * np.count_nonzero(ink)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (2, 2), (7, 5)])
@pytest.mark.parametrize("value", [0, 255])
def test_tiny_and_even_pages_come_through(shape, value):
    gray = np.full(shape, value, np.uint8)
    np.testing.assert_array_equal(smooth_grain(gray), gray)
