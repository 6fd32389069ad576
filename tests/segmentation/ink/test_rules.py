"""Upright rules: found where they lean, waver, break or are pale; writing is none."""

import cv2
import numpy as np
import pytest

from segmentation.ink.pale_rules import pale_rules
from segmentation.ink.rules import find_rules, rule_ink
from tests.segmentation.drawing import INK, PAPER, dark, draw_line, draw_page, paper

HEIGHT, WIDTH = 900, 700


def sheet_with(*rules, shade=INK, thickness=3):
    """A written page with lines from (column at the top) to (column at the bottom)."""
    gray = paper(HEIGHT, WIDTH)
    for i in range(10):
        draw_line(gray, "Register of the parish", 60, 80 + 80 * i, 30)
    writing = dark(gray)
    for top, bottom in rules:
        cv2.line(gray, (top, 20), (bottom, HEIGHT - 20), shade, thickness)
    return gray, writing


def test_rules_are_found_from_left_to_right_where_they_stand():
    gray, _ = sheet_with((400, 400), (120, 120), (600, 600))
    rules = find_rules(dark(gray))
    assert [round(float(r.xs.mean())) for r in rules] == pytest.approx([120, 400, 600], abs=2)
    for rule in rules:
        assert rule.first <= 25 and rule.last >= HEIGHT - 25
        assert rule.thickness == pytest.approx(4, abs=1)


@pytest.mark.parametrize("lean", [-30, -12, 12, 30])
def test_a_leaning_rule_is_followed(lean):
    gray, _ = sheet_with((400, 400 + lean))
    (rule,) = find_rules(dark(gray))
    assert float(rule.xs[0]) == pytest.approx(400, abs=4)
    assert float(rule.xs[-1]) == pytest.approx(400 + lean, abs=4)


def test_a_rule_with_gaps_is_one():
    gray, _ = sheet_with((560, 560))
    gray[200:240, 550:570] = gray[500:560, 550:570] = PAPER
    (rule,) = find_rules(dark(gray))
    assert rule.first <= 25 and rule.last >= HEIGHT - 25


def test_a_rule_goes_on_straight_beyond_its_ends():
    (rule,) = find_rules(dark(sheet_with((400, 430))[0]))
    slope = 30 / (HEIGHT - 40)
    assert rule.column(-80) == pytest.approx(400 - 100 * slope, abs=3)
    assert rule.column(HEIGHT + 80) == pytest.approx(430 + 100 * slope, abs=3)


@pytest.mark.parametrize("pitch", [1.3, 1.9])
def test_letters_above_each_other_are_no_rule(pitch):
    page = draw_page(["lilt till the bell", "illicit lilies fill"] * 12, size=32, pitch=pitch)
    assert find_rules(page.ink) == []
    assert not find_rules(page.ink | pale_rules(page.gray, page.ink))


def test_ink_of_a_rule_is_all_but_the_strokes_across_it():
    gray, writing = sheet_with((200, 203))
    ink = dark(gray)
    removed = rule_ink(ink, find_rules(ink))
    alone = ink & ~cv2.dilate(writing.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    assert np.count_nonzero(removed & alone) > 0.95 * np.count_nonzero(alone)
    assert np.count_nonzero(removed & writing) < 0.02 * np.count_nonzero(writing)


def test_a_pale_rule_is_found_without_being_ink():
    gray, writing = sheet_with((520, 516), shade=PAPER - 20)
    ink = dark(gray)
    assert np.array_equal(ink, writing) and find_rules(ink) == []
    (rule,) = find_rules(ink | pale_rules(gray, ink))
    assert float(rule.xs.mean()) == pytest.approx(518, abs=3)


@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (200, 3), (50, 9), (60, 60)])
def test_small_and_empty_pictures_have_no_rules(shape):
    nothing = np.zeros(shape, bool)
    assert find_rules(nothing) == []
    assert not pale_rules(np.full(shape, 255, np.uint8), nothing).any()
    assert not rule_ink(nothing, []).any()


def test_all_ink_has_no_rules():
    assert find_rules(np.ones((400, 300), bool)) == []
