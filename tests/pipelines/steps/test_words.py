from dataclasses import replace

import numpy as np
import pytest

from htr_model.confidence import Calibration
from htr_model.reading import reading
from pipelines.steps.assembling import assemble
from pipelines.steps.units import ImageKey, UnitReading
from pipelines.steps.words import words_of_line
from segmentation.geometry import Cell, union
from tests.pipelines.steps.made_lines import BOTTOM, FACTS, TOP, down, line_of, reading_of, sides, whole


def test_line_is_cut_at_the_gap_where_the_space_was_read():
    line = line_of([(0, 40), (44, 80), (100, 160)])
    words = words_of_line(line, whole("ab c", [(10, 14), (50, 54), (88, 90), (130, 134)]))
    assert sides(words) == [("ab", 0, 80), ("c", 100, 160)]
    assert [w.line for w in words] == [0, 0]


@pytest.mark.parametrize(
    ("columns", "cut"),
    [([(0, 40), (46, 80), (100, 160)], (80, 100)), ([(0, 40), (60, 80), (86, 160)], (40, 60))],
)
def test_line_is_cut_at_the_widest_gap_between_the_letters_not_where_the_space_was_seen(columns, cut):
    for seen in (20, 50, 83, 110):
        words = words_of_line(line_of(columns), whole("a b", [(10, 14), (seen, seen + 2), (130, 134)]))
        assert sides(words) == [("a", 0, cut[0]), ("b", cut[1], 160)]


def test_gaps_beyond_the_letters_are_not_taken():
    line = line_of([(0, 10), (50, 80), (84, 160)])
    words = words_of_line(line, whole("xa b", [(2, 4), (60, 64), (82, 83), (130, 134)]))
    assert sides(words) == [("xa", 0, 80), ("b", 84, 160)]


def test_pieces_that_overlap_make_no_gap():
    line = line_of([(0, 100), (20, 30), (60, 70), (104, 160)])
    words = words_of_line(line, whole("a b", [(10, 14), (90, 92), (130, 134)]))
    assert sides(words) == [("a", 0, 100), ("b", 104, 160)]


def test_stroke_through_two_words_is_divided_between_them():
    line = line_of([(0, 100)])
    words = words_of_line(line, whole("a b", [(10, 20), (40, 42), (60, 70)]))
    assert sides(words) == [("a", 0, 40), ("b", 40, 100)]


def test_division_is_in_pixels_of_the_page():
    line = line_of([(0, 100)], scale=3.0)
    words = words_of_line(line, whole("a b", [(10, 20), (40, 42), (60, 70)]))
    assert sides(words) == [("a", 0, 120), ("b", 120, 300)]


def test_columns_of_the_recogniser_are_put_back_where_they_were():
    """The recogniser saw the line half as large, four columns cut from its left."""
    line = line_of([(0, 40), (44, 80), (100, 160)])
    spans = [((a - 4) / 2, (b - 4) / 2) for a, b in [(10, 14), (50, 54), (88, 90), (130, 134)]]
    assert sides(words_of_line(line, whole("ab c", spans, left=4.0, scale=0.5))) == [("ab", 0, 80), ("c", 100, 160)]


def test_word_without_ink_gets_the_columns_where_it_was_seen():
    line = line_of([(0, 40), (100, 160)])
    words = words_of_line(line, whole("a b c", [(10, 20), (24, 28), (66, 70), (74, 78), (120, 130)]))
    assert sides(words) == [("a", 0, 40), ("b", 66, 70), ("c", 100, 160)]


def test_word_seen_beyond_the_line_stays_on_it():
    line = line_of([(0, 40)])
    words = words_of_line(line, whole("a b", [(10, 20), (45, 50), (60, 64)]))
    box = words[1].box
    assert line.box.left <= box.left < box.right <= line.box.right


def test_confidence_of_a_word_is_that_of_its_own_characters():
    line = line_of([(0, 40), (60, 100)])
    words = words_of_line(line, whole("ab c", [(0, 4), (20, 24), (50, 54), (80, 84)], [0.9, 0.4, 0.1, 0.8]))
    assert [w.min_char_confidence for w in words] == [0.4, 0.8]
    assert [w.confidence for w in words] == pytest.approx([0.36, 0.8])


def test_words_of_a_line_have_the_confidence_that_the_calibration_gives():
    line = line_of([(0, 40), (60, 100)])
    spans = ((0, 4), (20, 24), (50, 54), (80, 84))
    found = reading("ab c", spans, (0.9, 0.4, 0.1, 0.8), Calibration((0.0, 1.0), (0.1, 0.6)))
    unit = UnitReading(ImageKey(FACTS.ref, 0, None), found, 0.0, 1.0)
    words = words_of_line(line, unit)
    assert [w.confidence for w in words] == pytest.approx([0.28, 0.5])
    assert assemble(FACTS, (line,), [unit]).lines[0].confidence == pytest.approx((0.28 * 0.5) ** 0.5)


