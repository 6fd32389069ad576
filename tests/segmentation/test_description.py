import numpy as np

from segmentation.description import describe
from segmentation.ink.components import components
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.placement import Placement

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
