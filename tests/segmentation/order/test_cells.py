"""Rows of a table: which lines of its columns belong together."""

import numpy as np

from segmentation.geometry import Box, Cell
from segmentation.order.cells import cells_in_order

X_HEIGHT = 10.0
PITCH = 30


def at(row, left, width):
    """The box of a line in a row of writing."""
    return Box(left, 100 + round(PITCH * row), left + width, 120 + round(PITCH * row))


def read(*lines, levels=()):
    """Cells with the rows of writing of their lines; ``lines`` are (column, row, width)."""
    boxes = [at(row, 300 * column, width) for column, row, width in lines]
    regions = cells_in_order(boxes, [column for column, _, _ in lines], X_HEIGHT, levels)
    assert sorted(i for region in regions for i in region.lines) == list(range(len(lines)))
    return [(region.cell, [lines[i][1] for i in region.lines]) for region in regions]


def test_each_number_begins_a_row():
    lines = [(0, 0, 30), (0, 1, 30), (0, 4, 30)] + [(1, row, 250) for row in range(5)] + [(2, 3, 40), (2, 4, 40)]
    assert read(*lines) == [
        (Cell(0, 0), [0]),
        (Cell(0, 1), [0]),
        (Cell(1, 0), [1]),
        (Cell(1, 1), [1, 2, 3]),
        (Cell(1, 2), [3]),
        (Cell(2, 0), [4]),
        (Cell(2, 1), [4]),
        (Cell(2, 2), [4]),
    ]


def test_wide_columns_beside_each_other_are_read_row_by_row():
    lines = [(column, row, 250) for row in range(4) for column in (0, 1)]
    assert read(*lines) == [(Cell(row, column), [row]) for row in range(4) for column in (0, 1)]


def test_a_note_of_several_lines_is_read_before_what_it_stands_beside():
    notes = [0, 1, 2, 8, 9]
    lines = [(0, row, 120) for row in notes] + [(1, row, 290) for row in range(14)]
    assert read(*lines) == [
        (Cell(0, 0), [0, 1, 2]),
        (Cell(0, 1), list(range(8))),
        (Cell(1, 0), [8, 9]),
        (Cell(1, 1), list(range(8, 14))),
    ]


def test_what_stands_above_the_first_row_is_a_row_of_headings():
    lines = [(1, 0, 250), (0, 2, 30), (0, 3, 30), (0, 4, 30), (1, 2, 200), (1, 3, 200), (1, 4, 200)]
    assert read(*lines)[:3] == [(Cell(0, 1), [0]), (Cell(1, 0), [2]), (Cell(1, 1), [2])]


def test_level_rules_part_rows():
    lines = [(column, row, 250) for row in (0, 1, 2, 3, 5, 6) for column in (0, 1)] + [(0, 4, 250)]
    box = [100 - 12, 100 + 2 * PITCH - 5, 100 + 5 * PITCH - 5, 100 + 7 * PITCH]
    assert read((1, 0, 200), (1, 1, 200), (0, 2, 100), (1, 2, 200), (1, 3, 200), (1, 5, 200), levels=box) == [
        (Cell(0, 1), [0, 1]),
        (Cell(1, 0), [2]),
        (Cell(1, 1), [2, 3]),
        (Cell(2, 1), [5]),
    ]
    assert len(read(*lines, levels=[100 + PITCH * row - 5 for row in range(8)])) == len(read(*lines))


def test_marks_in_the_margin_join_no_rows_that_stand_beside_each_other():
    marks = [(0, row, 15) for row in (1, 4, 5, 9)]
    lines = marks + [(column, row, 250) for row in range(12) for column in (1, 2)]
    cells = read(*lines)
    for column in (1, 2):
        assert [rows for cell, rows in cells if cell.column == column] == [[row] for row in range(12)]
    assert [(cell.row, rows) for cell, rows in cells if cell.column == 0] == [(row, [row]) for row in (1, 4, 5, 9)]


def test_stray_marks_in_the_first_column_begin_no_rows():
    lines = [(0, 7, 12)] + [(1, row, 30) for row in range(16)] + [(2, row, 250) for row in range(16)]
    cells = read(*lines)
    assert [rows for cell, rows in cells if cell.column == 1] == [[row] for row in range(16)]
    assert (Cell(7, 0), [7]) in cells


def test_rows_and_columns_without_lines_do_not_count():
    lines = [(3, row, 30) for row in range(3)] + [(7, row, 250) for row in range(3)]
    assert {cell.column for cell, _ in read(*lines)} == {0, 1}


def test_no_lines_are_no_cells():
    assert cells_in_order([], [], X_HEIGHT) == []


def test_order_of_the_boxes_does_not_matter():
    rng = np.random.default_rng(5)
    lines = [(0, 0, 30), (0, 1, 30), (0, 4, 30)] + [(1, row, 250) for row in range(5)]
    for _ in range(5):
        shuffled = [lines[i] for i in rng.permutation(len(lines))]
        assert read(*shuffled) == read(*lines)


def test_a_sum_below_the_last_date_is_a_row_of_its_own():
    """The heading makes the column of dates as full as the others."""
    lines = [(0, 0, 90)] + [(column, row, 250) for row in (1, 2, 3, 4) for column in (0, 1, 2)]
    lines += [(1, 5, 100), (2, 5, 120)]
    assert read(*lines)[-5:] == [
        *((Cell(4, column), [4]) for column in (0, 1, 2)),
        (Cell(5, 1), [5]),
        (Cell(5, 2), [5]),
    ]
