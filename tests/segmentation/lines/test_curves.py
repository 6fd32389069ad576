import numpy as np
import pytest

from segmentation.ink.components import components
from segmentation.ink.scale import Scale, measure
from segmentation.lines.curves import find_curves
from tests.segmentation.drawing import PRINT, SCRIPT, TEXT, draw_page

SCALE = Scale(stroke_width=3.0, x_height=20.0, pitch=70.0)
SHAPE = (200, 400)


@pytest.mark.parametrize("font", [PRINT, SCRIPT])
@pytest.mark.parametrize("size", [30, 50])
@pytest.mark.parametrize("pitch", [1.5, 2.5])
def test_each_drawn_line_has_one_curve_along_it(font, size, pitch):
    page = draw_page(size=size, font=font, pitch=pitch)
    curves = find_curves(page.ink, measure(page.ink, components(page.ink)))
    assert len(curves) == len(page.lines)
    curves.sort(key=lambda c: float(c.ys.mean()))
    for curve, line in zip(curves, page.lines, strict=True):
        assert ((curve.ys > line.top) & (curve.ys < line.bottom)).all()
        overlap = min(curve.last, line.right) - max(curve.first, line.left)
        assert overlap > 0.85 * line.width


def test_a_curve_follows_a_line_that_climbs():
    page = draw_page(TEXT[:4])
    h, w = page.gray.shape
    ink = np.zeros((h + 60, w), bool)
    for x in range(w):
        shift = round(60 * (1 - x / w))
        ink[shift : shift + h, x] = page.ink[:, x]
    curves = find_curves(ink, measure(ink, components(ink)))
    assert len(curves) == 4
    curves.sort(key=lambda c: float(c.ys.mean()))
    for i, curve in enumerate(curves):
        middle = 60 + round(76 * (i + 0.7)) - 10  # of the letters, half an x-height above the baseline
        columns = np.arange(curve.first, curve.last + 1)
        assert np.abs(curve.ys - middle - 60 * (1 - columns / w)).max() < 10


def test_curves_stay_on_the_page():
    ink = draw_page(margin=5).ink
    curves = find_curves(ink, measure(ink, components(ink)))
    assert len(curves) == len(TEXT)
    for curve in curves:
        assert curve.first >= 0 and curve.last < ink.shape[1]
        assert ((curve.ys > -1) & (curve.ys < ink.shape[0])).all()


def test_paper_has_no_curves():
    assert find_curves(np.zeros(SHAPE, bool), SCALE) == []
