import itertools
from functools import partial

import cv2
import numpy as np
import pytest

from segmentation.geometry import union
from segmentation.ink.paper import is_negative
from segmentation.page import CLASSICAL, SegmentationSettings, segment
from segmentation.scores.metrics import compare_boxes
from tests.segmentation.boxes import intersection_over_union
from tests.segmentation.drawing import (
    INK,
    PAPER,
    PRINT,
    SCRIPT,
    TEXT,
    DrawnPage,
    around,
    dark,
    draw_line,
    draw_page,
    draw_word,
    noisy,
    on_ruled_lines,
    paper,
    resized,
    ruled,
    turned,
)


def found_words(layout):
    return [line.word_boxes() for line in layout.lines]


def counts(words):
    return [len(w) for w in words]


def contains(outer, inner, slack):
    return (
        outer.left <= inner.left + slack
        and outer.top <= inner.top + slack
        and outer.right >= inner.right - slack
        and outer.bottom >= inner.bottom - slack
    )


def assert_sound(layout, shape):
    """What holds for every layout: order, boxes on the page, words made of all pieces."""
    height, width = shape
    assert [line.index for line in layout.lines] == list(range(len(layout.lines)))
    assert -10 <= layout.skew_degrees <= 10 and layout.x_height >= 0
    assert 0 <= layout.discarded_ink <= layout.ink
    for line in layout.lines:
        assert line.pieces and line.box == union(p.box for p in line.pieces)
        assert line.box.left >= 0 and line.box.right <= width and line.box.top >= 0 and line.box.bottom <= height
        assert [i for a, b in line.words for i in range(a, b)] == list(range(len(line.pieces)))
        assert all(p.start < p.end for p in line.pieces)
        assert all(a.end <= b.start for a, b in itertools.pairwise(line.pieces))


def assert_found(layout, page):
    """Every drawn line and word is found, in order, with a box of its own."""
    assert_sound(layout, page.gray.shape)
    assert len(layout.lines) == len(page.lines)
    for line, true in zip(layout.lines, page.lines, strict=True):
        assert contains(line.box, true, 1) and contains(true, line.box, 4)
    assert counts(found_words(layout)) == counts(page.words)
    for found, true in zip(itertools.chain(*found_words(layout)), itertools.chain(*page.words), strict=True):
        assert contains(found, true, 1) and contains(true, found, 4)


# ------------------------------------------------------------------------------------------------ lines and words


@pytest.mark.parametrize("size", [16, 24, 40, 70])
@pytest.mark.parametrize("font", [PRINT, SCRIPT])
def test_lines_and_words_of_a_page_are_found_in_order(font, size):
    page = draw_page(size=size, font=font)
    assert_found(segment(page.gray).layout, page)


@pytest.mark.parametrize("pitch", [1.4, 3.5])
def test_narrow_and_wide_lines_are_found(pitch):
    page = draw_page(pitch=pitch)
    assert_found(segment(page.gray).layout, page)


@pytest.mark.parametrize("texts", [["Alone on a page, one line."], ["Alone"], ["Two lines of", "writing, no more"]])
def test_pages_of_one_line_or_two_are_found(texts):
    page = draw_page(texts, margin=200)
    assert_found(segment(page.gray).layout, page)


def test_short_lines_among_long_ones_are_found():
    page = draw_page([TEXT[0], "4", TEXT[1], "and so on", TEXT[2], TEXT[3], "No."])
    layout = segment(page.gray).layout
    assert len(layout.lines) == 7
    assert compare_boxes([line.box for line in layout.lines], page.lines, 0.6).f1 == 1.0


def test_words_are_divided_by_their_gaps_whatever_the_spacing():
    gray = paper(700, 1400)
    words = []
    for row in range(7):
        x, boxes = 60, []
        for text in TEXT[row].split():
            boxes.append(draw_word(gray, text, x, 100 + 80 * row, 40))
            x = boxes[-1].right + 34 + 3 * row
        words.append(boxes)
    page = DrawnPage(gray, words)
    assert_found(segment(gray).layout, page)


