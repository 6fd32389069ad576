from dataclasses import replace

import numpy as np
import pytest

from segmentation.description import describe
from segmentation.ink.components import components
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.placement import Placement
from segmentation.scaling import turned

SCALE = Scale(stroke_width=3.0, x_height=20.0, pitch=60.0)


def test_a_line_keeps_its_place_whatever_stray_ink_it_was_given():
    owners = np.zeros((400, 600), np.int32)
    for i, row in enumerate((100, 160, 220)):
        for left in range(50, 500, 30):
            owners[row - 10 : row + 10, left : left + 20] = i + 1
    owners[380:395, 480:500] = 1  # a blot at the foot of the page
    curves = [Curve(50, np.full(440, row - 0.5, np.float32)) for row in (100, 160, 220)]
    placement = Placement(np.eye(2, 3), 1.0, *owners.shape)
    lines = describe(owners, components(owners > 0), curves, SCALE, placement)
    assert [d.curve for d in lines] == [0, 1, 2]
    assert lines[0].line.box.bottom == 395


@pytest.mark.parametrize("turn", [0, 90, 270])
@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_boxes_and_baselines_lie_where_the_ink_is_whichever_way_it_runs(turn, factor):
    sheet = np.zeros((300, 200), np.int32)
    sheet[:, 100:120] = 1  # letters of the x-height that stand on column 120 or 100
    upright = Placement(np.eye(2, 3), factor, *(round(side / factor) for side in sheet.shape))
    if turn == 0:
        sheet, owners, placement = sheet.T, sheet.T, replace(upright, height=upright.width, width=upright.height)
    else:
        owners, placement = turned(sheet, turn), upright.turned(turn, sheet.shape)
    owners = owners * (np.arange(owners.shape[1]) % 30 < 20)
    rows = np.flatnonzero(owners.any(axis=1))
    curves = [Curve(0, np.full(owners.shape[1], rows.mean(), np.float32))]
    (found,) = describe(owners, components(owners > 0), curves, SCALE, placement)
    across = [(b.top, b.bottom) if turn == 0 else (b.left, b.right) for b in (p.box for p in found.line.pieces)]
    assert set(across) == {(100 / factor, 120 / factor)}
    assert {point[turn == 0] for point in found.line.baseline} == {(100 if turn == 270 else 120) / factor}
