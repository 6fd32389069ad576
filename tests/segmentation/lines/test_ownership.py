import numpy as np
import pytest

from segmentation.geometry import Box
from segmentation.ink.components import components
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.lines.ownership import assign, claim_leftovers

SCALE = Scale(stroke_width=3.0, x_height=20.0, pitch=70.0)
SHAPE = (200, 400)


def level(row, first=20, last=380):
    return Curve(first, np.full(last - first + 1, row, np.float32))


def parts_of(*boxes, shape=SHAPE):
    ink = np.zeros(shape, bool)
    for b in boxes:
        ink[b.top : b.bottom, b.left : b.right] = True
    return components(ink)


def owners_in(owners, box):
    return set(np.unique(owners[box.top : box.bottom, box.left : box.right]).tolist())


# ------------------------------------------------------------------------------------------------ assignment


def test_a_component_goes_whole_to_the_line_that_holds_its_middle():
    tall = Box(100, 45, 105, 105)  # stands on the first line and reaches below the half distance to the second
    owners = assign(parts_of(tall, Box(200, 55, 300, 65), Box(200, 125, 300, 135)), [level(60), level(130)], SCALE)
    assert owners_in(owners, tall) == {1}
    assert owners_in(owners, Box(200, 55, 300, 65)) == {1}
    assert owners_in(owners, Box(200, 125, 300, 135)) == {2}


@pytest.mark.parametrize(("top", "line"), [(30, 1), (80, 1), (102, 2), (160, 2)])
def test_dots_and_commas_go_to_the_nearest_line(top, line):
    dot = Box(100, top, 104, top + 4)
    assert owners_in(assign(parts_of(dot), [level(60), level(130)], SCALE), dot) == {line}


def test_a_component_that_fills_two_lines_is_divided_between_them():
    joined = Box(100, 40, 150, 150)
    owners = assign(parts_of(joined), [level(60), level(130)], SCALE)
    assert (owners[40:90, 100:150] == 1).all()
    assert (owners[100:150, 100:150] == 2).all()


def test_ink_far_from_all_lines_is_nobodys():
    above, beside = Box(100, 2, 110, 8), Box(100, 100, 110, 106)
    owners = assign(parts_of(above, beside), [level(100, 250, 380)], SCALE)
    assert not owners.any()


def test_only_ink_has_an_owner():
    parts = parts_of(Box(50, 50, 150, 70), Box(160, 110, 300, 150))
    owners = assign(parts, [level(60), level(130)], SCALE)
    assert owners.shape == SHAPE and owners.dtype == np.int32
    assert np.array_equal(owners > 0, parts.labels > 0)


def test_without_lines_or_ink_there_are_no_owners():
    assert not assign(parts_of(Box(50, 50, 150, 70)), [], SCALE).any()
    assert not assign(parts_of(), [level(60)], SCALE).any()


# ------------------------------------------------------------------------------------------------ leftovers


def test_letters_that_no_line_claims_get_a_line_of_their_own():
    parts = parts_of(Box(50, 50, 70, 75), Box(80, 52, 100, 76), Box(300, 150, 320, 175))
    owners = np.zeros(SHAPE, np.int32)
    curves = claim_leftovers(parts, owners, SCALE)
    assert len(curves) == 2
    again = assign(parts, curves, SCALE)
    assert np.array_equal(again > 0, parts.labels > 0)
    assert owners_in(again, Box(50, 52, 100, 75)) - {0} != owners_in(again, Box(300, 150, 320, 175))


def test_specks_get_no_line():
    parts = parts_of(*(Box(40 * i + 5, 50, 40 * i + 9, 54) for i in range(8)))
    assert claim_leftovers(parts, np.zeros(SHAPE, np.int32), SCALE) == []


def test_claimed_ink_gets_no_second_line():
    parts = parts_of(Box(50, 50, 70, 75))
    assert claim_leftovers(parts, (parts.labels > 0).astype(np.int32), SCALE) == []
