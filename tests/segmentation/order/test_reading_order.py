import random

import numpy as np
import pytest

from segmentation.geometry import Box
from segmentation.order.reading_order import reading_order, regions


def rows(left, right, tops, height=30):
    return [Box(left, top, right, top + height) for top in tops]


def assert_order(expected):
    """Whatever the order in which the lines come in, they are read as in ``expected``."""
    for seed in range(5):
        boxes = list(expected)
        random.Random(seed).shuffle(boxes)
        assert [boxes[i] for i in reading_order(boxes)] == list(expected)


def lines_by_region(boxes):
    return [region.lines for region in regions(boxes)]


def test_no_lines_have_no_order():
    assert reading_order([]) == []


def test_a_single_line_is_first():
    assert reading_order([Box(5, 5, 9, 9)]) == [0]


def test_lines_are_read_from_the_top():
    assert_order(rows(100, 900, range(100, 900, 50)))


def test_ragged_and_indented_lines_are_read_from_the_top():
    assert_order([Box(100 + 37 * (i % 3), 50 * i, 600 + 91 * (i % 4), 50 * i + 40) for i in range(12)])


def test_lines_whose_boxes_overlap_are_read_from_the_top():
    assert_order([Box(100, 50 * i, 900, 50 * i + 80) for i in range(10)])


def test_pieces_at_the_same_height_are_read_from_the_left():
    assert_order([Box(100, 102, 300, 140), Box(400, 98, 600, 139), Box(700, 100, 900, 141), Box(100, 160, 900, 200)])


def test_the_left_column_is_read_before_the_right():
    tops = range(100, 900, 50)
    assert_order(rows(100, 480, tops) + rows(520, 900, [t + 12 for t in tops]))


def test_columns_of_different_length_are_columns():
    assert_order(rows(100, 480, range(100, 900, 50)) + rows(520, 900, range(105, 600, 50)))


def test_three_columns_are_read_one_after_another():
    tops = range(100, 700, 50)
    assert_order(rows(50, 330, tops) + rows(360, 640, [t + 9 for t in tops]) + rows(670, 950, tops))


def test_a_list_of_small_print_beside_a_letter_is_read_as_a_column():
    assert_order([*rows(20, 100, range(100, 700, 20), height=14), *rows(140, 700, range(104, 700, 34))])


def test_amounts_beside_entries_are_read_with_them():
    entries, amounts = rows(20, 600, range(100, 900, 40)), rows(640, 720, range(100, 900, 40))
    assert_order([box for row in zip(entries, amounts, strict=True) for box in row])


def test_a_heading_is_read_before_the_columns_below_it():
    tops = range(200, 900, 50)
    assert_order([Box(200, 100, 800, 150)] + rows(100, 480, tops) + rows(520, 900, tops))


def test_a_ragged_column_beside_a_short_one_is_read_whole():
    headings = [Box(410, 20, 440, 60), Box(374, 100, 609, 130)]
    rights = [260 + 13 * (i % 6) for i in range(24)]
    rights[1], rights[18] = 385, 363
    left = [Box(100, 150 + 40 * i, right, 180 + 40 * i) for i, right in enumerate(rights)]
    assert_order(headings + left + rows(620, 900, range(152, 300, 40)))


def test_between_two_headings_the_left_column_is_read_before_the_right():
    first, second = range(200, 500, 50), range(700, 1000, 50)
    assert_order(
        [Box(200, 100, 800, 150)]
        + rows(100, 480, first)
        + rows(520, 900, first)
        + [Box(150, 600, 850, 650)]
        + rows(100, 480, second)
        + rows(520, 900, second)
    )


def test_a_date_at_the_right_above_the_body_is_read_first():
    assert_order([Box(650, 40, 900, 80)] + rows(100, 900, range(120, 900, 50)))


def test_an_address_at_the_right_above_the_body_is_read_first():
    assert_order(rows(600, 900, [20, 60, 100, 140], 25) + rows(100, 900, range(220, 900, 50)))


def test_a_signature_at_the_right_below_the_body_is_read_last():
    assert_order(rows(100, 900, range(100, 700, 50)) + [Box(600, 760, 900, 800)])


@pytest.mark.parametrize("seed", range(10))
def test_every_line_is_read_once(seed):
    rng = np.random.default_rng(seed)
    corners, sizes = rng.integers(0, 900, (40, 2)).tolist(), rng.integers(5, 400, (40, 2)).tolist()
    boxes = [Box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sizes, strict=True)]
    assert sorted(reading_order(boxes)) == list(range(40))


def test_equal_boxes_are_each_read_once():
    assert sorted(reading_order([Box(0, 0, 10, 10)] * 7)) == list(range(7))


# ------------------------------------------------------------------------------------------------ regions


def test_lines_without_columns_are_one_region():
    assert lines_by_region([]) == []
    assert lines_by_region(rows(100, 900, range(100, 300, 50))) == [[0, 1, 2, 3]]


def test_headings_and_columns_are_regions():
    first, second = range(200, 400, 50), range(600, 800, 50)
    boxes = [Box(200, 50, 800, 90), Box(200, 100, 800, 150)]  # 0, 1
    boxes += rows(100, 480, first) + rows(520, 900, first)  # 2–5, 6–9
    boxes += [Box(150, 500, 850, 550)]  # 10
    boxes += rows(100, 480, second) + rows(520, 900, second)  # 11–14, 15–18
    assert lines_by_region(boxes) == [[0, 1], [2, 3, 4, 5], [6, 7, 8, 9], [10], [11, 12, 13, 14], [15, 16, 17, 18]]


def test_a_date_between_headings_is_read_with_them():
    tops = range(300, 600, 50)
    boxes = [Box(200, 100, 800, 150), Box(600, 160, 900, 190), Box(200, 200, 800, 250)]
    assert lines_by_region(boxes + rows(100, 480, tops) + rows(520, 900, tops)) == [
        [0, 1, 2],
        list(range(3, 9)),
        list(range(9, 15)),
    ]


def test_columns_within_a_column_are_regions():
    tops = range(100, 400, 50)
    boxes = rows(50, 330, tops) + rows(360, 640, tops) + rows(670, 950, tops)
    assert lines_by_region(boxes) == [list(range(6)), list(range(6, 12)), list(range(12, 18))]
