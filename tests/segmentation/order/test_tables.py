"""Registers and ledgers: lines end at the rules between columns, and are read cell by cell."""

import cv2
import pytest

from segmentation.geometry import Cell
from segmentation.page import CLASSICAL, SegmentationSettings, segment
from tests.segmentation.boxes import intersection_over_union
from tests.segmentation.drawing import INK, PAPER, TEXT, draw_line, paper, turned
from tests.segmentation.test_page import assert_sound, contains

LEARNED = SegmentationSettings().lines
COLUMNS = (60, 200, 760)
RULES = (160, 720, 980)
PITCH, SIZE = 74, 34
ENTRIES = (
    ("101", ["Anna Baker of Hull,", "widow of the smith"], "12 may"),
    ("102", ["John Coward"], "13 may"),
    ("103", ["Mary Dunn and her", "two sisters, living", "near the old mill"], "13 may"),
    ("104", ["William Eames"], "20 may"),
    ("105", ["Fanny Green, born", "in the workhouse"], "21 may"),
)


def register(entries=ENTRIES, shade=INK, rules=RULES):
    """A register, its cells' true boxes in the order in which they are to be read, and the number of the record of
    each."""
    rows = sum(len(names) for _, names, _ in entries)
    gray, boxes, records = paper(PITCH * rows + 240, 1100), [], []
    row = 0
    for record, (number, names, date) in enumerate(entries):
        cells = [(COLUMNS[0], row, number)]
        cells += [(COLUMNS[1], row + i, name) for i, name in enumerate(names)]
        cells += [(COLUMNS[2], row, date)]
        for x, at, text in cells:
            boxes.append(draw_line(gray, text, x, 160 + PITCH * at, SIZE))
            records.append(record)
        row += len(names)
    for x in rules:
        cv2.line(gray, (x, 60), (x, gray.shape[0] - 60), shade, 3)
    return gray, boxes, records


def cells_read(layout, boxes):
    """For each line as it is read, the cell's line that it is; each must be found once, whole and alone."""
    order = []
    for line in layout.lines:
        own = [i for i, words in enumerate(boxes) if all(contains(line.box, word, 6) for word in words)]
        touched = [
            i for i, words in enumerate(boxes) if any(intersection_over_union(line.box, w) > 0.02 for w in words)
        ]
        assert own == touched and len(own) == 1, (own, touched)
        order += own
    return order


@pytest.mark.parametrize("lines", [LEARNED, CLASSICAL])
def test_a_register_is_read_record_by_record_and_cell_by_cell(lines):
    gray, boxes, _ = register()
    layout = segment(gray, SegmentationSettings(lines=lines)).layout
    assert_sound(layout, gray.shape)
    assert cells_read(layout, boxes) == list(range(len(boxes)))


def test_each_cell_is_a_region_and_knows_its_row_and_column():
    gray, boxes, records = register()
    layout = segment(gray).layout
    order = cells_read(layout, boxes)
    assert [line.cell.row for line in layout.lines] == [records[i] for i in order]
    left = [boxes[i][0].left for i in order]
    assert [line.cell.column for line in layout.lines] == [(x > 160) + (x > 720) for x in left]
    regions = [line.region for line in layout.lines]
    assert regions == sorted(regions)
    # Three cells a record, of one to three lines.
    assert len(set(regions)) == 3 * len(ENTRIES)


def test_pale_rules_part_columns_as_well():
    gray, boxes, _ = register(2 * ENTRIES, shade=PAPER - 25)
    assert cells_read(segment(gray).layout, boxes) == list(range(len(boxes)))


@pytest.mark.parametrize("degrees", [-2.0, 1.2])
def test_a_register_may_be_askew(degrees):
    gray, boxes, _ = register()
    layout = segment(turned(gray, degrees)).layout
    assert len(layout.lines) == len(boxes)
    assert len({line.region for line in layout.lines}) == 3 * len(ENTRIES)


def test_rows_of_names_and_dates_are_read_row_by_row():
    rows = 16
    gray, boxes = paper(PITCH * rows + 240, 1100), []
    for i in range(rows):
        boxes.append(draw_line(gray, f"{TEXT[i % 8].split()[-1]} Longfellow", 80, 160 + PITCH * i, SIZE))
        boxes.append(draw_line(gray, f"{i + 1} april 1907", 760, 160 + PITCH * i, SIZE))
    cv2.line(gray, (720, 60), (720, gray.shape[0] - 60), INK, 3)
    assert cells_read(segment(gray).layout, boxes) == list(range(2 * rows))


