"""The steps of the graph: thin Beam transforms around plain functions.

Every step that can fail has a second output, `FAILURES`: an error costs a page or a word, never the run.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import apache_beam as beam
import cv2
from apache_beam.metrics import Metrics

from htr_model.cores import usable_cores
from htr_model.normalization import Normalization, normalize
from htr_model.readers.files import printable
from pipelines.assembly import UnitReading, assemble, better_way_up
from pipelines.files import page_stem, read_bytes, write_bytes
from pipelines.inputs import Document
from pipelines.job import Job
from pipelines.model_handler import ImageKey, Recognized, TextImage
from pipelines.records import Failure, PageFacts, PageText
from pipelines.shared import one_per_process
from pipelines.volumes import RecentVolumes, upright_page
from pipelines.wording import counted
from segmentation.decoding import DecodingSettings, Page, PageRef, check_bytes, count_pages, decode_page
from segmentation.geometry import Line
from segmentation.page import UprightPage, ways_up
from segmentation.pictures.overlay import draw_overlay
from segmentation.segmented import SegmentedPage

FAILURES = "failures"
LAYOUTS = "layouts"
IMAGES = "images"

NAMESPACE = "inkbeam"
log = logging.getLogger(__name__)
_REPORT_SECONDS = 20
_FIRST_REPORT_SECONDS = 5


@dataclass(frozen=True)
class PageTask:
    """A page to be read, and what was known of its document when it was listed."""

    ref: PageRef
    document: Document
    document_pages: int


@dataclass(frozen=True)
class PageLayout:
    """A segmented page without its pixels.

    Attributes:
        lines, other_way: as in `segmentation.segmented.Layout`.
        attempt: counts the runs in a row that tried to read it.
        on_its_head: the same page the other way up, its lines numbered on from this one's; None where nobody doubts.
    """

    facts: PageFacts
    lines: tuple[Line, ...]
    other_way: tuple[Line, ...] = ()
    attempt: int = 1
    on_its_head: PageLayout | None = None


def failure(stage: str, document: Document, page_index: int | None, error: Exception, pages: int | None) -> Failure:
    """A failure row of an exception; ``pages`` of the document where they are known."""
    Metrics.counter(NAMESPACE, f"failures_{stage}").inc()
    texts = (type(error).__name__, str(error), "".join(traceback.format_exception(error)))
    return Failure(
        stage,
        printable(document.uri),
        page_index,
        *map(printable, texts),
        attempts=document.attempt(page_index),
        source_size=document.size,
        source_modified=document.modified,
        document_pages=pages,
    )


class UnusableName(Exception):
    """A file's name is not text, so that no table can hold it."""


def pages_of(document: Document, settings: DecodingSettings) -> list[PageTask]:
    """The pages of a document that are to be read.

    Raises:
        UnusableName, OSError, DecodingError: the file cannot be named or read, or is no document.
    """
    name = printable(document.uri)
    if name != document.uri:
        raise UnusableName(f"{name}: the file's name is not valid UTF-8. Rename it.")
    check_bytes(document.size, document.uri, settings)
    pages = count_pages(read_bytes(document.uri), document.uri, settings)
    return [PageTask(PageRef(document.uri, i), document, pages) for i in range(pages) if i not in document.left_out]


class ListPages(beam.DoFn):
    """Documents → their pages."""

    def __init__(self, settings: DecodingSettings):
        self._settings = settings

    def process(self, document: Document):
        try:
            yield from pages_of(document, self._settings)
        except Exception as error:
            yield beam.pvalue.TaggedOutput(FAILURES, failure("list", document, None, error, None))


def facts_of(task: PageTask, page: Page, way: UprightPage) -> PageFacts:
    """What the pages table says, beside its text, of a page the way up in which it was segmented."""
    layout = way.segmented.layout
    return PageFacts(
        ref=task.ref,
        document_pages=task.document_pages,
        source_sha256=page.source_sha256,
        source_size=task.document.size,
        source_modified=task.document.modified,
        width=way.gray.shape[1],
        height=way.gray.shape[0],
        dpi=page.dpi,
        rotation_degrees=(page.rotation + way.turn) % 360,
        skew_degrees=layout.skew_degrees,
        discarded_ink=layout.discarded_ink / layout.ink if layout.ink else 0.0,
    )


