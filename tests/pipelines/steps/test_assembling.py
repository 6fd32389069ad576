from dataclasses import replace

import cv2
import numpy as np
import pytest

from htr_model.normalization import Normalization
from htr_model.reading import Reading
from pipelines.job import Job
from pipelines.page_text import PageFacts
from pipelines.steps.assembling import AssemblePages, assemble, better_way_up
from pipelines.steps.layouts import PageLayout
from pipelines.steps.listing import pages_of
from pipelines.steps.reading import read_and_segment
from pipelines.steps.units import ImageKey, UnitReading
from pipelines.volumes import RecentVolumes
from segmentation.decoding import DecodingSettings, PageRef
from segmentation.geometry import Box, Cell, Line, Piece
from tests.pipelines.steps.documents import document
from tests.pipelines.steps.made_lines import FACTS, down, line_of, reading_of, sides, whole
from tests.segmentation.drawing import TEXT, draw_page

SETTINGS = DecodingSettings()


def assembled(layout, readings):
    return list(AssemblePages().process((layout.facts.ref, {"layout": [layout], "readings": readings})))


def test_page_of_which_nothing_could_be_read_has_no_row_and_so_is_tried_again():
    box = Box(0, 0, 10, 10)
    line = Line(0, box, (Piece(box, 0.0, 10.0),), ((0, 1),))
    facts = PageFacts(PageRef("/scans/a.png", 0), 1, "0" * 64, 1, None, 20, 20, None, 0, 0.0, 0.0)
    reading = UnitReading(ImageKey(facts.ref, 0, None), Reading("a", 0.5, 0.5, ((0, 10),), (0.5,), (0.5,)), 0.0, 1.0)
    (lost,) = assembled(PageLayout(facts, (line,), attempt=2), [])
    assert (lost.tag, lost.value.stage, lost.value.page_index, lost.value.attempts) == ("failures", "assemble", 0, 2)
    assert (lost.value.source_size, lost.value.document_pages) == (1, 1)
    assert "none of the 1 lines of page 1" in lost.value.message
    assert [p.text for p in assembled(PageLayout(facts, (line,)), [reading])] == ["a"]
    assert [p.text for p in assembled(PageLayout(facts, ()), [])] == [""]


def test_page_that_cannot_be_assembled_costs_that_page():
    box = Box(0, 0, 10, 10)
    line = Line(0, box, (Piece(box, 0.0, 10.0),), ((0, 1),))
    facts = PageFacts(PageRef("/scans/a.png", 2), 3, "0" * 64, 1, None, 20, 20, None, 0, 0.0, 0.0)
    unreadable = UnitReading(ImageKey(facts.ref, 0, None), None, 0.0, 1.0)
    (lost,) = assembled(PageLayout(facts, (line,), attempt=3), [unreadable])
    assert (lost.tag, lost.value.stage, lost.value.page_index, lost.value.attempts) == ("failures", "assemble", 2, 3)
    assert (lost.value.source_size, lost.value.document_pages) == (1, 3)
    assert lost.value.error_type == "AttributeError" and "Traceback" in lost.value.traceback


def test_a_page_of_few_lines_is_there_both_ways_up_and_the_better_reading_counts(tmp_path):
    """Its letters do not tell which way up it lies."""
    gray = cv2.rotate(draw_page(TEXT[:2], pitch=2.5).gray, cv2.ROTATE_180)
    (task,) = pages_of(document(tmp_path / "a.png", cv2.imencode(".png", gray)[1].tobytes()), SETTINGS)
    outcome = read_and_segment(task, Job(inputs=(), output="/out", run_id="r"), Normalization(), RecentVolumes())
    layout = outcome.layout
    other = layout.on_its_head
    assert {layout.facts.rotation_degrees, other.facts.rotation_degrees} == {0, 180}
    numbers = [line.index for line in layout.lines + other.lines]
    assert numbers == list(range(len(numbers)))
    assert sorted(image.key.line_index for image in outcome.images) == numbers
    for sure in (layout, other):
        readings = [
            UnitReading(ImageKey(task.ref, i, None), found, 0.0, 1.0)
            for i in numbers
            for p in [0.9 if i in [line.index for line in sure.lines] else 0.4]
            for found in [Reading("ink", p, p, ((0, 9), (9, 18), (18, 27)), (p,) * 3, (p,))]
        ]
        (page,) = assembled(layout, readings)
        assert page.facts == sure.facts
        assert [line.box for line in page.lines] == [line.box for line in sure.lines]


def texts_of(page):
    return "\n".join(line.text for line in page.lines)


def word_units(texts, line_index=0):
    return [
        UnitReading(ImageKey(FACTS.ref, line_index, i), reading_of(t, [(0, 1)] * len(t), [0.25] * len(t)), 0.0, 1.0)
        for i, t in texts.items()
    ]


def test_words_read_one_by_one_keep_the_boxes_that_segmentation_found():
    line = line_of([(0, 40), (44, 80), (100, 160)], words=[(0, 2), (2, 3)])
    page = assemble(FACTS, (line,), word_units({1: "dear", 0: "My"}))
    assert sides(page.words) == [("My", 0, 80), ("dear", 100, 160)]
    assert page.lines[0].text == "My dear"
    assert [w.confidence for w in page.words] == pytest.approx([0.25**2, 0.25**4])


def test_word_that_was_not_read_leaves_a_gap_and_the_others_where_they_are():
    line = line_of([(0, 40), (50, 80), (100, 160)])
    page = assemble(FACTS, (line,), word_units({0: "My", 1: " ", 2: "Eleanor"}))
    assert sides(page.words) == [("My", 0, 40), ("Eleanor", 100, 160)]
    page = assemble(FACTS, (line,), word_units({0: "My", 2: "Eleanor"}))
    assert sides(page.words) == [("My", 0, 40), ("Eleanor", 100, 160)]


