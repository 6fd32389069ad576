import cv2
import numpy as np
import pytest

from segmentation.ink.cleaning import (
    binarise,
    components,
    flatten_paper,
    outside_of_sheet,
    remove_border_and_bars,
    remove_rulings,
)
from segmentation.ink.scale import stroke_width
from tests.segmentation.drawing import INK, PAPER, SCRIPT, dark, draw_page, draw_word, noisy, paper, ruled


def uneven(gray):
    """The page under light that falls to under half from one corner to the other, with a soft shadow across."""
    h, w = gray.shape
    across, down = np.meshgrid(np.linspace(0, 1, w), np.linspace(0, 1, h))
    light = 1 - 0.35 * across - 0.2 * down
    light *= 1 - 0.25 * np.exp(-(((across - 0.5) / 0.2) ** 2))
    return np.round(gray * light).astype(np.uint8)


def ink_of(gray):
    return binarise(flatten_paper(gray))


def grown(mask, pixels):
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


# ------------------------------------------------------------------------------------------------ paper


def test_uneven_light_is_flattened_to_white_paper():
    page = draw_page()
    gray = uneven(page.gray)
    bare = ~grown(page.ink, 4)
    assert np.ptp(gray[bare].astype(int)) > 80
    flat = flatten_paper(gray)
    assert flat.dtype == np.uint8 and flat.shape == gray.shape
    assert np.percentile(flat[bare], 1) > 235
    assert np.median(flat[page.ink]) < 90


def test_uneven_light_hardly_changes_the_ink():
    page = draw_page()
    even, shaded = ink_of(page.gray), ink_of(uneven(page.gray))
    assert np.count_nonzero(even & shaded) > 0.85 * np.count_nonzero(even | shaded)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 3), (20, 20)])
@pytest.mark.parametrize("value", [0, 128, 255])
def test_tiny_and_uniform_pages_are_flattened_and_binarised_without_error(shape, value):
    gray = np.full(shape, value, np.uint8)
    flat = flatten_paper(gray)
    assert flat.shape == shape and flat.dtype == np.uint8
    ink = binarise(flat)
    assert ink.shape == shape and ink.dtype == bool


# ------------------------------------------------------------------------------------------------ ink


@pytest.mark.parametrize("size", [24, 40, 80])
@pytest.mark.parametrize("deviation", [0, 6])
def test_binarise_finds_drawn_strokes_and_little_else(size, deviation):
    page = draw_page(size=size)
    ink = ink_of(noisy(page.gray, deviation))
    assert np.count_nonzero(ink & page.ink) > 0.98 * np.count_nonzero(page.ink)
    assert not (ink & ~grown(page.ink, 3)).any()


@pytest.mark.parametrize(("value", "deviation"), [(255, 0), (255, 2), (255, 4), (200, 3), (120, 0), (120, 1), (0, 0)])
def test_blank_or_faintly_noisy_paper_has_no_ink(value, deviation):
    assert not ink_of(noisy(np.full((400, 600), value, np.uint8), deviation)).any()


def test_faint_ends_of_strokes_are_kept():
    page = draw_page()
    gray = np.vstack([page.gray, paper(100, page.gray.shape[1])])
    row, left, right = page.gray.shape[0] + 20, 100, 400
    gray[row : row + 5, left:right] = np.linspace(INK, PAPER - 60, right - left).astype(np.uint8)
    ink = ink_of(gray)
    assert ink[row + 2, left : right - 10].all()


def test_pale_marks_alone_are_dropped_where_the_writing_is_dark():
    gray = np.hstack([draw_page().gray, paper(728, 300)])[:728]
    pale = slice(-280, -40)
    gray[200:204, pale] = PAPER - 26
    gray[400:404, pale] = PAPER - 26
    ink = ink_of(gray)
    assert not ink[:, pale].any()


def test_components_are_those_of_the_eight_neighbourhood():
    ink = np.zeros((10, 20), bool)
    ink[1, 1] = ink[2, 2] = True  # touch by a corner
    ink[5:8, 10:15] = True
    parts = components(ink)
    assert parts.count == 3
    assert set(parts.area[1:].tolist()) == {2, 15}
    block = int(parts.labels[6, 12])
    assert [int(a[block]) for a in (parts.left, parts.top, parts.width, parts.height)] == [10, 5, 5, 3]
    assert np.array_equal(parts.labels > 0, ink)


# ------------------------------------------------------------------------------------------------ rulings


def test_rulings_are_removed_and_crossing_letters_stay():
    ink = np.zeros((600, 900), bool)
    for row in range(100, 600, 100):
        ink[row : row + 3, 20:880] = True
    stems = [(slice(76, 126), slice(200 + 60 * i, 205 + 60 * i)) for i in range(8)]
    for stem in stems:
        ink[stem] = True
    rest, rules = remove_rulings(ink)
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
    rest, rules = remove_rulings(ink)
    assert rules[20:290, 80:83].all() and rules[310:880, 80:83].all()
    assert rest[300:305, 65:97].all()