@pytest.mark.parametrize("text", ["", " ", "   "])
def test_line_read_as_nothing_has_no_words_and_an_empty_text(text):
    line = line_of([(0, 40)])
    unit = whole(text, [(i, i + 1) for i in range(len(text))])
    assert words_of_line(line, unit) == []
    page = assemble(FACTS, (line,), [unit])
    assert (page.lines[0].text, page.lines[0].confidence, page.text) == ("", 0.0, "")


def test_spaces_at_the_ends_and_in_rows_make_no_words():
    line = line_of([(0, 40), (60, 100)])
    words = words_of_line(line, whole(" a  b ", [(0, 1), (10, 14), (44, 46), (50, 52), (80, 84), (98, 99)]))
    assert sides(words) == [("a", 0, 40), ("b", 60, 100)]


def random_line(rng):
    """Pieces with gaps (or overlaps) between them, and a text whose letters and spaces were seen anywhere."""
    columns, start = [], 0
    for _ in range(rng.integers(1, 9)):
        end = start + int(rng.integers(1, 40))
        columns.append((float(start), float(end)))
        start = max(0, end + int(rng.integers(-6, 25)))
    count = int(rng.integers(1, 14))
    text = "".join(rng.choice(list("ab ")) for _ in range(count))
    text = text if text.strip() else "a" * count
    edges = np.sort(rng.choice(np.arange(int(max(b for _, b in columns)) + 4 * count), 2 * count, replace=False))
    return line_of(columns, scale=float(rng.choice([1.0, 2.5]))), whole(text, edges.reshape(-1, 2).tolist())


@pytest.mark.parametrize("seed", range(100))
def test_every_piece_of_ink_ends_in_exactly_one_word(seed):
    line, unit = random_line(np.random.default_rng(seed))
    words = words_of_line(line, unit)
    assert [w.text for w in words] == unit.reading.text.split()
    step = max(1, round(line.box.width / max(p.end for p in line.pieces)))
    for piece in line.pieces:
        whole_in = [w for w in words if w.box.left <= piece.box.left and piece.box.right <= w.box.right]
        covered = {x for w in words for x in range(max(w.box.left, piece.box.left), min(w.box.right, piece.box.right))}
        missing = piece.box.width - len(covered)
        # Where a cut divides a piece, less than a column of the line's picture may fall between its parts.
        assert missing == 0 if whole_in else missing <= step * (len(words) - 1)
    for word in words:
        assert line.box.left <= word.box.left < word.box.right <= line.box.right
        assert (word.box.top, word.box.bottom) == (TOP, BOTTOM)


@pytest.mark.parametrize("seed", range(50))
def test_pieces_go_to_the_words_whose_letters_were_seen_in_them(seed):
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.integers(20, 60, 8))
    line = line_of([(float(s), float(s + rng.integers(4, 18))) for s in starts])
    text, spans, groups = "", [], []
    for piece in line.pieces:
        middle = rng.uniform(piece.start, piece.end)
        if text and rng.random() < 0.5:
            text += " "
            spans.append((spans[-1][1] + 0.1, spans[-1][1] + 0.2))
        if not text or text.endswith(" "):
            groups.append([])
        groups[-1].append(piece.box)
        text += "x"
        spans.append((middle, middle))
    words = words_of_line(line, whole(text, spans))
    assert [w.box for w in words] == [union(boxes) for boxes in groups]


def rows(words):
    return [(w.text, w.box.top - 100, w.box.bottom - 100) for w in words]


@pytest.mark.parametrize(
    ("turn", "expected"), [(270, [("a", 0, 40), ("b", 40, 100)]), (90, [("a", 60, 100), ("b", 0, 60)])]
)
def test_stroke_of_a_sideways_line_is_divided_along_the_page(turn, expected):
    words = words_of_line(down([(0, 100)], turn, 0), whole("a b", [(10, 20), (40, 42), (60, 70)]))
    assert rows(words) == expected
    assert {(w.box.left, w.box.right, w.turn) for w in words} == {(10, 50, turn)}


@pytest.mark.parametrize(("turn", "top"), [(270, 66), (90, 90)])
def test_word_without_ink_in_a_sideways_line_gets_its_place_along_the_page(turn, top):
    line = down([(0, 40), (100, 160)], turn, 0)
    words = words_of_line(line, whole("a b c", [(10, 20), (24, 28), (66, 70), (74, 78), (120, 130)]))
    assert rows(words)[1] == ("b", top, top + 4)


def test_words_have_the_region_and_the_cell_of_their_line():
    line = replace(line_of([(0, 40), (60, 90)]), region=4, cell=Cell(2, 1))
    whole_line = words_of_line(line, whole("a b", [(10, 20), (48, 52), (70, 80)]))
    assert [(w.region, w.cell) for w in whole_line] == [(4, Cell(2, 1))] * 2
    readings = [UnitReading(ImageKey(FACTS.ref, 0, i), reading_of("a", [(0, 4)]), 0.0, 1.0) for i in range(2)]
    assert [(w.region, w.cell) for w in assemble(FACTS, (line,), readings).words] == [(4, Cell(2, 1))] * 2