def test_line_that_was_not_read_keeps_its_place_without_text():
    lines = tuple(line_of([(0, 40)], index=i) for i in range(3))
    units = [whole("last", [(i, i + 1) for i in range(4)], line_index=2), whole("a", [(3, 4)], line_index=0)]
    page = assemble(FACTS, lines, units)
    assert [x.text for x in page.lines] == ["a", "", "last"]
    assert texts_of(page) == "a\n\nlast"
    assert [w.line for w in page.words] == [0, 2]
    assert all(x.box == line.box for x, line in zip(page.lines, lines, strict=True))


def test_order_of_readings_does_not_matter():
    rng = np.random.default_rng(5)
    lines = tuple(line_of([(0, 40), (50, 90)], index=i) for i in range(6))
    units = [u for i in range(6) for u in word_units({0: f"a{i}", 1: f"b{i}"}, line_index=i)]
    expected = assemble(FACTS, lines, units)
    for _ in range(5):
        assert assemble(FACTS, lines, [units[i] for i in rng.permutation(len(units))]) == expected
    assert [(w.line, w.text) for w in expected.words] == [(i, f"{t}{i}") for i in range(6) for t in "ab"]


def test_empty_page_is_empty():
    page = assemble(FACTS, (), [])
    assert (page.text, page.lines, page.words) == ("", (), ())


@pytest.mark.parametrize("clear", [90, 270])
@pytest.mark.parametrize("unit", ["line", "word"])
def test_sideways_lines_are_taken_the_way_that_reads_better(clear, unit):
    body = line_of([(0, 40)], 0)
    this_way = (down([(0, 40), (60, 90)], 90, 1), down([(0, 40)], 90, 2))
    other_way = (down([(0, 40)], 270, 3), down([(0, 40), (60, 90)], 270, 4))

    def read(index, text, confidence):
        spans = [(10 * i, 10 * i + 4) for i in range(len(text))]
        if unit == "line":
            return [whole(text, spans, [confidence] * len(text), index)]
        return [
            UnitReading(ImageKey(FACTS.ref, index, i), found, 0.0, 1.0)
            for i, word in enumerate(text.split())
            for found in [reading_of(word, spans[: len(word)], [confidence] * len(word))]
        ]

    sure = {90: (0.9, 0.3), 270: (0.3, 0.9)}[clear]
    units = [
        *read(0, "Dear", 0.8),
        *read(1, "my love", sure[0]),
        *read(2, "to", sure[0]),
        *read(3, "ol", sure[1]),
        *read(4, "anof hu", sure[1]),
    ]
    page = assemble(FACTS, (body, *this_way), units, other_way)
    assert texts_of(page) == ("Dear\nmy love\nto" if clear == 90 else "Dear\nol\nanof hu")
    assert [(w.line, w.turn) for w in page.words] == (
        [(0, 0), (1, clear), (1, clear), (2, clear)] if clear == 90 else [(0, 0), (1, clear), (2, clear), (2, clear)]
    )
    assert len(page.lines) == 3


def test_margins_of_an_open_book_are_taken_the_way_that_reads_better_each():
    lines = (
        line_of([(0, 40)], 0),
        down([(0, 40)], 90, 1, region=1),
        replace(line_of([(0, 40)], 2), region=2),
        down([(0, 40)], 90, 3, region=3),
    )
    other_way = (down([(0, 40)], 270, 4, region=1), down([(0, 40)], 270, 5, region=3))
    texts = {0: ("Left", 0.8), 1: ("up", 0.9), 2: ("Right", 0.8), 3: ("no", 0.2), 4: ("dn", 0.3), 5: ("down", 0.7)}
    units = [whole(t, [(4 * i, 4 * i + 2) for i in range(len(t))], [c] * len(t), k) for k, (t, c) in texts.items()]
    page = assemble(FACTS, lines, units, other_way)
    assert texts_of(page) == "Left\nup\nRight\ndown"
    assert [(w.line, w.region, w.turn) for w in page.words] == [(0, 0, 0), (1, 1, 90), (2, 2, 0), (3, 3, 270)]


@pytest.mark.parametrize(
    ("text", "sure", "cell", "in_text"),
    [
        ("I", 0.3, None, False),
        ("a(b.", 0.8, None, False),  # 0.8 ** 4 is less than a half
        ("4", 0.6, None, True),
        ("abcd", 0.9, None, True),
        ("doubt", 0.3, None, True),
        ("(", 1.0, None, False),
        ("—.", 1.0, None, False),
        ("7", 0.3, Cell(1, 2), True),
        ("-", 1.0, Cell(1, 2), True),
    ],
)
def test_scraps_are_no_part_of_the_text_but_keep_their_words(text, sure, cell, in_text):
    lines = (line_of([(0, 80)]), replace(line_of([(0, 80)], index=1), cell=cell))
    letters = [(i, i + 1) for i in range(6)]
    readings = [whole("ledger", letters, [1.0] * 6), whole(text, letters[: len(text)], [sure] * len(text), 1)]
    page = assemble(FACTS, lines, readings)
    assert page.text == ("ledger\n" + text if in_text else "ledger")
    assert [word.text for word in page.words] == ["ledger", text] and page.lines[1].text == text


@pytest.mark.parametrize(("letters", "turned"), [(9, False), (11, False), (13, True)])
def test_page_is_turned_only_where_it_reads_plainly_better(letters, turned):
    def page_of(count):
        return assemble(
            FACTS, (line_of([(0, 80)]),), [whole("a" * count, [(i, i + 1) for i in range(count)], [1.0] * count)]
        )

    likelier, other = page_of(10), page_of(letters)
    assert better_way_up(likelier, other) is (other if turned else likelier)
