import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest

from htr_model.normalization import Normalization, normalize
from htr_model.reading import Reading
from pipelines import transforms
from pipelines.assembly import UnitReading
from pipelines.inputs import Document
from pipelines.job import Job
from pipelines.records import PageFacts
from pipelines.transforms import (
    AssemblePages,
    PageLayout,
    ReadAndSegment,
    UnusableName,
    pages_of,
    read_and_segment,
    text_images,
)
from pipelines.volumes import RecentVolumes
from segmentation.decoding import DecodingError, DecodingSettings, PageRef
from segmentation.geometry import Box, Line, Piece
from segmentation.page import segment
from tests import broken_files
from tests.pipelines.drawing import LETTER, page
from tests.segmentation.drawing import TEXT, draw_page

SETTINGS = DecodingSettings()


def document(path, content, done=()):
    path.write_bytes(content)
    return Document(str(path), len(content), 1.0, frozenset(done))


def test_pages_of_a_document_are_those_not_done(tmp_path):
    frames = document(tmp_path / "a.tif", broken_files.tiff_of_levels([10, 120, 240]), done={1})
    tasks = pages_of(frames, SETTINGS)
    assert [t.ref for t in tasks] == [PageRef(frames.uri, 0), PageRef(frames.uri, 2)]
    assert {t.document_pages for t in tasks} == {3}


@pytest.mark.parametrize("name", ["empty.png", "login.jpg", "encrypted.pdf", "frameless.tif"])
def test_document_that_is_none_cannot_be_listed(tmp_path, name):
    with pytest.raises(DecodingError):
        pages_of(document(tmp_path / name, broken_files.BROKEN[name]()), SETTINGS)


def test_file_whose_name_is_no_text_cannot_be_listed():
    with pytest.raises(UnusableName, match=r"caf\\udce9.png: .*Rename it"):
        pages_of(Document("/s/caf\udce9.png", 1, 1.0), SETTINGS)


@pytest.mark.parametrize("unit", ["line", "word"])
def test_pictures_are_made_by_the_one_normalisation_and_keyed_by_their_place(unit):
    segmented, settings, ref = segment(page(LETTER)), Normalization(), PageRef("/s/letter.png", 3)
    images = list(text_images(ref, segmented, unit, settings))
    lines = segmented.layout.lines
    if unit == "line":
        expected = [(line.index, None, segmented.line_picture(line.index)) for line in lines]
    else:
        expected = [
            (line.index, i, segmented.word_picture(line.index, i)) for line in lines for i in range(len(line.words))
        ]
    assert [(i.key.page, i.key.line_index, i.key.word_index) for i in images] == [(ref, a, b) for a, b, _ in expected]
    for image, (_, _, picture) in zip(images, expected, strict=True):
        normal = normalize(picture, settings)
        assert image.pixels.tobytes() == normal.pixels.tobytes()
        assert (image.left, image.scale) == (normal.left, normal.scale)


def assembled(layout, readings):
    return list(AssemblePages().process((layout.facts.ref, {"layout": [layout], "readings": readings})))


def test_page_of_which_nothing_could_be_read_has_no_row_and_so_is_tried_again():
    box = Box(0, 0, 10, 10)
    line = Line(0, box, (Piece(box, 0.0, 10.0),), ((0, 1),))
    facts = PageFacts(PageRef("/scans/a.png", 0), 1, "0" * 64, 1, None, 20, 20, None, 0, 0.0, 0.0)
    reading = UnitReading(0, None, Reading("a", 0.5, 0.5, ((0, 10),), (0.5,), (0.5,)), 0.0, 1.0)
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
    unreadable = UnitReading(0, None, None, 0.0, 1.0)
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
            UnitReading(i, None, Reading("ink", p, p, ((0, 9), (9, 18), (18, 27)), (p,) * 3, (p,)), 0.0, 1.0)
            for i in numbers
            for p in [0.9 if i in [line.index for line in sure.lines] else 0.4]
        ]
        (page,) = assembled(layout, readings)
        assert page.facts == sure.facts
        assert [line.box for line in page.lines] == [line.box for line in sure.lines]


def test_a_page_whose_letters_tell_is_read_once(tmp_path):
    (task,) = pages_of(document(tmp_path / "a.png", cv2.imencode(".png", draw_page().gray)[1].tobytes()), SETTINGS)
    outcome = read_and_segment(task, Job(inputs=(), output="/out", run_id="r"), Normalization(), RecentVolumes())
    assert outcome.layout.on_its_head is None
    assert len(outcome.images) == len(outcome.layout.lines)


@pytest.fixture
def copies():
    """Copies of the step that reads pages, as a runner makes them for work that it does at once."""
    step = pickle.dumps(ReadAndSegment(Job(inputs=(), output="/out", run_id="r", threads=2), Normalization()))
    made = [pickle.loads(step) for _ in range(4)]
    for copy in made:
        copy.setup()
    yield made
    for copy in made:
        copy.teardown()


def grey_pages(path):
    return pages_of(document(path, broken_files.tiff_of_levels([10, 120, 240])), SETTINGS)


def test_copies_of_a_step_in_one_process_share_its_threads(copies, tmp_path, monkeypatch):
    """Each page takes up to 100 MB while it is segmented."""
    decode, threads = transforms.decode_page, set()

    def decode_page(*arguments):
        threads.add(threading.current_thread())
        return decode(*arguments)

    monkeypatch.setattr(transforms, "decode_page", decode_page)
    batches = [grey_pages(tmp_path / f"{i}.tif") for i in range(len(copies))]
    with ThreadPoolExecutor(len(copies)) as pool:
        given = list(pool.map(lambda copy, tasks: list(copy.process(tasks)), copies, batches))
    assert [[output.value[0] for output in outputs] for outputs in given] == [[t.ref for t in b] for b in batches]
    assert len(threads) <= 2


def test_progress_is_told_soon(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(transforms, "_FIRST_REPORT_SECONDS", 0)
    step = ReadAndSegment(Job(inputs=(), output="/out", run_id="r"), Normalization())
    step.setup()
    with caplog.at_level("INFO", logger="pipelines"):
        list(step.process(grey_pages(tmp_path / "a.tif")))
    step.teardown()
    assert [r.message for r in caplog.records] == ["1 page segmented by this worker"]