def test_a_page_at_150_and_at_400_dpi_has_the_same_lines_and_words():
    drawn = draw_page(TEXT * 2, size=100)  # 100 pixels of letters and a pitch of 12 mm at 400 dpi
    assert max(drawn.gray.shape) > SegmentationSettings().working_side
    fine, coarse = segment(drawn.gray).layout, segment(resized(drawn.gray, 150 / 400)).layout
    assert counts(found_words(fine)) == counts(found_words(coarse)) == counts(drawn.words)
    ratio = 400 / 150
    for a, b in zip(fine.lines, coarse.lines, strict=True):
        for first, second in zip(a.word_boxes(), b.word_boxes(), strict=True):
            assert first.left == pytest.approx(ratio * second.left, abs=8)
            assert first.right == pytest.approx(ratio * second.right, abs=8)
            assert first.top == pytest.approx(ratio * second.top, abs=8)
            assert first.bottom == pytest.approx(ratio * second.bottom, abs=8)
    assert fine.x_height == pytest.approx(ratio * coarse.x_height, rel=0.15)


def test_a_smaller_working_side_finds_the_same_words():
    page = draw_page(size=70)
    layout = segment(page.gray, SegmentationSettings(working_side=1000)).layout
    assert_found(layout, page)


def test_a_working_side_too_small_to_read_is_refused():
    with pytest.raises(ValueError, match="199"):
        SegmentationSettings(working_side=199)


# ------------------------------------------------------------------------------------------------ no ink is lost


@pytest.mark.parametrize("font", [PRINT, SCRIPT])
def test_dots_and_commas_stay_in_the_box_of_their_word(font):
    texts = ["jijili, lilij; his, its.", "if, in, it, is; ill, jib.", "Fit, bit, mini, pipi, skiing."]
    page = draw_page(texts, font=font)
    found = found_words(segment(page.gray).layout)
    assert counts(found) == counts(page.words)
    for boxes, true in zip(found, page.words, strict=True):
        assert all(contains(a, b, 1) for a, b in zip(boxes, true, strict=True))


@pytest.mark.parametrize("size", [16, 24, 40, 70])
@pytest.mark.parametrize("degrees", [0, 3])
def test_no_ink_is_lost(size, degrees):
    page = draw_page(size=size)
    gray = turned(page.gray, degrees) if degrees else page.gray
    layout = segment(gray).layout
    left_over = dark(gray)
    for box in [box for words in found_words(layout) for box in words]:
        left_over[box.top : box.bottom, box.left : box.right] = False
    assert np.count_nonzero(left_over) <= layout.discarded_ink
    assert layout.discarded_ink < 0.02 * layout.ink


def test_ink_that_is_in_no_line_is_counted():
    page = draw_page(margin=150)
    gray = page.gray.copy()
    gray[40:80, 200:900] = INK  # a bar, 28 000 pixels
    layout = segment(gray).layout
    assert len(layout.lines) == len(page.lines)
    assert 27_000 < layout.discarded_ink < 30_000
    assert layout.ink - layout.discarded_ink == pytest.approx(np.count_nonzero(page.ink), rel=0.25)


# ------------------------------------------------------------------------------------------------ slanted pages


@pytest.mark.parametrize("degrees", [3, -3, 7])
def test_boxes_on_a_slanted_page_contain_the_words(degrees):
    page = draw_page(margin=120)
    layout = segment(turned(page.gray, degrees)).layout
    assert_sound(layout, page.gray.shape)
    assert layout.skew_degrees == pytest.approx(degrees, abs=0.6)
    assert counts(found_words(layout)) == counts(page.words)
    for boxes, true_boxes in zip(found_words(layout), page.words, strict=True):
        for found, straight in zip(boxes, true_boxes, strict=True):
            alone = paper(*page.gray.shape)
            rows, columns = slice(straight.top, straight.bottom), slice(straight.left, straight.right)
            alone[rows, columns] = page.gray[rows, columns]
            true = around(dark(turned(alone, degrees)))
            assert contains(found, true, 2)
            assert intersection_over_union(found, true) > 0.7


def test_pictures_of_a_slanted_page_are_level():
    page = draw_page(["nun mum nun mum nun mum"] * 6, margin=120)
    segmented = segment(turned(page.gray, 4))
    assert len(segmented.layout.lines) == 6
    for index in range(6):
        assert abs(fall(segmented.line_picture(index))) < 3


