import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from segmentation.drawing.lettering import font_file
from segmentation.geometry import union
from segmentation.page import CLASSICAL, SegmentationSettings, segment
from segmentation.scaling import turned
from segmentation.scores.metrics import compare_boxes
from tests.segmentation.drawing import PAPER, SCRIPT, TEXT, dark, draw_line, draw_page, paper

NOTES = ("In the margin I have room for a little more", "of what the sheet could not hold today")
SIZE = 44


def letter(turn, notes=NOTES):
    """A page with notes in its left margin, their boxes, and its width: they are upright when it is turned."""
    body = draw_page(font=SCRIPT, size=SIZE, pitch=2.5).gray
    height = max(body.shape[0], 1100)
    margin = paper(3 * SIZE * len(notes), height)
    drawn = [union(draw_line(margin, text, 60, (3 * i + 2) * SIZE, SIZE, font=SCRIPT)) for i, text in enumerate(notes)]
    page = np.full((height, margin.shape[0] + body.shape[1]), PAPER, np.uint8)
    page[: body.shape[0], margin.shape[0] :] = body
    page[:, : margin.shape[0]] = turned(margin, 360 - turn)
    boxes = []
    for box in drawn:
        mask = np.zeros_like(margin)
        mask[box.top : box.bottom, box.left : box.right] = 255
        x, y, width, tall = cv2.boundingRect(turned(mask, 360 - turn))
        boxes.append((x, y, x + width, y + tall))
    return page, boxes, body


def sides(box):
    return box.left, box.top, box.right, box.bottom


@pytest.mark.parametrize("turn", [90, 270])
def test_writing_in_the_margin_is_read_turned_and_last(turn):
    gray, boxes, body = letter(turn)
    layout = segment(gray).layout
    upright = [line for line in layout.lines if not line.turn]
    assert len(upright) == len(TEXT)
    assert layout.lines[: len(upright)] == tuple(upright)
    for way, angle in ((layout.lines[len(upright) :], 90), (layout.other_way, 270)):
        assert [line.turn for line in way] == [angle, angle]
        found = way if angle == turn else way[::-1]
        for line, true in zip(found, boxes, strict=True):
            assert np.abs(np.subtract(sides(line.box), true)).max() <= 6
    assert [line.region for line in layout.lines] == [0] * len(upright) + [1, 1]
    assert [line.region for line in layout.other_way] == [1, 1]
    numbers = [line.index for line in layout.lines + layout.other_way]
    assert numbers == list(range(len(numbers)))


def test_short_notes_are_found():
    gray, boxes, _ = letter(270, ("Burn this letter when", "you have read it", "and tell no one"))
    found = segment(gray).layout.other_way
    assert len(found) == 3
    for line, true in zip(found, boxes, strict=True):
        assert np.abs(np.subtract(sides(line.box), true)).max() <= 6


def test_notes_of_each_margin_are_a_region():
    # Written up the left margin and down the right one.
    left, _, body = letter(90)
    right = letter(270)[0][:, : left.shape[1] - body.shape[1]]
    layout = segment(np.hstack([left, right])).layout
    middle = (left.shape[1] + right.shape[1]) / 2
    for way in (layout.lines[len(TEXT) :], layout.other_way):
        assert sorted((line.region, line.box.left > middle) for line in way) == [(1, False)] * 2 + [(2, True)] * 2


@pytest.mark.parametrize("turn", [90, 270])
def test_pictures_of_sideways_lines_stand_upright(turn):
    gray, boxes, _ = letter(turn)
    segmented = segment(gray)
    way = segmented.layout.other_way if turn == 270 else segmented.layout.lines[len(TEXT) :]
    for line, (left, top, right, bottom) in zip(way, boxes, strict=True):
        picture = segmented.line_picture(line.index)
        true = turned(gray[top:bottom, left:right], turn)
        ink = picture < 128
        rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
        cut = picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        same = cv2.resize(cut, true.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(same.ravel(), true.ravel())[0, 1] > 0.7
        words = line.word_boxes()
        down = [box.top for box in words]
        assert len(words) == pytest.approx(len(NOTES[0].split()), abs=2)
        assert down == sorted(down, reverse=turn == 90)
        assert segmented.word_picture(line.index, 0).shape[1] < picture.shape[1] / 2


def test_ink_of_sideways_lines_is_theirs_on_the_page():
    gray, boxes, _ = letter(90)
    segmented = segment(gray)
    numbers = segmented.line_numbers()
    for i, (left, top, right, bottom) in enumerate(boxes, start=len(TEXT) + 1):
        ink = dark(gray)[top:bottom, left:right]
        assert (numbers[top:bottom, left:right][ink] == i).mean() > 0.97


def test_without_a_network_there_is_no_sideways_writing():
    gray, _, _ = letter(90)
    layout = segment(gray, SegmentationSettings(lines=CLASSICAL)).layout
    assert layout.other_way == ()
    assert {line.turn for line in layout.lines} == {0}


def test_columns_of_numbers_are_no_sideways_lines():
    numbers = np.random.default_rng(0)
    sheet = Image.new("L", (1000, 1400), 255)
    draw, font = ImageDraw.Draw(sheet), ImageFont.truetype(font_file(), 16)
    for row in range(50):
        for column in range(6):
            digits = numbers.integers(1, 5)
            draw.text((260 + 110 * column, 60 + 25 * row), str(numbers.integers(1, 10**digits)), 0, font=font)
    layout = segment(np.array(sheet)).layout
    assert layout.other_way == () and len(layout.lines) > 100


@pytest.mark.parametrize("pitch", [1.5, 2.5])
@pytest.mark.parametrize("size", [30, 60])
def test_upright_pages_have_none(pitch, size):
    page = draw_page(font=SCRIPT, pitch=pitch, size=size)
    layout = segment(page.gray).layout
    assert layout.other_way == ()
    assert compare_boxes([line.box for line in layout.lines], page.lines, 0.5).f1 == 1.0