def text_images(
    ref: PageRef, segmented: SegmentedPage, unit: str, settings: Normalization, first_line: int = 0
) -> Iterator[TextImage]:
    """Pictures of a page's lines or words, ready for the recogniser; of sideways lines both ways.

    Args:
        first_line: number of the first line in the pictures' keys.
    """
    for line in segmented.layout.lines + segmented.layout.other_way:
        if unit == "line":
            pictures = [(None, segmented.line_picture(line.index))]
        else:
            pictures = [(i, segmented.word_picture(line.index, i)) for i in range(len(line.words))]
        for word_index, picture in pictures:
            normal = normalize(picture, settings)
            key = ImageKey(ref, first_line + line.index, word_index)
            yield TextImage(key, normal.pixels, normal.left, normal.scale)


@dataclass(frozen=True)
class PageOutcome:
    """A page read and segmented, or at which stage and why not.

    Attributes:
        images: of its lines or words.
        seconds: by stage.
    """

    task: PageTask
    layout: PageLayout | None
    images: tuple[TextImage, ...]
    seconds: dict[str, float]
    failed_stage: str | None = None
    error: Exception | None = None


def read_and_segment(task: PageTask, job: Job, normalization: Normalization, volumes: RecentVolumes) -> PageOutcome:
    """A page's layout and the pictures of its writing. Raises nothing: an error is part of the outcome."""
    stage = "read"
    try:
        started = time.perf_counter()
        document = task.document
        data, sha256 = volumes.content(document.uri, task.document_pages, document.fingerprint())
        page = decode_page(data, task.ref, job.decoding, sha256)
        decoded = time.perf_counter()
        stage = "segment"
        layout, images = laid_out(task, page, ways_up(page.gray, job.segmentation), job.unit, normalization)
    except Exception as error:
        return PageOutcome(task, None, (), {}, stage, error)
    seconds = {"read": decoded - started, "segment": time.perf_counter() - decoded}
    return PageOutcome(task, layout, tuple(images), seconds)


def laid_out(
    task: PageTask, page: Page, ways: Iterable[UprightPage], unit: str, settings: Normalization
) -> tuple[PageLayout, list[TextImage]]:
    """A page's layout and the pictures of its writing, of every way up that it may have, the likelier first."""
    layouts: list[PageLayout] = []
    images: list[TextImage] = []
    first_line = 0
    for way in ways:
        images += text_images(task.ref, way.segmented, unit, settings, first_line)
        layouts.append(_layout(task, page, way, first_line))
        first_line += len(layouts[-1].lines) + len(layouts[-1].other_way)
    return replace(layouts[0], on_its_head=layouts[1] if len(layouts) > 1 else None), images


def _layout(task: PageTask, page: Page, way: UprightPage, first_line: int) -> PageLayout:
    """A page's layout the way up in which it was segmented, its lines numbered from ``first_line`` on."""
    found = way.segmented.layout
    lines, other_way = (
        tuple(replace(line, index=first_line + line.index) for line in some) for some in (found.lines, found.other_way)
    )
    attempt = task.document.attempt(task.ref.page_index)
    return PageLayout(facts_of(task, page, way), lines, other_way, attempt)


_MOST_THREADS = 8
"""Pages at once in a process: each takes up to 100 MB while it is segmented."""


def pages_at_once(job: Job) -> int:
    """Pages that a worker process reads and segments at the same time, a thread each."""
    return min(job.threads or usable_cores(), _MOST_THREADS)


def pages_in_a_batch(job: Job) -> int:
    """Pages that `ReadAndSegment` is given together: several a thread, so that no thread waits long for the slowest."""
    return 4 * pages_at_once(job)


class ReadAndSegment(beam.DoFn):
    """Batches of pages → their layouts, and the pictures of their lines or words.

    Pages of a batch are read on threads: nearly all the time goes into OpenCV and NumPy, which let others run. The
    first pages' pictures go on to the recogniser while the last ones are still being segmented.
    """

    def __init__(self, job: Job, normalization: Normalization):
        self._job = job
        self._normalization = normalization
        self._pages = 0
        self._reported = 0.0

    def setup(self):
        # A thread a page keeps the cores busier than OpenCV's own threads do, which help in some steps only.
        cv2.setNumThreads(1)
        self._pool = one_per_process(ThreadPoolExecutor, pages_at_once(self._job), "pages")
        self._volumes = one_per_process(RecentVolumes)
        self._reported = time.monotonic() - _REPORT_SECONDS + _FIRST_REPORT_SECONDS

    def teardown(self):
        # Its threads end when the last step of the process has let go of it.
        self._pool = self._volumes = None

    def process(self, tasks: list[PageTask]):
        work = partial(read_and_segment, job=self._job, normalization=self._normalization, volumes=self._volumes)
        for outcome in self._pool.map(work, tasks):
            ref = outcome.task.ref
            if outcome.error is not None:
                document, pages = outcome.task.document, outcome.task.document_pages
                lost = failure(outcome.failed_stage, document, ref.page_index, outcome.error, pages)
                yield beam.pvalue.TaggedOutput(FAILURES, lost)
                continue
            for stage, seconds in outcome.seconds.items():
                Metrics.distribution(NAMESPACE, f"{stage}_milliseconds").update(round(seconds * 1000))
            yield beam.pvalue.TaggedOutput(LAYOUTS, (ref, outcome.layout))
            yield from outcome.images
            self._report()

    def _report(self) -> None:
        self._pages += 1
        now = time.monotonic()
        if now - self._reported > _REPORT_SECONDS:
            self._reported = now
            log.info("%s segmented by this worker", counted(self._pages, "page"))


