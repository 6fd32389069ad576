import numpy as np
import pytest

from segmentation.drawing.contact_sheet import contact_sheet, draw_comparison
from segmentation.scores.line_scores import divide_ink, overlap, score_lines


def bar(top, left=20, right=180):
    ink = np.zeros((240, 200), bool)
    ink[top : top + 16, left:right] = True
    return ink


def outline(top):
    return [np.array([(16, top - 4), (184, top - 4), (184, top + 20), (16, top + 20)], float)]


@pytest.fixture
def comparison():
    """A matched line, a missed one, one that is marked but not read, and one found where the truth has none."""
    ink = bar(20) | bar(80) | bar(140) | bar(200)
    found = np.zeros(ink.shape, np.uint16)
    found[bar(20)], found[bar(200)] = 1, 2
    truth = divide_ink(ink, [outline(20), outline(80)], 16.0, [outline(140)])
    shared = overlap(found, 2, truth)
    return draw_comparison(truth, found, shared, score_lines(shared), [outline(20), outline(80)], [outline(140)])


def test_matched_lines_are_on_green_and_missed_ones_on_red(comparison):
    matched, missed, unread = (comparison[top + 18, 100].astype(int) for top in (20, 80, 140))
    assert matched[1] > matched[0] + 20
    assert missed[0] > missed[1] + 20
    assert np.ptp(unread) == 0
    assert unread[0] < 255


def test_ink_shows_who_has_it(comparison):
    counted, lost, left_out = (comparison[top + 8, 100].astype(int) for top in (20, 80, 200))
    assert np.ptp(counted) > 50
    assert lost.tolist() == [0, 0, 0]
    assert np.ptp(left_out) == 0
    assert left_out[0] > 100


def test_large_pages_are_made_small():
    ink = np.zeros((3000, 2000), bool)
    ink[1000:1040, 200:1800] = True
    shared = overlap(ink.astype(np.uint16), 1, truth := divide_ink(ink, [], 40.0))
    picture = draw_comparison(truth, ink.astype(np.uint16), shared, score_lines(shared), [])
    assert picture.shape[0] / picture.shape[1] == pytest.approx(1.5, abs=0.01)
    assert max(picture.shape) <= 900


@pytest.mark.parametrize(("count", "columns", "rows"), [(1, 1, 1), (3, 3, 1), (4, 3, 2), (9, 3, 3)])
def test_a_sheet_holds_every_picture(count, columns, rows):
    tiles = [np.full((60 + i, 40, 3), (i, 99, 7), np.uint8) for i in range(count)]
    sheet = contact_sheet(tiles, ["page"] * count)
    for i in range(count):
        assert ((sheet == (i, 99, 7)).all(axis=2)).sum() == (60 + i) * 40
    assert sheet.shape[1] // 40 >= columns
    assert sheet.shape[0] // 60 >= rows


def test_a_sheet_without_pictures_is_refused():
    with pytest.raises(ValueError, match="no pictures"):
        contact_sheet([], [])


def test_long_captions_end_at_the_picture_and_keep_their_end():
    tiles = [np.full((60, 200, 3), 90, np.uint8)] * 2
    short, long = (
        contact_sheet(tiles, [f"{name}.jpg\nF1 0.97", "b"]) for name in ("a", "a_very_long_name_of_a_scan" * 9)
    )
    assert short.shape == long.shape
    letters = [np.flatnonzero((sheet[:44] < 120).any(axis=(0, 2))) for sheet in (short, long)]
    # The second picture's caption stays where it was.
    second = 12 + 200 + 12
    assert (letters[0][letters[0] >= second - 12] == letters[1][letters[1] >= second - 12]).all()
    assert letters[1][letters[1] < second - 12].max() <= 12 + 200


def test_a_legend_stands_below_the_pictures():
    tiles = [np.full((60, 200, 3), 90, np.uint8)]
    without, sheet = contact_sheet(tiles, ["a"]), contact_sheet(tiles, ["a"], "green: found")
    assert (sheet[: len(without) - 12] == without[:-12]).all()
    assert (sheet[len(without) - 12 :] < 120).any()
