import cv2
import numpy as np
import pytest

from segmentation.ink.binarisation import binarise
from segmentation.ink.paper import flatten_paper, outside_of_sheet
from tests.segmentation.drawing import draw_page, grown


def uneven(gray):
    """The page under light that falls to under half from one corner to the other, with a soft shadow across."""
    h, w = gray.shape
    across, down = np.meshgrid(np.linspace(0, 1, w), np.linspace(0, 1, h))
    light = 1 - 0.35 * across - 0.2 * down
    light *= 1 - 0.25 * np.exp(-(((across - 0.5) / 0.2) ** 2))
    return np.round(gray * light).astype(np.uint8)


def ink_of(gray):
    return binarise(flatten_paper(gray))


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
