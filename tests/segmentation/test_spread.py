"""Open books: two pages on one picture, from drawn pages side by side."""

import cv2
import numpy as np
import pytest

from segmentation.ink.preparation import prepare
from segmentation.lines.curves import find_curves
from segmentation.order.gutter import Gutter, find_gutter
from segmentation.page import CLASSICAL, SegmentationSettings, segment, segment_upright
from segmentation.scaling import turned as quarter_turned
from segmentation.spread import halves
from tests.segmentation.drawing import INK, PAPER, SCRIPT, TEXT, dark, draw_line, draw_page, paper, turned
from tests.segmentation.test_page import assert_sound, contains

LEFT, RIGHT = TEXT, (*TEXT[3:], *TEXT[:3])
LEARNED = SegmentationSettings().lines


def dark_fold(x):
    return 1 - 0.75 * np.exp(-np.abs(x) / 25)


def light_fold(x):
    return 1 - 0.2 * np.exp(-np.abs(x) / 40)


def thin_fold(x):
    return np.where(np.abs(x) < 4, 0.1, 1.0)


def no_fold(x):
    return np.ones_like(x)


def sheet(texts, margin=70, **drawing):
    """A page a third higher than wide."""
    page = draw_page(texts, margin=margin, **drawing)
    gray = paper(max(round(1.33 * page.gray.shape[1]), page.gray.shape[0]), page.gray.shape[1])
    gray[: page.gray.shape[0]] = page.gray
    return gray, page


def book(left, right, fold=dark_fold, skews=(0.0, 0.0)):
    """Two pages side by side, each with its lines climbing by so many degrees, and the column of the fold."""
    height = max(left.shape[0], right.shape[0])
    pages = []
    for gray, skew in zip((left, right), skews, strict=True):
        padded = paper(height, gray.shape[1])
        padded[: gray.shape[0]] = gray
        pages.append(turned(padded, skew) if skew else padded)
    x = np.arange(pages[0].shape[1] + pages[1].shape[1]) - pages[0].shape[1]
    return np.round(np.hstack(pages) * fold(x)).astype(np.uint8), pages[0].shape[1]


def sides(layout, column):
    """On which page the lines are, in reading order; none may lie on both."""
    assert not any(line.box.left < column - 20 and line.box.right > column + 20 for line in layout.lines)
    return ["left" if (line.box.left + line.box.right) / 2 < column else "right" for line in layout.lines]


def in_order(layout, column, left=8, right=8):
    tops = [line.box.top for line in layout.lines]
    return (
        sides(layout, column) == ["left"] * left + ["right"] * right
        and tops[:left] == sorted(tops[:left])
        and tops[left:] == sorted(tops[left:])
    )


@pytest.mark.parametrize("lines", [LEARNED, CLASSICAL])
@pytest.mark.parametrize("fold", [dark_fold, light_fold, thin_fold, no_fold])
@pytest.mark.parametrize("skews", [(0, 0), (1.5, -1), (-2, 1)])
def test_the_left_page_is_read_before_the_right(fold, skews, lines):
    gray, column = book(sheet(LEFT)[0], sheet(RIGHT)[0], fold, skews)
    layout = segment(gray, SegmentationSettings(lines=lines)).layout
    assert in_order(layout, column)
    assert [line.region for line in layout.lines] == [0] * len(LEFT) + [1] * len(RIGHT)
    assert_sound(layout, gray.shape)


def test_lines_and_words_are_where_they_were_drawn():
    (left, first), (right, second) = sheet(LEFT), sheet(RIGHT)
    gray, column = book(left, right)
    layout = segment(gray).layout
    for found, true, shift in zip(
        layout.lines, first.words + second.words, [0] * len(LEFT) + [column] * len(RIGHT), strict=True
    ):
        assert len(found.word_boxes()) == len(true)
        for box, drawn in zip(found.word_boxes(), true, strict=True):
            assert contains(box, drawn.moved(shift), 1) and contains(drawn.moved(shift), box, 5)


def test_each_page_is_levelled_by_itself():
    texts = ["nun mum nun mum nun mum"] * 8
    gray, column = book(sheet(texts, margin=90)[0], sheet(texts, margin=90)[0], skews=(3, -3))
    segmented = segment(gray)
    assert in_order(segmented.layout, column, 8, 8)
    for index in range(16):
        ys, xs = np.nonzero(dark(segmented.line_picture(index)))
        third = np.ptp(xs) / 3
        assert abs(ys[xs > xs.max() - third].mean() - ys[xs < xs.min() + third].mean()) < 3
    assert segmented.layout.skew_degrees == pytest.approx(0, abs=0.6)


@pytest.mark.parametrize("lean", [-2, 2])
def test_a_book_that_lies_askew_is_divided_along_its_gutter(lean):
    gray, column = book(sheet(LEFT, margin=110)[0], sheet(RIGHT, margin=110)[0])
    layout = segment(turned(gray, lean)).layout
    assert in_order(layout, column)
    assert layout.skew_degrees == pytest.approx(lean, abs=0.6)