def test_columns_of_a_newspaper_are_read_one_after_another():
    """Lines that fill columns of like width, though the rules between them part a table elsewhere."""
    gray, boxes = paper(1500, 2060), []
    columns = (60, 730, 1400)
    for column, x in enumerate(columns):
        for i in range(20):
            boxes.append(draw_line(gray, TEXT[(column + i) % 8], x, 120 + 66 * i, SIZE))
    for x in columns[1:]:
        cv2.line(gray, (x - 40, 40), (x - 40, 1460), INK, 3)
    layout = segment(gray).layout
    assert cells_read(layout, boxes) == list(range(60))
    assert not any(line.cell for line in layout.lines)
    assert [line.region for line in layout.lines] == [0] * 20 + [1] * 20 + [2] * 20


def test_who_writes_across_a_rule_is_not_cut_short():
    gray = paper(900, 1100)
    words = [draw_line(gray, "mmmmmmmmmmmmmmmmmmmmmm", 90, 160 + PITCH * i, SIZE) for i in range(8)]
    cv2.line(gray, (400, 40), (400, 860), 150, 2)
    layout = segment(gray).layout
    assert len(layout.lines) == 8
    for line, own in zip(layout.lines, words, strict=True):
        assert all(contains(line.box, box, 6) for box in own)


def test_a_word_through_a_rule_stays_whole():
    gray, boxes, _ = register()
    long = draw_line(gray, "carried over to next", 500, gray.shape[0] - 100, SIZE)
    crossing = next(box for box in long if box.left < 720 < box.right)
    layout = segment(gray).layout
    words = [box for line in layout.lines for box in line.word_boxes()]
    assert any(intersection_over_union(box, crossing) > 0.8 for box in words)
    assert len(layout.lines) == len(boxes) + 2


def test_a_heading_over_several_columns_is_read_first():
    gray, boxes, _ = register()
    for x in RULES:
        # Rules that reach up to it, as in printed forms.
        cv2.line(gray, (x, 20), (x, 100), INK, 3)
    tall = paper(gray.shape[0] + 120, gray.shape[1])
    tall[120:] = gray
    heading = draw_line(tall, "Entered in the year 1834", 170, 120, SIZE)
    layout = segment(tall).layout
    assert contains(layout.lines[0].box, heading[0], 6)
    assert layout.lines[0].cell in (None, Cell(0, 0), Cell(0, 1))


def test_a_margin_without_writing_changes_nothing():
    gray = paper(900, 1100)
    for i in range(8):
        draw_line(gray, "Words to the right of it", 220, 160 + PITCH * i, SIZE)
    plain = segment(gray).layout
    cv2.line(gray, (170, 20), (170, 880), 150, 3)
    with_margin = segment(gray).layout
    assert [line.region for line in with_margin.lines] == [line.region for line in plain.lines]
    assert [line.word_boxes() for line in with_margin.lines] == [line.word_boxes() for line in plain.lines]


def test_lines_above_and_below_a_table_are_read_before_and_after_it():
    gray, boxes, _ = register()
    tall = paper(gray.shape[0] + 400, gray.shape[1])
    tall[200:-200] = gray
    above = draw_line(tall, "Births in this parish, from May", 90, 150, SIZE)
    below = draw_line(tall, "Signed by the parish clerk", 90, tall.shape[0] - 100, SIZE)
    layout = segment(tall).layout
    assert contains(layout.lines[0].box, above[0], 6) and contains(layout.lines[0].box, above[-1], 6)
    assert contains(layout.lines[-1].box, below[0], 6) and contains(layout.lines[-1].box, below[-1], 6)
    assert len(layout.lines) == len(boxes) + 2
    assert [line.cell is None for line in layout.lines] == [True, *[False] * len(boxes), True]


def test_a_form_is_read_box_by_box():
    gray = paper(1000, 1100)
    texts = (
        (("Name and given", "name of the child"), ("Longfellow, Emma",)),
        (("Born",), ("in the workhouse of", "the parish, on the", "third of May")),
        (("Father and", "his trade"), ("William, a smith", "of this town")),
    )
    boxes, top = [], 100
    for row in texts:
        for x, cell in zip((80, 420), row, strict=True):
            boxes += [draw_line(gray, text, x, top + 60 + PITCH * i, SIZE) for i, text in enumerate(cell)]
        cv2.line(gray, (40, top), (900, top), INK, 3)
        top += PITCH * max(map(len, row)) + 50
    cv2.line(gray, (40, top), (900, top), INK, 3)
    for x in (40, 380, 900):
        cv2.line(gray, (x, 100), (x, top), INK, 3)
    layout = segment(gray).layout
    assert cells_read(layout, boxes) == list(range(len(boxes)))
    cells = [(line.cell.row, line.cell.column) for line in layout.lines]
    assert cells == [(0, 0)] * 2 + [(0, 1)] + [(1, 0)] + [(1, 1)] * 3 + [(2, 0)] * 2 + [(2, 1)] * 2


def test_an_empty_form_has_no_lines():
    gray = paper(900, 700)
    for x in (100, 300, 500):
        cv2.line(gray, (x, 40), (x, 860), INK, 3)
    assert segment(gray).layout.lines == ()