def unit_reading(recognized: Recognized) -> UnitReading:
    """What was read in a picture, without an error, as its page is put together of it."""
    key = recognized.key
    return UnitReading(key.line_index, key.word_index, recognized.reading, recognized.left, recognized.scale)


class SortOutErrors(beam.DoFn):
    """Recognised pictures → readings by page; errors aside."""

    def process(self, recognized: Recognized):
        key = recognized.key
        if recognized.reading is not None:
            yield key.page, unit_reading(recognized)
            return
        Metrics.counter(NAMESPACE, "failures_recognise").inc()
        error = recognized.error
        message = f"line {key.line_index}, word {key.word_index}: {error.message}"
        row = Failure("recognise", key.page.uri, key.page.page_index, error.error_type, message, error.traceback)
        yield beam.pvalue.TaggedOutput(FAILURES, row)


class NothingRead(Exception):
    """No line of a page could be recognised; the lines have failures of their own."""


def page_text(layout: PageLayout, readings: list[UnitReading]) -> PageText:
    """A page's text, of the way up in which it reads better.

    Raises:
        NothingRead: it has lines, and none of them was read.
    """
    facts = layout.facts
    if layout.lines and not readings:
        number = facts.ref.page_index + 1
        raise NothingRead(f"{facts.ref.uri}: none of the {len(layout.lines)} lines of page {number} could be read")
    page = assemble(facts, layout.lines, readings, layout.other_way)
    if other := layout.on_its_head:
        page = better_way_up(page, assemble(other.facts, other.lines, readings, other.other_way))
    return page


def lost_page(layout: PageLayout, error: Exception) -> Failure:
    """The failure of a page that could not be assembled."""
    facts = layout.facts
    page = facts.ref.page_index
    tried = Document(facts.ref.uri, facts.source_size, facts.source_modified, failed=((page, layout.attempt - 1),))
    return failure("assemble", tried, page, error, facts.document_pages)


class AssemblePages(beam.DoFn):
    """Layouts and readings of a page → its text, or a failure: without a row in the pages table it is tried again."""

    def process(self, element):
        _, groups = element
        readings = list(groups["readings"])
        for layout in groups["layout"]:
            try:
                page = page_text(layout, readings)
            except Exception as error:
                yield beam.pvalue.TaggedOutput(FAILURES, lost_page(layout, error))
                continue
            Metrics.counter(NAMESPACE, "pages").inc()
            Metrics.counter(NAMESPACE, "words").inc(len(page.words))
            yield page


class DrawOverlays(beam.DoFn):
    """Writes a picture of each page with its boxes and text; gives failures."""

    def __init__(self, folder: str, settings: DecodingSettings):
        self._folder = folder
        self._settings = settings

    def setup(self):
        self._volumes = one_per_process(RecentVolumes)

    def teardown(self):
        self._volumes = None

    def process(self, page: PageText):
        ref = page.facts.ref
        try:
            stem = page_stem(ref.uri, ref.page_index, page.facts.document_pages)
            write_bytes(f"{self._folder}/{stem}.jpg", self._draw(page))
        except Exception as error:
            facts = page.facts
            document = Document(ref.uri, facts.source_size, facts.source_modified)
            yield failure("draw", document, ref.page_index, error, facts.document_pages)

    def _draw(self, page: PageText) -> bytes:
        facts = page.facts
        place = facts.ref, facts.document_pages, facts.rotation_degrees
        version = Document(facts.ref.uri, facts.source_size, facts.source_modified).fingerprint()
        gray = upright_page(*place, self._settings, self._volumes, version=version).gray
        boxes: list[list] = [[] for _ in page.lines]
        turns = [0] * len(page.lines)
        for word in page.words:
            boxes[word.line_index].append(word.box)
            turns[word.line_index] = word.turn
        picture = draw_overlay(gray, [x.box for x in page.lines], boxes, [x.text for x in page.lines], turns)
        return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
