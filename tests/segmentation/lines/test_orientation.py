import numpy as np
import pytest

from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.lines.orientation import doubt, lean

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
