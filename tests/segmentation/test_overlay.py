import numpy as np
import pytest

from segmentation.drawing.overlay import draw_overlay
from segmentation.geometry import Box

LINE = Box(50, 60, 250, 100)
WORDS = [Box(50, 62, 120, 100), Box(140, 60, 250, 98)]


def coloured(picture):
    return np.ptp(picture.astype(int), axis=2) > 30


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((200, 300), (200, 300)), ((2000, 1500), (2000, 1500)), ((4000, 3000), (2000, 1500)), ((1000, 5000), (400, 2000))],
)
def test_the_picture_is_as_large_as_the_page_or_2000_pixels(shape, expected):
    picture = draw_overlay(np.full(shape, 255, np.uint8), [], [])
    assert picture.shape == (*expected, 3) and picture.dtype == np.uint8
    assert (picture == 255).all()


@pytest.mark.parametrize("scale", [1, 20])
def test_boxes_are_drawn_where_they_are_on_the_page(scale):
    def times(box):
        return Box(*(scale * v for v in (box.left, box.top, box.right, box.bottom)))

    gray = np.full((200 * scale, 300 * scale), 255, np.uint8)
    picture = draw_overlay(gray, [times(LINE)], [[times(b) for b in WORDS]])
    factor = scale * min(1.0, 2000 / max(gray.shape))
    marks = coloured(picture)
    for box in WORDS:
        left, top, right, bottom = (round(v * factor) for v in (box.left, box.top, box.right, box.bottom))
        middle_x, middle_y = (left + right) // 2, (top + bottom) // 2
        for y, x in ((middle_y, left), (middle_y, right), (top, middle_x), (bottom, middle_x)):
            assert marks[y - 2 : y + 3, x - 2 : x + 3].any()
        assert not marks[top + 4 : bottom - 4, left + 4 : right - 4].any()
    assert not marks[: round((LINE.top - 6) * factor)].any()


def test_the_pages_ink_is_seen():
    gray = np.full((200, 300), 255, np.uint8)
    gray[150:160, 20:280] = 30
    picture = draw_overlay(gray, [LINE], [WORDS])
    assert (picture[150:160, 20:280] == 30).all()


@pytest.mark.parametrize(
    "text",
    ["", "plain", "Größe, naïve café", "Łódź — “žluťoučký”", "письмо", "漢字かな", "سلام", "🖋️", "e\u0301\u200d\ufffd"],
)
def test_texts_of_any_script_stand_at_their_line_on_a_second_sheet(text):
    gray = np.full((200, 300), 255, np.uint8)
    without, with_text = draw_overlay(gray, [LINE], [WORDS]), draw_overlay(gray, [LINE], [WORDS], [text])
    assert with_text.shape == (400, 300, 3)
    assert (with_text[:200] == without).all()
    written = (with_text[200:] != 255).any(axis=2)
    assert written.any() == bool(text)
    written[LINE.top - 4 : LINE.bottom + 4, LINE.left - 4 : LINE.right + 40] = False
    assert not written.any()


@pytest.mark.parametrize(("shape", "expected"), [((300, 200), (300, 400)), ((200, 300), (400, 300))])
def test_the_second_sheet_is_beside_an_upright_page_and_below_a_wide_one(shape, expected):
    assert draw_overlay(np.full(shape, 255, np.uint8), [], [], []).shape[:2] == expected


def test_a_long_text_stays_within_its_line():
    gray = np.full((200, 300), 255, np.uint8)
    picture = draw_overlay(gray, [LINE], [[]], ["as long as that and more"])
    xs = np.flatnonzero((picture[200:] != 255).any(axis=(0, 2)))
    assert LINE.left - 2 <= xs[0] and xs[-1] <= LINE.right + 2


