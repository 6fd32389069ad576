import numpy as np
import pytest

from segmentation.ink.preparation import turned
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.lines.orientation import doubt, lean
from segmentation.page import CLASSICAL, SegmentationSettings, segment, segment_upright, ways_up
from tests.segmentation.drawing import PLAIN, PRINT, SCRIPT, TEXT, draw_page, paper, ruled

# ------------------------------------------------------------------------------------------------ pages


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_that_lies_on_its_side_or_head_is_turned(degrees):
    page = draw_page(font=SCRIPT, pitch=2.5)
    upright = segment_upright(turned(page.gray, 360 - degrees))
    assert upright.turn == degrees
    assert (upright.gray == page.gray).all()
    assert upright.segmented.layout == segment(page.gray).layout
    assert len(upright.segmented.layout.lines) == len(page.lines)


@pytest.mark.parametrize("degrees", [180, 270])
def test_a_page_whose_letters_leave_it_in_doubt_is_given_both_ways_up(degrees):
    page = draw_page(font=PRINT, pitch=2.5)
    ways = {way.turn: way for way in ways_up(turned(page.gray, 360 - degrees))}
    assert sorted(ways) == sorted({degrees, (degrees + 180) % 360})
    assert ways[degrees].segmented.layout == segment(page.gray).layout


@pytest.mark.parametrize(
    "gray",
    [
        draw_page(font=PRINT).gray,
        draw_page(font=SCRIPT, pitch=1.6).gray,
        draw_page(font=PLAIN, size=24).gray,
        draw_page(TEXT[:1]).gray,
        draw_page(TEXT[:3]).gray,
        ruled(draw_page()),
        paper(600, 400),
        np.zeros((300, 300), np.uint8),
        np.random.default_rng(0).integers(0, 255, (400, 500)).astype(np.uint8),
    ],
    ids=["printed", "written", "small", "one line", "three lines", "ruled", "blank", "black", "noise"],
)
def test_a_page_that_is_upright_or_empty_stays(gray):
    upright = segment_upright(gray)
    assert upright.turn == 0
    assert (upright.gray == gray).all()
    assert upright.segmented.layout == segment(gray).layout


def test_without_a_network_no_page_is_turned():
    gray = turned(draw_page().gray, 180)
    assert segment_upright(gray, SegmentationSettings(lines=CLASSICAL)).turn == 0


# ------------------------------------------------------------------------------------------------ evidence

SCALE = Scale(stroke_width=3.0, x_height=20.0, pitch=60.0)


def test_a_network_that_is_sure_is_not_in_doubt():
    zones = np.zeros((200, 300), np.float32)
    zones[20:100] = 1
    assert doubt(zones, 3.5) == 0
    zones[100:140] = 0.5
    assert doubt(zones, 3.5) == pytest.approx(0.5)
    zones[100:140] = 0.6
    assert doubt(zones, 3.5) == pytest.approx(1 / 3)


def test_of_little_that_is_marked_nothing_is_said():
    zones = np.zeros((200, 300), np.float32)
    zones[20:30, 20:60] = 1
    zones[40:80] = 0.5
    assert doubt(zones, 3.5) == np.inf


def lines_with(stems):
    """Ink of five lines of bars an x-height high, with stems of another above (−1) or below (1) every fourth."""
    ink = np.zeros((480, 400), bool)
    curves = []
    for middle in (60, 150, 240, 330, 420):
        curves.append(Curve(20, np.full(360, middle - 0.5, np.float32)))
        for i, x in enumerate(range(20, 380, 20)):
            ink[middle - 10 : middle + 10, x : x + 4] = True
            if i % 4 == 0 and stems:
                ink[slice(middle - 30, middle - 10) if stems < 0 else slice(middle + 10, middle + 30), x : x + 4] = True
    return ink, curves


def test_letters_that_reach_up_are_upright():
    up, level, down = (lean(*lines_with(stems), SCALE) for stems in (-1, 0, 1))
    assert up > 1 and down < -1 and up == pytest.approx(-down, abs=0.3)
    assert level == pytest.approx(0, abs=0.3)


def test_four_lines_say_nothing():
    ink, curves = lines_with(1)
    assert lean(ink, curves[:4], SCALE) == 0
    assert lean(np.zeros_like(ink), curves, SCALE) == 0
