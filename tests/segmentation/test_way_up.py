import numpy as np
import pytest

from segmentation.page import CLASSICAL, SegmentationSettings, segment, segment_upright, ways_up
from segmentation.scaling import turned
from tests.segmentation.drawing import PLAIN, PRINT, SCRIPT, TEXT, draw_page, paper, ruled


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