@pytest.mark.parametrize("turn", [90, 270])
def test_a_text_that_runs_up_or_down_the_page_is_written_so(turn):
    gray = np.full((300, 200), 255, np.uint8)
    line, level = Box(20, 40, 44, 280), Box(60, 100, 190, 124)
    picture = draw_overlay(gray, [level, line], [[], []], ["level", "up or down"], [0, turn])[:, 200:]
    ys, xs = np.nonzero((picture != 255).any(axis=2))
    ys, xs = ys[xs < 50], xs[xs < 50]
    assert line.left - 2 <= xs.min() and xs.max() <= line.right + 2
    assert np.ptp(ys) > 3 * np.ptp(xs)
    # It begins where the line begins: at the bottom if the page must be turned clockwise, else at the top.
    begins = ys.max() > line.bottom - 10 if turn == 90 else ys.min() < line.top + 10
    assert begins
    upright = np.rot90(picture[:, 10:50], -1 if turn == 90 else 1)
    as_read = draw_overlay(np.full((40, 300), 255, np.uint8), [Box(20, 8, 260, 32)], [[]], ["up or down"])[40:]
    assert (upright != 255).any(axis=2).sum() == pytest.approx((as_read != 255).any(axis=2).sum(), rel=0.1)


def test_the_input_is_not_changed():
    gray = np.random.default_rng(0).integers(0, 256, (200, 300)).astype(np.uint8)
    before = gray.copy()
    gray.setflags(write=False)
    picture = draw_overlay(gray, [LINE], [WORDS], ["words"])
    assert np.array_equal(gray, before) and not np.shares_memory(picture, gray)


def test_lines_have_numbers_in_reading_order():
    gray = np.full((300, 300), 255, np.uint8)
    one = draw_overlay(gray, [LINE], [[]])
    other = draw_overlay(gray, [Box(50, 160, 250, 200), LINE], [[], []])
    rows = slice(LINE.top - 10, LINE.bottom + 10)
    assert coloured(one[rows, : LINE.left - 4]).any()
    assert (one[rows, : LINE.left - 4] != other[rows, : LINE.left - 4]).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (1, 9000), (9000, 1), (20, 20)])
def test_pages_of_odd_sizes_are_drawn(shape):
    box = Box(0, 0, shape[1], shape[0])
    picture = draw_overlay(np.full(shape, 255, np.uint8), [box], [[box]], ["all of it"])
    assert max(picture.shape) <= 2000 and min(picture.shape[:2]) >= 1


def test_many_lines_are_drawn():
    boxes = [Box(10, 10 + 5 * i, 200, 14 + 5 * i) for i in range(120)]
    picture = draw_overlay(np.full((700, 300), 255, np.uint8), boxes, [[b] for b in boxes], ["x"] * 120)
    for half in (picture[:, :300], picture[:, 300:]):
        assert all(coloured(half[box.top - 1 : box.bottom + 2]).any() for box in boxes)


def test_letters_with_accents_are_drawn_as_such():
    gray = np.full((200, 300), 255, np.uint8)
    pictures = [draw_overlay(gray, [LINE], [[]], [text]).tobytes() for text in "eéèçœßü£"]
    assert len(set(pictures)) == len(pictures)


def red(picture):
    """Where numbers are drawn."""
    return (picture[..., 2] > 150) & (picture[..., 1] < 90) & (picture[..., 0] < 90)


def test_numbers_are_whole_beside_lines_that_begin_at_the_pages_edge():
    gray = np.full((200, 300), 255, np.uint8)
    far, near = (red(draw_overlay(gray, [Box(left, 60, 250, 100)], [[]])) for left in (60, 0))
    assert 0.8 * far.sum() < near.sum()
    assert not near[:, 0].any()


def test_numbers_of_narrow_lines_leave_each_other_room():
    lines = [Box(300, 20 + 12 * i, 1500, 30 + 12 * i) for i in range(60)]
    numbers = red(draw_overlay(np.full((1000, 1600), 255, np.uint8), lines, [[] for _ in lines]))
    rows = numbers[20:740].any(axis=1)
    assert np.count_nonzero(np.diff(rows.astype(int)) == 1) >= 50


def test_texts_of_close_lines_do_not_run_into_each_other():
    """Boxes of typed lines overlap, by their longest letters and by ink of their neighbours."""
    gray = np.full((700, 500), 255, np.uint8)
    lines = [Box(20, 20 + 15 * i, 480, 50 + 15 * i + (200 if i == 5 else 0)) for i in range(20)]
    words = [[Box(20, 28 + 15 * i, 480, 42 + 15 * i)] for i in range(20)]
    picture = draw_overlay(gray, lines, words, ["HELLO xxx"] * 20)[:, 500:]
    inked = (picture.min(axis=2) < 200).any(axis=1)
    starts = np.flatnonzero(inked & ~np.roll(inked, 1))
    assert len(starts) == 20
    assert np.ptp(np.diff(starts)) <= 1
