import numpy as np
import pytest

from segmentation.ink.cleaning import remove_border_and_bars, remove_long_strokes
from segmentation.ink.scale import stroke_width
from tests.segmentation.drawing import INK, SCRIPT, dark, draw_page, draw_word, paper, ruled


def test_rulings_are_removed_and_crossing_letters_stay():
    ink = np.zeros((600, 900), bool)
    for row in range(100, 600, 100):
        ink[row : row + 3, 20:880] = True
    stems = [(slice(76, 126), slice(200 + 60 * i, 205 + 60 * i)) for i in range(8)]
    for stem in stems:
        ink[stem] = True
    rest, rules = remove_long_strokes(ink)
    assert not (rest & rules).any() and np.array_equal(rest | rules, ink)
    assert all(rest[stem].all() for stem in stems)
    away = rest.copy()
    for rows, columns in stems:
        away[rows.start : rows.stop, columns.start - 5 : columns.stop + 5] = False
    assert np.count_nonzero(away) < 0.02 * np.count_nonzero(rules)


def test_upright_rulings_are_removed_too():
    ink = np.zeros((900, 600), bool)
    ink[10:890, 80:83] = True
    ink[300:305, 65:97] = True
    rest, rules = remove_long_strokes(ink)
    assert rules[20:290, 80:83].all() and rules[310:880, 80:83].all()
    assert rest[300:305, 65:97].all()


def test_a_ruling_that_wavers_and_has_holes_is_removed():
    ink = np.zeros((400, 1000), bool)
    for x in range(20, 980):
        if x % 53 > 2:
            row = 200 + (x // 160) % 2
            ink[row : row + 2, x] = True
    rest, _ = remove_long_strokes(ink)
    assert np.count_nonzero(rest) < 0.1 * np.count_nonzero(ink)


@pytest.mark.parametrize("size", [16, 24, 40, 70])
def test_writing_without_rulings_loses_nothing(size):
    for page in (draw_page(size=size), draw_page(size=size, font=SCRIPT)):
        rest, rules = remove_long_strokes(page.ink)
        assert np.count_nonzero(rules) < 0.01 * np.count_nonzero(page.ink)
        assert np.array_equal(rest | rules, page.ink)


@pytest.mark.parametrize("size", [24, 40, 70])
def test_writing_on_ruled_paper_keeps_its_letters(size):
    page = draw_page(size=size)
    rest, _ = remove_long_strokes(dark(ruled(page, size, shade=INK)))
    assert np.count_nonzero(rest & page.ink) > 0.95 * np.count_nonzero(page.ink)


def test_an_empty_mask_has_no_rulings():
    rest, rules = remove_long_strokes(np.zeros((50, 70), bool))
    assert not rest.any() and not rules.any()


def test_the_scanners_border_is_removed_and_letters_that_touch_it_stay():
    page = draw_page(margin=60)
    ink = page.ink.copy()
    ink[:, :40] = ink[:, -40:] = ink[:35] = ink[-35:] = True
    stroke = (slice(300, 305), slice(40, 70))
    ink[stroke] = True
    rest = remove_border_and_bars(ink, stroke_width(page.ink))
    assert not rest[:, :36].any() and not rest[:, -36:].any() and not rest[:31].any() and not rest[-31:].any()
    assert rest[300:305, 46:70].all()
    assert np.array_equal(rest[40:-40, 80:-45], page.ink[40:-40, 80:-45])


def test_a_narrow_border_is_removed():
    ink = draw_page().ink.copy()
    before = ink.copy()
    ink[:, :6] = True
    rest = remove_border_and_bars(ink, stroke_width(before))
    assert np.array_equal(rest, before)


def test_solid_bars_are_removed():
    page = draw_page(margin=120)
    ink = page.ink.copy()
    ink[30:80, 100:900] = True
    rest = remove_border_and_bars(ink, stroke_width(page.ink))
    assert not rest[30:80, 100:900].any()
    assert np.array_equal(rest[100:], page.ink[100:])


def test_letters_that_hang_on_the_edge_of_the_page_stay():
    gray = paper(300, 500)
    for i in range(5):
        draw_word(gray, "Hang", -8, 50 + 55 * i, 40)
    ink = dark(gray)
    assert np.array_equal(remove_border_and_bars(ink, stroke_width(ink)), ink)


def test_the_inks_mask_is_not_changed_in_place():
    ink = dark(ruled(draw_page(), shade=INK))
    ink[:, :40] = True
    before = ink.copy()
    remove_long_strokes(ink)
    remove_border_and_bars(ink, 4.0)
    assert np.array_equal(ink, before)