def test_lines_that_run_on_across_the_gutter_are_divided_there():
    """Rows at the same height with a gutter as narrow as two letters: the finder joins them."""
    left, right = (sheet(texts, margin=24, size=32, pitch=2.2) for texts in (LEFT, RIGHT))
    gray, column = book(left[0][:, : max(b.right for b in left[1].lines) + 20], right[0], light_fold)
    assert in_order(segment(gray).layout, column)


def narrow_book(count, gap):
    """A folded letter: ``count`` lines on each page, at unlike heights, and ``gap`` columns between the longest line
    of the left page and the right page's margin. The column of the fold, too."""
    words, rng = ["come", "before", "easter", "if", "the", "roads", "are", "dry"], np.random.default_rng(5)
    # Equally long lines, of which each has its gaps elsewhere.
    left, right = ([" ".join(rng.permutation(words)) for _ in range(count)] for _ in range(2))
    pages = [draw_page(texts, size=32, margin=24, pitch=1.8) for texts in (left, right)]
    first = pages[0].gray[:, : max(b.right for b in pages[0].lines) + gap // 2]
    second = pages[1].gray[:, min(b.left for b in pages[1].lines) - gap // 2 :]
    second = np.vstack([paper(20, second.shape[1]), second[:-20]])
    return np.hstack([first, second]), first.shape[1]


def test_many_lines_beside_each_other_need_no_more_between_them_than_words():
    gray, column = narrow_book(16, 26)
    assert in_order(segment(gray).layout, column, 16, 16)


def test_few_lines_may_have_a_gap_below_each_other_by_chance():
    assert find(narrow_book(7, 26)[0]) is None
    gray, column = narrow_book(16, 26)
    assert find(gray).columns(gray.shape[0] / 2, gray.shape[0]) == pytest.approx(column, abs=8)


def find(gray):
    """The gutter that is seen in a picture."""
    page = prepare(gray, SegmentationSettings().working_side)
    return find_gutter(gray, page, find_curves(page.ink, page.scale))


def test_columns_are_read_within_their_page():
    narrow = [" ".join(text.split()[:2]) for text in TEXT]
    column = draw_page(narrow, size=30, margin=30).gray
    left = np.hstack([column, column])
    gray, fold = book(left, draw_page(RIGHT, size=30, margin=40).gray)
    layout = segment(gray).layout
    assert [line.region for line in layout.lines] == [0] * len(TEXT) + [1] * len(TEXT) + [2] * len(RIGHT)
    assert sides(layout, fold) == ["left"] * 2 * len(TEXT) + ["right"] * len(RIGHT)
    middle = column.shape[1]
    assert [line.box.left > middle for line in layout.lines[: 2 * len(TEXT)]] == [False] * len(TEXT) + [True] * len(
        TEXT
    )


def test_a_page_that_is_only_begun_is_read_last_where_the_fold_is_seen():
    gray, column = book(sheet(LEFT)[0], sheet(RIGHT[:2])[0])
    assert in_order(segment(gray).layout, column, right=2)


@pytest.mark.parametrize("empty", ["left", "right"])
def test_a_page_may_be_empty(empty):
    full = sheet(LEFT)[0]
    blank = np.full_like(full, PAPER)
    gray, column = book(*((blank, full) if empty == "left" else (full, blank)))
    layout = segment(gray).layout
    assert sides(layout, column) == ["left" if empty == "right" else "right"] * len(LEFT)
    assert {line.region for line in layout.lines} == {0}


def test_a_book_on_its_side_is_turned_and_divided():
    gray, column = book(*(sheet(t, font=SCRIPT, pitch=2.5)[0] for t in (LEFT, RIGHT)))
    upright = segment_upright(quarter_turned(gray, 270))
    assert upright.turn == 90
    assert in_order(upright.segmented.layout, column)


def test_notes_in_the_margin_are_read_with_their_page():
    note = "In the margin I have room for a little more"
    body, _ = sheet(LEFT, font=SCRIPT, size=44, pitch=2.5)
    margin = paper(130, body.shape[0])
    draw_line(margin, note, 60, 80, 44, font=SCRIPT)
    left = np.hstack([quarter_turned(margin, 270), body])
    gray, column = book(left, sheet(RIGHT, font=SCRIPT, size=44, pitch=2.5)[0])
    layout = segment(gray).layout
    assert [(line.region, line.turn) for line in layout.lines] == (
        [(0, 0)] * len(LEFT) + [(1, 90)] + [(2, 0)] * len(RIGHT)
    )
    assert [(line.region, line.turn, line.index) for line in layout.other_way] == [(1, 270, len(layout.lines))]
    assert sides(layout, column) == ["left"] * (len(LEFT) + 1) + ["right"] * len(RIGHT)


# ------------------------------------------------------------------------------------------------ pictures, ink


@pytest.mark.parametrize("lean", [0, 2])
def test_ink_and_pictures_belong_to_their_lines(lean):
    gray, _ = book(sheet(LEFT, margin=110)[0], sheet(RIGHT, margin=110)[0], no_fold)
    gray = turned(gray, lean) if lean else gray
    segmented = segment(gray)
    numbers, ink = segmented.line_numbers(), dark(gray)
    assert numbers.shape == gray.shape
    assert (numbers[ink] > 0).mean() > 0.99
    for line in segmented.layout.lines:
        rows, columns = slice(line.box.top, line.box.bottom), slice(line.box.left, line.box.right)
        own = ink[rows, columns] & (numbers[rows, columns] == line.index + 1)
        assert np.count_nonzero(own) > 0.8 * np.count_nonzero(ink[rows, columns])
        factor = segmented.parts[0].placement.factor
        drawn = np.count_nonzero(dark(segmented.line_picture(line.index))) / factor**2
        assert drawn == pytest.approx(np.count_nonzero(own), rel=0.15)
        assert segmented.word_picture(line.index, 0).size


def test_halves_hold_what_lies_on_their_side_and_paper_beyond():
    gray = np.full((100, 200), 200, np.uint8)
    gray[:, 100:] = 100
    left, right, column = halves(gray, Gutter(110, 90, 0, 0))
    assert (left.shape, right.shape, column) == ((100, 110), (100, 110), 90)
    assert (left[0, :100] == 200).all() and (left[99, 90:] == 200).all()
    assert (right[99, 10:] == 100).all() and (right[0, :20] == 100).all()


def test_halves_leave_the_fold_out():
    gray, column = book(*(np.full((300, 200), PAPER, np.uint8),) * 2, thin_fold)
    left, right, start = halves(gray, Gutter(column, column, 5, 6))
    assert (left.shape[1], right.shape[1], start) == (195, 194, 206)
    assert left.min() == right.min() == PAPER


def test_a_gutter_at_the_edge_leaves_a_column():
    gray = np.full((50, 80), PAPER, np.uint8)
    for gutter in (Gutter(-5, -5), Gutter(90, 90), Gutter(0, 80), Gutter(40, 40, 100, 100)):
        left, right, column = halves(gray, gutter)
        assert left.shape[1] >= 1 and right.shape[1] >= 1 and 0 < column < 80


# ------------------------------------------------------------------------------------------------ single pages


@pytest.mark.parametrize("size", [24, 40])
def test_a_landscape_page_is_one_region(size):
    page = draw_page([f"{a} {b}" for a, b in zip(LEFT, RIGHT, strict=True)], size=size)
    assert page.gray.shape[1] > 1.3 * page.gray.shape[0]
    segmented = segment(page.gray)
    assert len(segmented.parts) == 1
    assert {line.region for line in segmented.layout.lines} == {0}
    assert len(segmented.layout.lines) == len(TEXT)


def test_a_creased_letter_is_no_book():
    page = draw_page([f"{a} {b}" for a, b in zip(LEFT, RIGHT, strict=True)])
    x = np.arange(page.gray.shape[1]) - page.gray.shape[1] // 2
    assert len(segment(np.round(page.gray * light_fold(x)).astype(np.uint8)).parts) == 1


def test_amounts_at_the_right_of_a_wide_page_are_no_page_of_their_own():
    gray = paper(900, 1500)
    for i, text in enumerate(TEXT):
        draw_line(gray, text, 60, 120 + 90 * i, 40)
        draw_line(gray, f"{17 * i + 3}", 1250, 120 + 90 * i, 40)
    assert len(segment(gray).parts) == 1


def test_a_thin_rule_between_a_table_and_its_notes_is_no_fold():
    gray = paper(900, 1400)
    for i, text in enumerate(TEXT):
        draw_line(gray, text, 60, 120 + 90 * i, 36)
    draw_line(gray, "see below", 900, 120, 36)
    cv2.line(gray, (800, 10), (800, 890), INK, 2)
    assert len(segment(gray).parts) == 1


def test_two_columns_on_a_landscape_page_are_read_as_columns_whatever_they_are_taken_for():
    columns = [draw_page(texts, size=30).gray for texts in (LEFT, RIGHT)]
    gray = np.hstack(columns)
    assert in_order(segment(gray).layout, columns[0].shape[1])


def test_columns_under_a_heading_stay_one_page():
    columns = [draw_page(texts, size=30, margin=40).gray for texts in (LEFT, RIGHT)]
    gray = np.vstack([paper(100, sum(c.shape[1] for c in columns)), np.hstack(columns)])
    for i in range(2):
        draw_line(gray, "A heading that runs across both of the columns below", 250, 45 + 50 * i, 30)
    segmented = segment(gray)
    assert len(segmented.parts) == 1
    assert [line.region for line in segmented.layout.lines] == [0] * 2 + [1] * len(LEFT) + [2] * len(RIGHT)