def test_the_picture_of_a_line_that_climbs_alone_is_level():
    gray = paper(900, 1200)
    for i in range(5):
        draw_line(gray, "nun mum nun mum nun mum", 60, 80 + 80 * i, 40)
    strip = paper(300, 1200)
    draw_line(strip, "nun mum nun mum nun mum", 60, 180, 40)
    gray[500:800] = np.minimum(gray[500:800], turned(strip, 3.5))
    segmented = segment(gray)
    assert segmented.layout.skew_degrees == pytest.approx(0, abs=1)
    assert len(segmented.layout.lines) == 6
    assert abs(fall(segmented.line_picture(5))) < 4


@pytest.mark.parametrize("rise", [30, -30])
def test_the_picture_of_a_line_that_bends_is_straight(rise):
    page = draw_page(["nun mum nun mum nun mum"] * 5, margin=80)
    width = page.gray.shape[1]
    bend = rise * np.cos(np.linspace(-np.pi / 2, np.pi / 2, width))
    rows = np.arange(page.gray.shape[0], dtype=np.float32)[:, None] + bend[None, :].astype(np.float32)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32), rows.shape)
    gray = cv2.remap(page.gray, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR, borderValue=PAPER)
    segmented = segment(gray)
    assert len(segmented.layout.lines) == 5
    for line in segmented.layout.lines:
        ys, xs = np.nonzero(dark(segmented.line_picture(line.index)))
        heights = [ys[np.abs(xs - x) < 40].mean() for x in np.linspace(xs.min() + 40, xs.max() - 40, 7)]
        assert np.ptp(heights) < 6  # 30 were drawn
        words = [segmented.word_picture(line.index, i) for i in range(len(line.words))]
        assert all(np.ptp(np.nonzero(dark(w))[0]) < 32 for w in words)


def fall(picture):
    """Rows by which the writing at the end of a line is lower than at its beginning."""
    ys, xs = np.nonzero(dark(picture))
    third = np.ptp(xs) / 3
    return ys[xs > xs.max() - third].mean() - ys[xs < xs.min() + third].mean()


# ------------------------------------------------------------------------------------------------ pictures


@pytest.fixture(scope="module", params=[0, 3], ids=["straight", "slanted"])
def crowded(request):
    """A page of narrow lines, with a tall letter of the second that reaches among the tails of the first."""
    page = draw_page(["jumpy gypsy", "illegibly jagged fjord", "quickly typing happy pygmy"] * 2, pitch=1.4, margin=70)
    first, right = page.lines[0], page.lines[1].right
    baseline = page.words[0][0].bottom - 9
    tall = draw_word(page.gray, "l", right + 30, baseline + 56, 75)
    draw_word(page.gray, "quay", tall.right + 30, baseline, 40)
    assert first.right < tall.left and tall.top < first.bottom - 2
    gray = turned(page.gray, request.param) if request.param else page.gray
    # The finder that bridges the wide gap in the first line.
    segmented = segment(gray, SegmentationSettings(lines=CLASSICAL))
    assert counts(found_words(segmented.layout)) == [3, 4, 4, 2, 3, 4]
    return gray, segmented


def test_line_pictures_are_dark_on_white_and_hold_the_columns_of_their_pieces(crowded):
    _, segmented = crowded
    for line in segmented.layout.lines:
        picture = segmented.line_picture(line.index)
        assert picture.dtype == np.uint8 and picture.ndim == 2
        assert np.median(picture) > 240
        ink = dark(picture)
        outside = np.ones(picture.shape[1], bool)
        for piece in line.pieces:
            assert 0 <= piece.start < piece.end <= picture.shape[1]
            columns = slice(int(piece.start), int(np.ceil(piece.end)))
            assert ink[:, columns].any()
            outside[columns] = False
        assert np.count_nonzero(ink[:, outside]) < 0.03 * np.count_nonzero(ink)


def test_ink_of_other_lines_is_painted_over_and_each_lines_own_is_kept(crowded):
    gray, segmented = crowded
    lines = segmented.layout.lines
    pictures = [segmented.line_picture(line.index) for line in lines]
    in_pictures = sum(np.count_nonzero(dark(p)) for p in pictures)
    assert in_pictures == pytest.approx(np.count_nonzero(dark(gray)), rel=0.04)
    # The tall letter of the second line stands in the widest gap of the first.
    _, start, end = max((b.start - a.end, a.end, b.start) for a, b in itertools.pairwise(lines[0].pieces))
    assert pictures[0][:, int(start) + 3 : int(end) - 2].min() > 150


