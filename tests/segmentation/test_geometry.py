import dataclasses

import pytest

from segmentation.geometry import Box, Line, Piece, turned_point, union


@pytest.mark.parametrize("sides", [(0, 0, 0, 5), (0, 0, 5, 0), (5, 0, 4, 5), (0, 5, 5, 4)])
def test_a_box_without_pixels_is_refused_and_shown(sides):
    with pytest.raises(ValueError, match=str(sides[:2])[1:-1]):
        Box(*sides)


def test_right_and_bottom_are_exclusive():
    box = Box(3, 4, 13, 9)
    assert (box.width, box.height) == (10, 5)
    assert (Box(0, 0, 1, 1).width, Box(0, 0, 1, 1).height) == (1, 1)


def test_boxes_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Box(0, 0, 1, 1).left = 5


def test_union_is_the_smallest_box_around_all():
    assert union(Box(*sides) for sides in [(5, 5, 6, 9), (0, 7, 2, 8), (3, 1, 4, 2)]) == Box(0, 1, 6, 9)
    assert union([Box(1, 2, 3, 4)]) == Box(1, 2, 3, 4)


def test_a_union_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no boxes"):
        union([])


def test_word_boxes_are_around_their_pieces_from_left_to_right():
    boxes = [Box(0, 5, 4, 10), Box(5, 0, 9, 8), Box(20, 4, 30, 9)]
    pieces = tuple(Piece(b, b.left, b.right) for b in boxes)
    line = Line(0, union(boxes), pieces, ((0, 2), (2, 3)))
    assert line.word_boxes() == [Box(0, 0, 9, 10), Box(20, 4, 30, 9)]


@pytest.mark.parametrize(
    ("turn", "expected"), [(0, (20, 20, 50, 60)), (90, (10, 44, 110, 56)), (270, (10, 24, 110, 36))]
)
def test_part_lies_along_the_writing(turn, expected):
    box = Box(10, 20, 110, 60)
    assert box.part(0.1, 0.4, turn) == Box(*expected)
    assert box.part(0.0, 1.0, turn) == box


@pytest.mark.parametrize("turn", [0, 90, 270])
def test_part_is_never_empty_nor_outside(turn):
    box = Box(5, 5, 8, 9)
    for first, last in ((0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.99, 1.0)):
        part = box.part(first, last, turn)
        assert union([part, box]) == box


def _line(turn, baseline):
    box = Box(10, 10, 110, 110)
    return Line(0, box, (Piece(box, 0.0, 100.0),), ((0, 1),), turn=turn, baseline=baseline)


@pytest.mark.parametrize(
    ("turn", "baseline", "box", "levels"),
    [
        (0, ((10, 40), (110, 60)), Box(60, 30, 110, 55), (50, 60)),
        (0, ((10, 40), (110, 60)), Box(0, 30, 150, 55), (40, 60)),  # level beyond its ends
        (90, ((40, 110), (60, 10)), Box(30, 10, 55, 60), (50, 60)),  # read upwards, climbing to the right
        (270, ((60, 10), (40, 110)), Box(30, 10, 55, 60), (60, 50)),  # read downwards
    ],
)
def test_baseline_passes_a_word_where_it_stands(turn, baseline, box, levels):
    assert _line(turn, baseline).baseline_at(box) == levels


def test_word_of_a_line_without_baseline_has_none():
    assert _line(0, ()).baseline_at(Box(10, 10, 20, 20)) is None


@pytest.mark.parametrize("turn", [0, 90, 270])
def test_boxes_and_points_are_turned_alike(turn):
    box = Box(3, 5, 30, 9)
    corners = sorted(turned_point(p, turn) for p in ((3, 5), (30, 9)))
    turned = box.turned(turn)
    assert (turned.left, turned.right) == (corners[0][0], corners[1][0])
    assert sorted(c[1] for c in corners) == [turned.top, turned.bottom]
    assert {turned_point(turned_point((3, 5), turn), -turn % 360)} == {(3, 5)}