def test_a_ruling_that_wavers_and_has_holes_is_removed():
    ink = np.zeros((400, 1000), bool)
    for x in range(20, 980):
        if x % 53 > 2:
            row = 200 + (x // 160) % 2
            ink[row : row + 2, x] = True
    rest, _ = remove_rulings(ink)
    assert np.count_nonzero(rest) < 0.1 * np.count_nonzero(ink)


@pytest.mark.parametrize("size", [16, 24, 40, 70])
def test_writing_without_rulings_loses_nothing(size):
    for page in (draw_page(size=size), draw_page(size=size, font=SCRIPT)):
        rest, rules = remove_rulings(page.ink)
        assert np.count_nonzero(rules) < 0.01 * np.count_nonzero(page.ink)
        assert np.array_equal(rest | rules, page.ink)


@pytest.mark.parametrize("size", [24, 40, 70])
def test_writing_on_ruled_paper_keeps_its_letters(size):
    page = draw_page(size=size)
    rest, _ = remove_rulings(dark(ruled(page, size, shade=INK)))
    assert np.count_nonzero(rest & page.ink) > 0.95 * np.count_nonzero(page.ink)


def test_an_empty_mask_has_no_rulings():
    rest, rules = remove_rulings(np.zeros((50, 70), bool))
    assert not rest.any() and not rules.any()


# ------------------------------------------------------------------------------------------------ border and bars


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
    remove_rulings(ink)
    remove_border_and_bars(ink, 4.0)
    assert np.array_equal(ink, before)


def photographed(corners, table=60, paper=220):
    """A sheet with some writing on a table, as a camera sees it."""
    gray = np.full((900, 700), table, np.uint8)
    cv2.fillPoly(gray, [np.array(corners)], paper)
    for y in range(200, 700, 60):
        cv2.putText(gray, "found on the table", (150, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 40, 3)
    return gray


def test_table_around_a_sheet_is_seen_and_the_sheet_is_not():
    gray = photographed([(60, 50), (650, 70), (640, 850), (40, 830)])
    around = outside_of_sheet(gray)
    assert around[:40].all() and around[:, :30].all() and around[-40:].all() and around[:, -40:].all()
    assert not around[100:800, 90:610].any()


@pytest.mark.parametrize("depth", [0.3, 0.38, 0.45])
@pytest.mark.parametrize("side", [0, 1])
def test_shadow_on_a_sheet_is_no_table(depth, side):
    gray = photographed([(60, 50), (650, 70), (640, 850), (40, 830)])
    # A hand or a telephone takes the light of half the sheet, with a soft edge.
    ramp = 1 / (1 + np.exp(-(np.arange(gray.shape[side]) - 0.55 * gray.shape[side]) / 30))
    shadow = 1 - depth * np.expand_dims(ramp, 1 - side)
    around = outside_of_sheet((gray * shadow).astype(np.uint8))
    assert around[:40].all() and around[:, :30].all() and around[-40:].all() and around[:, -40:].all()
    assert not around[100:800, 90:610].any()


@pytest.mark.parametrize("soft", [0.5, 3, 20, 60])
def test_shadow_across_a_scan_is_no_table(soft):
    gray = np.full((900, 700), 220, np.uint8)
    for top in range(60, 900, 60):
        cv2.putText(gray, "written from side to side", (20, top), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 40, 3)
    y, x = np.mgrid[:900, :700]
    shadow = 1 - 0.65 / (1 + np.exp(np.clip((500 - x - 0.5 * y) / soft, -50, 50)))
    assert outside_of_sheet((gray * shadow).astype(np.uint8)) is None


@pytest.mark.parametrize("width", [8, 24])
def test_dark_border_around_a_scan_is_no_sheet(width):
    gray = photographed([(width, width), (699 - width, width), (699 - width, 899 - width), (width, 899 - width)])
    around = outside_of_sheet(gray)
    assert around[:width].all() and around[:, -width:].all() and not around[40:860, 40:660].any()


def test_table_beside_a_sheet_that_goes_on_beyond_the_picture():
    around = outside_of_sheet(photographed([(0, 0), (500, 0), (520, 899), (0, 899)]))
    assert around[:, 530:].all() and not around[:, :490].any()


def test_grain_of_a_table_is_no_part_of_the_sheet():
    gray = photographed([(60, 50), (650, 70), (640, 850), (40, 830)])
    boards = 50 * (np.sin(np.arange(900) / 9) > 0.8)[:, None] * np.ones((1, 700))
    gray = np.where(gray == 60, 60 + boards, gray).astype(np.uint8)
    around = outside_of_sheet(gray)
    assert around[:30].all() and around[:, :25].all() and not around[100:800, 90:610].any()


@pytest.mark.parametrize("table", [200, 160])
def test_page_on_a_ground_not_much_darker_is_left_whole(table):
    assert outside_of_sheet(photographed([(60, 50), (650, 70), (640, 850), (40, 830)], table=table)) is None


def test_scan_with_dark_writing_to_its_edges_is_left_whole():
    gray = np.full((900, 700), 220, np.uint8)
    for y in range(40, 900, 50):
        cv2.putText(gray, "written from edge to edge of it", (0, y), cv2.FONT_HERSHEY_SIMPLEX, 1.3, 20, 6)
    assert outside_of_sheet(gray) is None
    assert outside_of_sheet(np.full((900, 700), 220, np.uint8)) is None
    assert outside_of_sheet(np.zeros((5, 3000), np.uint8)) is None
