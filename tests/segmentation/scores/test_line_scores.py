"""Pages of ink bars, on which every figure can be worked out by hand: a bar of 100 × 10 pixels is 1,000 pixels."""

import numpy as np
import pytest

from segmentation.geometry import Box
from segmentation.page import segment
from segmentation.scores.line_scores import divide_ink, overlap, score_lines, writing_ink
from segmentation.scores.metrics import Scores
from tests.segmentation.drawing import draw_page, resized, ruled, turned

HEIGHT, WIDTH = 300, 500
FIRST, SECOND, THIRD = (Box(100, top, 200, top + 10) for top in (50, 100, 150))


def bars(*boxes):
    """Ink in some boxes, bool (HEIGHT, WIDTH)."""
    ink = np.zeros((HEIGHT, WIDTH), bool)
    for b in boxes:
        ink[b.top : b.bottom, b.left : b.right] = True
    return ink


def outline(box, margin=2):
    """A true line's only outline: a rectangle around a box."""
    left, top, right, bottom = box.left - margin, box.top - margin, box.right - 1 + margin, box.bottom - 1 + margin
    return [np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)]


def scored(true, found, *, ink=None, outlines=None, line_height=10.0, unread=()):
    """Scores of found lines, a list of boxes each, against true ones, a box each."""
    if ink is None:
        ink = bars(*true, *(b for line in found for b in line))
    numbers = np.zeros(ink.shape, np.uint16)
    for i, line in enumerate(found):
        numbers[bars(*line)] = i + 1
    truth = divide_ink(ink, outlines or [outline(b) for b in true], line_height, [outline(b) for b in unread])
    return score_lines(overlap(numbers, len(found), truth))


def test_lines_that_were_found_as_they_are():
    scores = scored([FIRST, SECOND, THIRD], [[FIRST], [SECOND], [THIRD]])
    assert scores.by_threshold == (Scores(3, 3, 3), Scores(3, 3, 3))
    assert scores.pairs == ((0, 0), (1, 1), (2, 2))
    assert (scores.covered, scores.left_out, scores.tau) == (3, 0, 1.0)
    assert (scores.true_ink, scores.lost_ink) == (3000, 0)


def test_two_lines_merged_into_one_match_the_larger_at_most():
    short = Box(100, 100, 160, 110)
    scores = scored([FIRST, short], [[FIRST, short]])
    # 1,000 of 1,600 pixels are shared with the larger: 0.625; 600 foreign ones are 37.5 %.
    assert scores.by_threshold == (Scores(1, 1, 2), Scores(0, 1, 2))
    assert scores.pairs == ((0, 0),)
    assert scores.covered == 0


def test_a_line_that_swallowed_a_little_of_another_is_still_covered():
    word = Box(100, 100, 120, 110)
    scores = scored([FIRST, word], [[FIRST, word]])
    assert scores.covered == 1
    assert scores.by_threshold[1] == Scores(1, 1, 2)


def test_a_line_split_in_halves_matches_one_of_them():
    left, right = Box(100, 50, 150, 60), Box(150, 50, 200, 60)
    scores = scored([FIRST], [[left], [right]])
    assert scores.by_threshold == (Scores(1, 2, 1), Scores(0, 2, 1))
    assert (scores.covered, scores.lost_ink) == (0, 0)


@pytest.mark.parametrize(("cut", "covered"), [(174, 0), (175, 1)])
def test_a_line_is_covered_when_three_quarters_are_in_one_found_line(cut, covered):
    left, right = Box(100, 50, cut, 60), Box(cut, 50, 200, 60)
    assert scored([FIRST], [[left], [right]]).covered == covered


def test_lines_in_the_wrong_order():
    scores = scored([FIRST, SECOND, THIRD], [[FIRST], [THIRD], [SECOND]])
    # One of three pairs is the wrong way round: (2 − 1) / 3.
    assert scores.tau == pytest.approx(1 / 3)
    assert scored([FIRST, SECOND, THIRD], [[THIRD], [SECOND], [FIRST]]).tau == -1


def test_order_of_less_than_two_matched_lines_is_unknown():
    assert scored([FIRST, SECOND], [[FIRST]]).tau is None


def test_foreign_ink_from_elsewhere_on_the_page():
    blot = Box(300, 50, 340, 60)
    scores = scored([FIRST], [[FIRST, blot]])
    # 1,000 of 1,400 pixels: 0.71; 400 foreign ones are 28.6 %.
    assert scores.by_threshold == (Scores(1, 1, 1), Scores(0, 1, 1))
    assert scores.covered == 0


def test_ink_close_to_an_outline_counts_for_nobody():
    tail = Box(100, 60, 200, 64)
    scores = scored([FIRST], [[FIRST, tail]], outlines=[outline(FIRST, margin=0)])
    assert scores.by_threshold == (Scores(1, 1, 1), Scores(1, 1, 1))
    assert scores.true_ink == 1000


def test_lines_in_places_that_the_truth_leaves_out_are_not_counted():
    printed = Box(100, 200, 400, 210)
    scores = scored([FIRST], [[FIRST], [printed]])
    assert scores.by_threshold[0] == Scores(1, 1, 1)
    assert scores.left_out == 1


def test_a_line_with_a_fifth_of_its_ink_in_a_true_one_is_counted():
    # 200 of 1,000 pixels, then 200 of 1,010.
    part = Box(180, 50, 200, 60)
    assert scored([FIRST], [[part, Box(300, 50, 380, 60)]]).by_threshold[0] == Scores(0, 1, 1)
    assert scored([FIRST], [[part, Box(300, 50, 381, 60)]]).left_out == 1


