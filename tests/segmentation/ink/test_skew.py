import numpy as np
import pytest

from segmentation.ink.skew import estimate_skew
from tests.segmentation.drawing import SCRIPT, TEXT, dark, draw_page, turned

ANGLES = [-8, -6.5, -5, -3, -1.5, -0.7, 0, 0.7, 1.5, 3, 5, 6.5, 8]


@pytest.mark.parametrize("degrees", ANGLES)
def test_skew_is_found_within_six_tenths_of_a_degree(degrees):
    page = draw_page(TEXT * 2, margin=100)
    assert estimate_skew(dark(turned(page.gray, degrees))) == pytest.approx(degrees, abs=0.6)


@pytest.mark.parametrize("degrees", [-5, 0, 5])
def test_skew_of_a_few_lines_is_found(degrees):
    page = draw_page(TEXT[:4], font=SCRIPT, margin=120)
    assert estimate_skew(dark(turned(page.gray, degrees))) == pytest.approx(degrees, abs=0.6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 600), (600, 1), (800, 600)])
def test_a_blank_page_is_level(shape):
    assert estimate_skew(np.zeros(shape, bool)) == 0.0


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.002, 0.02, 0.2])
def test_random_ink_is_level(share, seed):
    ink = np.random.default_rng(seed).random((500, 400)) < share
    assert estimate_skew(ink) == 0.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 600), (600, 1), (30, 20), (300, 300)])
def test_solid_ink_has_a_skew_within_limits(shape):
    assert -10 <= estimate_skew(np.ones(shape, bool)) <= 10