def test_word_pictures_hold_the_ink_of_their_line(crowded):
    _, segmented = crowded
    for line in segmented.layout.lines:
        words = [segmented.word_picture(line.index, k) for k in range(len(line.words))]
        assert all(w.dtype == np.uint8 and w.ndim == 2 and dark(w).any() for w in words)
        in_words = sum(np.count_nonzero(dark(w)) for w in words)
        assert in_words == pytest.approx(np.count_nonzero(dark(segmented.line_picture(line.index))), rel=0.06)
        assert sum(w.shape[1] for w in words) < 1.2 * segmented.line_picture(line.index).shape[1]


def test_pictures_are_cut_without_changing_the_page():
    segmented = segment(draw_page(pitch=1.3).gray)
    first = [segmented.line_picture(i).copy() for i in range(8)]
    for i in range(8):
        segmented.word_picture(i, 0)
    assert all(np.array_equal(a, segmented.line_picture(i)) for i, a in enumerate(first))


# ------------------------------------------------------------------------------------------------ paper and scanner


def uneven(gray):
    return np.round(gray * np.linspace(1.0, 0.5, gray.shape[1])).astype(np.uint8)


@pytest.mark.parametrize("worsen", [uneven, partial(noisy, deviation=7, seed=3)])
def test_bad_scans_have_the_same_lines_and_words(worsen):
    page = draw_page()
    layout = segment(worsen(page.gray)).layout
    assert counts(found_words(layout)) == counts(page.words)


@pytest.mark.parametrize("widths", [(20, 20, 20, 20), (25, 40, 60, 15), (80, 80, 80, 80), (0, 0, 100, 0)])
@pytest.mark.parametrize("size", [40, 70])
def test_the_scanners_dark_border_makes_no_lines_and_joins_no_words(widths, size):
    page = draw_page(size=size)
    gray = cv2.copyMakeBorder(page.gray, *widths, cv2.BORDER_CONSTANT, value=10)
    layout = segment(gray).layout
    assert_sound(layout, gray.shape)
    assert counts(found_words(layout)) == counts(page.words)


@pytest.mark.parametrize("size", [24, 40, 70])
@pytest.mark.parametrize("degrees", [0, 3])
def test_rulings_make_no_lines_and_join_no_words(size, degrees):
    page = draw_page(size=size, margin=100)
    gray = ruled(page, size)
    layout = segment(turned(gray, degrees) if degrees else gray).layout
    assert counts(found_words(layout)) == counts(page.words)


@pytest.mark.parametrize("slant", [0, 4, -6])
def test_words_that_stand_on_ruled_lines_have_boxes_of_their_own(slant):
    page = draw_page(margin=100)
    layout = segment(on_ruled_lines(page, slant)).layout
    assert len(layout.lines) == len(page.lines)
    for line, true in zip(layout.lines, page.lines, strict=True):
        assert contains(line.box, true, 3) and contains(true, line.box, 12)
    assert counts(found_words(layout)) == counts(page.words)


@pytest.mark.parametrize("degrees", [0, 2])
def test_ruled_paper_without_writing_has_no_lines(degrees):
    gray = ruled(DrawnPage(paper(*draw_page().gray.shape), draw_page().words))
    assert segment(turned(gray, degrees) if degrees else gray).layout.lines == ()


def test_two_columns_are_read_one_after_the_other():
    left, right = draw_page(TEXT[:6], size=30), draw_page(TEXT[2:], size=30)
    columns = [c.gray[:, : max(b.right for b in c.lines) + 40] for c in (left, right)]
    layout = segment(np.hstack(columns)).layout
    shift = columns[0].shape[1]
    assert len(layout.lines) == 12
    for line, true in zip(layout.lines[:6], left.lines, strict=True):
        assert intersection_over_union(line.box, true) > 0.8
    for line, true in zip(layout.lines[6:], right.lines, strict=True):
        assert (line.box.left - shift, line.box.top) == pytest.approx((true.left, true.top), abs=4)


def test_a_date_at_the_right_above_the_body_is_read_first():
    page = draw_page(margin=160)
    date = draw_word(page.gray, "1.March,1861", 800, 90, 40)
    layout = segment(page.gray).layout
    assert intersection_over_union(layout.lines[0].box, date) > 0.8
    assert [line.box.top for line in layout.lines] == sorted(line.box.top for line in layout.lines)


# ------------------------------------------------------------------------------------------------ odd pages


