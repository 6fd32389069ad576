import cv2

from htr_model.normalization import Normalization
from htr_model.reading import Reading
from pipelines.job import Job
from pipelines.page_text import PageFacts
from pipelines.steps.assembling import AssemblePages
from pipelines.steps.layouts import PageLayout
from pipelines.steps.listing import pages_of
from pipelines.steps.reading import read_and_segment
from pipelines.steps.units import ImageKey, UnitReading
from pipelines.volumes import RecentVolumes
from segmentation.decoding import DecodingSettings, PageRef
from segmentation.geometry import Box, Line, Piece
from tests.pipelines.steps.documents import document
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