@pytest.mark.parametrize("finder", [0, 1])
def test_ink_in_the_outlines_of_two_lines_punishes_nobody(finder):
    tail = Box(140, 60, 160, 100)
    generous = [outline(Box(100, 50, 200, 100), 0), outline(Box(100, 60, 200, 110), 0)]
    found = [[FIRST], [SECOND]]
    found[finder].append(tail)
    scores = scored([FIRST, SECOND], found, outlines=generous)
    assert scores.by_threshold[1] == Scores(2, 2, 2)
    assert scores.true_ink == 2000


def test_a_word_squeezed_in_keeps_its_ink_though_another_outline_holds_it():
    word = Box(120, 75, 160, 85)
    outlines = [outline(Box(100, 50, 200, 90)), outline(word)]
    apart = scored([FIRST, word], [[FIRST], [word]], outlines=outlines)
    assert apart.by_threshold[1] == Scores(2, 2, 2)
    swallowed = scored([FIRST, word], [[FIRST, word]], outlines=outlines)
    # 1,000 of 1,400 pixels are the line's.
    assert swallowed.by_threshold == (Scores(1, 1, 2), Scores(0, 1, 2))


def test_two_true_lines_with_the_same_outline_are_one_found_and_one_missed():
    scores = scored([FIRST, FIRST], [[FIRST]])
    assert scores.by_threshold[0] == Scores(1, 1, 2)
    assert scores.true_ink == 1000


def test_lines_that_are_marked_but_not_read():
    stamp = Box(100, 63, 300, 73)
    apart = scored([FIRST], [[FIRST], [stamp]], unread=[stamp])
    assert apart.by_threshold[1] == Scores(1, 1, 1)
    assert apart.left_out == 1
    merged = scored([FIRST], [[FIRST, stamp]], unread=[stamp])
    # 1,000 of 3,000 pixels.
    assert merged.by_threshold[0] == Scores(0, 1, 1)


def test_lost_ink_is_what_no_line_has():
    scores = scored([FIRST, SECOND], [[Box(100, 50, 190, 60)]])
    assert (scores.true_ink, scores.lost_ink) == (2000, 1100)


def test_outlines_with_several_parts_are_one_line():
    words = [Box(100, 50, 140, 60), Box(160, 50, 200, 60)]
    parts = [[outline(words[0])[0], outline(words[1])[0]]]
    assert scored(words, [words], outlines=parts).by_threshold[1] == Scores(1, 1, 1)


def test_outlines_that_leave_the_page_count_as_far_as_they_are_on_it():
    edge = Box(480, 0, 500, 10)
    outside = [[np.array([(470.0, -40), (900, -40), (900, 14), (470, 14)])], outline(Box(600, 50, 700, 60))]
    scores = scored([edge], [[edge]], outlines=outside)
    assert scores.by_threshold[1] == Scores(1, 1, 2)


def test_a_true_line_without_ink_is_missed():
    assert scored([FIRST], [], ink=bars()).by_threshold[0] == Scores(0, 0, 1)


def test_a_page_without_true_lines_has_nothing_to_count():
    scores = scored([], [[FIRST]])
    assert scores.by_threshold[0] == Scores(0, 0, 0)
    assert (scores.left_out, scores.covered, scores.tau, scores.true_ink) == (1, 0, None, 0)


def test_an_empty_page():
    scores = scored([], [], ink=bars())
    assert scores.by_threshold[0].f1 == 1.0
    assert scores.left_out == 0


def test_rulings_are_no_ink_to_compare_by_and_letters_are():
    drawn = draw_page()
    gray = ruled(drawn)
    ink = writing_ink(gray)
    assert ink[drawn.ink].mean() > 0.97
    rules = (gray < 130) & (drawn.gray > 200)
    assert ink[rules].mean() < 0.1


@pytest.mark.parametrize("gray", [np.full((80, 60), 255, np.uint8), np.zeros((80, 60), np.uint8)])
def test_blank_sheets_have_no_ink_to_compare_by(gray):
    assert not writing_ink(gray).any()


@pytest.mark.parametrize(
    "change", [lambda g: g, lambda g: turned(g, 3), lambda g: resized(g, 2.4), lambda g: resized(g, 0.3)]
)
def test_found_lines_are_matched_on_pages_that_were_turned_or_scaled(change):
    """The truth of a changed page comes from pages on which one line alone is drawn and changed."""
    drawn = draw_page()
    gray = change(drawn.gray)
    outlines = []
    for line in drawn.lines:
        mask = np.full_like(drawn.gray, 255)
        mask[line.top - 3 : line.bottom + 3, line.left - 3 : line.right + 3] = 0
        ys, xs = np.nonzero(change(mask) < 128)
        corners = [np.argmin(xs + ys), np.argmin(ys - xs), np.argmax(xs + ys), np.argmax(ys - xs)]
        outlines.append([np.array([(xs[i], ys[i]) for i in corners], float)])
    page = segment(gray)
    truth = divide_ink(writing_ink(gray), outlines, 40.0)
    numbers = page.line_numbers()
    assert numbers.shape == gray.shape
    scores = score_lines(overlap(numbers, len(page.layout.lines), truth))
    count = len(drawn.lines)
    assert scores.by_threshold[1] == Scores(count, count, count)
    assert scores.covered == count
    assert scores.tau == 1
    assert scores.lost_ink < 0.03 * scores.true_ink