@pytest.mark.parametrize("paper_and_ink", [(240, 40), (180, 60)])
def test_negative_of_a_page_has_the_lines_of_the_page(paper_and_ink):
    light, dark = paper_and_ink
    gray = draw_page(pitch=2.5).gray
    gray = (dark + (gray.astype(float) - gray.min()) * (light - dark) / np.ptp(gray)).astype(np.uint8)
    positive, negative = segment(gray), segment(255 - gray)
    assert negative.layout == positive.layout
    for line in positive.layout.lines:
        assert (negative.line_picture(line.index) == positive.line_picture(line.index)).all()


def test_dark_cover_with_a_light_label_is_no_negative():
    label = draw_page(TEXT[:4], pitch=2.5)
    cover = np.full((3 * label.gray.shape[0], 2 * label.gray.shape[1]), 50, np.uint8)
    cover[300 : 300 + label.gray.shape[0], 200 : 200 + label.gray.shape[1]] = label.gray
    assert not is_negative(cover)
    assert is_negative(255 - label.gray)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (2, 9000), (20, 20), (400, 300)])
@pytest.mark.parametrize("value", [0, 127, 255])
def test_uniform_pages_of_any_shape_are_empty(shape, value):
    segmented = segment(np.full(shape, value, np.uint8))
    assert_sound(segmented.layout, shape)
    assert segmented.layout.lines == ()


@pytest.mark.parametrize("deviation", [2, 5])
def test_noisy_paper_without_writing_has_no_lines(deviation):
    noise = np.random.default_rng(0).normal(0, deviation, (900, 700))
    layout = segment(np.clip(225 + noise, 0, 255).astype(np.uint8)).layout
    assert layout.lines == ()


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (20, 20), (300, 260)])
@pytest.mark.parametrize("seed", [0, 1])
def test_random_pages_end_in_a_bounded_number_of_lines(shape, seed):
    gray = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    segmented = segment(gray)
    assert_sound(segmented.layout, shape)
    assert len(segmented.layout.lines) <= 100
    for line in segmented.layout.lines:
        assert segmented.line_picture(line.index).size
        assert all(segmented.word_picture(line.index, k).size for k in range(len(line.words)))


def test_a_page_of_blots_is_no_error():
    gray = paper(500, 500)
    rng = np.random.default_rng(5)
    for x, y, radius in zip(*rng.integers(10, 490, (2, 25)).tolist(), rng.integers(2, 60, 25).tolist(), strict=True):
        cv2.circle(gray, (x, y), radius, INK, -1)
    assert_sound(segment(gray).layout, gray.shape)


def test_a_tiny_crop_of_a_word_is_one_line():
    gray = paper(40, 130)
    draw_word(gray, "hand", 10, 28, 30)
    layout = segment(gray).layout
    assert counts(found_words(layout)) == [1]


def test_a_page_is_segmented_alike_twice_and_is_not_changed():
    gray = turned(ruled(draw_page(margin=100)), 2)
    before = gray.copy()
    gray.setflags(write=False)
    first, second = segment(gray), segment(gray)
    assert first.layout == second.layout
    assert np.array_equal(gray, before)
    for index in range(len(first.layout.lines)):
        assert np.array_equal(first.line_picture(index), second.line_picture(index))


def test_a_view_of_a_larger_page_is_segmented_like_a_copy():
    gray = draw_page().gray
    wide = np.full((gray.shape[0], 2 * gray.shape[1]), PAPER, np.uint8)
    wide[:, ::2] = gray
    assert segment(wide[:, ::2]).layout == segment(gray).layout


@pytest.mark.parametrize("degrees", [0, 3])
def test_baselines_run_under_the_letters(degrees):
    page = draw_page()
    h, w = page.gray.shape
    gray = turned(page.gray, degrees)
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    lines = segment(gray).layout.lines
    assert len(lines) == len(page.lines)
    for i, line in enumerate(lines):
        points = np.array(line.baseline, float)
        assert np.all(np.diff(points[:, 0]) > 0)
        # Where the letters were written: every 76 rows, the first 53 below the margin.
        level = 60 + round(76 * (i + 0.7))
        back = cv2.invertAffineTransform(matrix)
        straight = points @ back[:, :2].T + back[:, 2]
        assert np.abs(straight[:, 1] - level).max() < 6
        assert straight[0, 0] < 80 and straight[-1, 0] > max(box.right for box in page.words[i]) - 25
