import numpy as np
import pytest

from segmentation import page as page_module
from segmentation.geometry import Box, union
from segmentation.order.reading_order import stacked_blocks
from segmentation.page import CLASSICAL, SegmentationSettings, segment
from segmentation.scores.metrics import compare_boxes
from tests.segmentation.boxes import intersection_over_union
from tests.segmentation.drawing import PRINT, SCRIPT, TEXT, dark, draw_line, draw_page, paper

PRINTED = (
    "I have read the terms of this form and agree that what I write",
    "may be kept, read by others and published without my name",
)
SIZE, SMALL = 56, 20


def form(printed=PRINTED, size=SMALL, pitch=1.3, x=60):
    """A page of large writing under small print, and the boxes of both."""
    body = draw_page(font=SCRIPT, size=SIZE, pitch=2.2).gray
    head = paper(round(size * pitch * (len(printed) + 1)) + 40, body.shape[1])
    small = [
        union(draw_line(head, text, x, 40 + round(size * pitch * (i + 1)), size, PRINT))
        for i, text in enumerate(printed)
    ]
    gray = np.vstack([head, body])
    large = [
        Box(b.left, b.top + len(head), b.right, b.bottom + len(head))
        for b in draw_page(font=SCRIPT, size=SIZE, pitch=2.2).lines
    ]
    return gray, small, large


@pytest.fixture
def without_second_scale(monkeypatch):
    """Pages are laid out as if no print were small."""
    return lambda: monkeypatch.setattr(page_module, "find_small_print", lambda *_: None)


def test_small_print_over_large_writing_is_found_and_read_first():
    gray, small, large = form()
    layout = segment(gray).layout
    assert compare_boxes([line.box for line in layout.lines], small + large, 0.6).f1 == 1.0
    assert [line.index for line in layout.lines] == list(range(len(small) + len(large)))
    for line, box in zip(layout.lines, small, strict=False):
        assert intersection_over_union(line.box, box) > 0.7
    words = [len(line.words) for line in layout.lines[:2]]
    assert words == [pytest.approx(len(text.split()), abs=3) for text in PRINTED]


def test_it_is_joined_without_a_second_scale(without_second_scale):
    gray, small, large = form()
    without_second_scale()
    layout = segment(gray).layout
    assert compare_boxes([line.box for line in layout.lines], small + large, 0.6).f1 < 1.0


def test_ink_of_small_print_is_its_lines():
    gray, small, _ = form()
    numbers = segment(gray).line_numbers()
    for i, box in enumerate(small):
        ink = dark(gray)[box.top : box.bottom, box.left : box.right]
        assert (numbers[box.top : box.bottom, box.left : box.right][ink] == i + 1).mean() > 0.9


def test_pictures_of_small_print_hold_it_alone():
    gray, small, _ = form()
    segmented = segment(gray)
    for i, box in enumerate(small):
        height, width = segmented.line_picture(i).shape
        assert height / width == pytest.approx(box.height / box.width, rel=0.6)


@pytest.mark.parametrize("font", [SCRIPT, PRINT])
@pytest.mark.parametrize("size", [30, 60])
def test_a_page_of_one_size_is_laid_out_as_before(font, size, without_second_scale):
    gray = draw_page(font=font, size=size).gray
    found = segment(gray)
    without_second_scale()
    before = segment(gray)
    assert found.layout == before.layout
    np.testing.assert_array_equal(found.line_numbers(), before.line_numbers())


def test_small_print_that_the_first_look_found_stays_as_it_was(without_second_scale):
    gray, small, _ = form(printed=PRINTED[:1])
    found = segment(gray).layout
    without_second_scale()
    assert found == segment(gray).layout
    assert intersection_over_union(found.lines[0].box, small[0]) > 0.7


def test_small_print_alone_is_a_page_of_one_size():
    page = draw_page(TEXT, size=SMALL, font=PRINT, pitch=1.4)
    layout = segment(page.gray).layout
    assert compare_boxes([line.box for line in layout.lines], page.lines, 0.5).f1 == 1.0


def test_without_a_network_there_is_no_second_scale(monkeypatch):
    monkeypatch.setattr(page_module, "find_small_print", lambda *_: pytest.fail("asked"))
    gray, _, _ = form()
    assert segment(gray, SegmentationSettings(lines=CLASSICAL)).layout.lines


def test_blocks_beside_each_other_are_read_one_after_another():
    left = [Box(0, y, 90, y + 10) for y in (0, 12, 24)]
    right = [Box(100, y, 190, y + 10) for y in (0, 12, 24)]
    below = [Box(0, 100, 190, 110)]
    boxes = [box for pair in zip(left, right, strict=True) for box in pair] + below
    blocks = stacked_blocks(boxes, 5)
    assert sorted(map(sorted, blocks)) == [[0, 2, 4], [1, 3, 5], [6]]
