"""Whole pages against their ground truth: lines, words, reading order and text, one page after another."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from htr_model.readers.page_truth import TruePage
from htr_model.scoring.page_text import comparable
from pipelines import files
from pipelines.evaluation.ground_truth import Comparison, compare, load_page, true_words
from pipelines.inputs import Document
from pipelines.page_text import PageText
from pipelines.steps.assembling import page_text
from pipelines.steps.layouts import facts_of, laid_out
from pipelines.steps.listing import PageTask
from pipelines.steps.recognising import RecognizerHandler, recognise
from pipelines.steps.units import UnitReading
from segmentation.decoding import Page
from segmentation.geometry import Line
from segmentation.page import SegmentationSettings, UprightPage, segment, ways_up
from segmentation.scores.line_scores import LineScores
from segmentation.scores.metrics import Scores, compare_boxes

WORD_THRESHOLDS = (0.5, 0.7)
"""Intersections over union from which a found and a true word box match."""


@dataclass(frozen=True)
class PageTexts:
    """A page's true text and what was read, as they are compared (`htr_model.scoring.page_text.comparable`).

    Attributes:
        read: text of the lines that are counted.
        read_in_true_order: the same lines in the order in which the ground truth has them (`in_true_order`); None where
            that does not say where its lines stand.
        read_all: the text that ``digitize`` writes: also of lines in places that the ground truth leaves out.
    """

    true: str
    read: str
    read_in_true_order: str | None
    read_all: str


@dataclass(frozen=True)
class PageResult:
    """How well a page was found and read.

    Attributes:
        lines: None where the ground truth does not say where its lines stand.
        words: scores of word boxes at each of `WORD_THRESHOLDS`; None where the ground truth lacks words' boxes. Where
            text was read, the boxes are those that ``digitize`` writes, else words by the gaps in the ink. Words of
            lines that are not counted are not counted.
        texts: None where no text was read.
        discarded_ink: share of the page's ink that is in no line, 0–1.
        x_height: of the page's writing, pixels.
        segment_seconds: for finding lines and words; ``segment_cpu_seconds`` the processor's time for it.
        read_seconds: for reading the lines and putting the page together; 0 where no text was read.
    """

    collection: str
    picture: Path
    split: str | None
    lines: LineScores | None
    words: tuple[Scores, ...] | None
    texts: PageTexts | None
    discarded_ink: float
    x_height: float
    segment_seconds: float
    segment_cpu_seconds: float
    read_seconds: float


def evaluate_page(
    page: TruePage, recognizer=None, unit: str = "line", settings: SegmentationSettings | None = None
) -> PageResult:
    """How well a page's lines and words are found and, with a recogniser, read.

    Raises:
        OSError, DecodingError, UnusableTruth: the page cannot be used.
    """
    decoded = load_page(page)
    started, cpu = time.perf_counter(), time.process_time()
    ways = _ways_up(page, decoded.gray, settings)
    segment_seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu
    way, read, read_seconds = ways[0], None, 0.0
    if recognizer is not None:
        started = time.perf_counter()
        way, read = _read_upright(decoded, ways, recognizer, unit)
        read_seconds = time.perf_counter() - started
    layout = way.segmented.layout
    compared = compare(page, decoded.gray, way.segmented) if page.is_placed else None
    counted = compared.ink.counted if compared else [True] * len(layout.lines)
    boxes = [line.word_boxes() for line in layout.lines]
    if read is not None:
        # Sideways lines may have been read the other way, in another order.
        keep_of = {line.box: keep for line, keep in zip(layout.lines, counted, strict=True)}
        counted = [keep_of.get(line.box, True) for line in read.lines]
        boxes = [[w.box for w in read.words if w.line == i] for i in range(len(read.lines))]
    true_boxes = true_words(page)
    found_words = [box for words, keep in zip(boxes, counted, strict=True) if keep for box in words]
    return PageResult(
        collection=page.collection,
        picture=page.picture,
        split=page.split,
        lines=compared and compared.scores,
        words=tuple(compare_boxes(found_words, true_boxes, t) for t in WORD_THRESHOLDS) if true_boxes else None,
        texts=read and _compared_texts(page, read, counted, layout.lines, compared),
        discarded_ink=layout.discarded_share,
        x_height=layout.x_height,
        segment_seconds=segment_seconds,
        segment_cpu_seconds=cpu_seconds,
        read_seconds=read_seconds,
    )


def _ways_up(page: TruePage, gray: np.ndarray, settings: SegmentationSettings | None) -> list[UprightPage]:
    """A page as it lies where its true lines have their places, else every way up that it may have, as in a job."""
    if page.is_placed:
        return [UprightPage(gray, 0, segment(gray, settings))]
    return list(ways_up(gray, settings))


def _read_upright(page: Page, ways: list[UprightPage], recognizer, unit: str) -> tuple[UprightPage, PageText]:
    """The way up in which a page reads best, and its text as the ``digitize`` job makes it.

    Raises:
        NothingRead: it has lines, and none of them could be read.
    """
    task = PageTask(page.ref, Document(page.ref.uri, 0, None), 1)
    layout, images = laid_out(task, page, ways, unit, recognizer.normalization)
    read = page_text(layout, [r for r in recognise(images, recognizer) if isinstance(r, UnitReading)])
    (way,) = (way for way in ways if facts_of(task, page, way) == read.facts)
    return way, read


def _compared_texts(
    page: TruePage, read: PageText, counted: list[bool], found: tuple[Line, ...], compared: Comparison | None
) -> PageTexts:
    """What was read of a page's counted lines beside its true text."""
    kept = [line for line, keep in zip(read.lines, counted, strict=True) if keep and line.text and not line.scrap]
    ordered = None
    if compared:
        true_of = {found[i].box: true for i, true in compared.scores.pairs}
        ordered = in_true_order([line.text for line in kept], [true_of.get(line.box) for line in kept])
    return PageTexts(
        true=comparable(page.text),
        read=comparable("\n".join(line.text for line in kept)),
        read_in_true_order=None if ordered is None else comparable("\n".join(ordered)),
        read_all=comparable(read.text),
    )


def in_true_order(texts: list[str], true_lines: list[int | None]) -> list[str]:
    """Lines' texts in the order of the true lines that they match; others stay behind the line that they follow.

    Ground truths of letters have lines in an order in which nobody would read them; how well lines are read is told
    apart from that.

    Args:
        true_lines: index of the true line that each matches, None for none.
    """
    places, place = [], -1
    for true_line in true_lines:
        place = place if true_line is None else true_line
        places.append(place)
    return [texts[i] for i in sorted(range(len(texts)), key=places.__getitem__)]


@dataclass(frozen=True)
class PageFailure:
    """A page that could not be measured, and why."""

    picture: Path
    message: str


def evaluate_pages(
    pages: list[TruePage],
    handler: RecognizerHandler | None,
    unit: str = "line",
    workers: int = 1,
    settings: SegmentationSettings | None = None,
) -> Iterator[PageResult | PageFailure]:
    """Results of pages, in their order, each as soon as it is there.

    Lines are found on one thread. With one worker everything runs in this process.

    Args:
        handler: loads what reads the lines, once a process; None to read no text.
    """
    if workers > 1:
        with ProcessPoolExecutor(workers, get_context("spawn"), _begin_worker, (handler,)) as pool:
            yield from pool.map(partial(_evaluate_in_worker, unit=unit, settings=settings), pages)
        return
    recognizer = handler.load_model() if handler else None
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        for page in pages:
            yield _result_or_failure(page, recognizer, unit, settings)
    finally:
        cv2.setNumThreads(threads)


def _result_or_failure(
    page: TruePage, recognizer, unit: str, settings: SegmentationSettings | None
) -> PageResult | PageFailure:
    try:
        return evaluate_page(page, recognizer, unit, settings)
    except Exception as error:
        return PageFailure(page.picture, f"{type(error).__name__}: {error}")


_recognizer_of_worker = None


def _begin_worker(handler: RecognizerHandler | None) -> None:
    global _recognizer_of_worker
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    cv2.setNumThreads(1)
    files.configure([])
    _recognizer_of_worker = handler.load_model() if handler else None


def _evaluate_in_worker(page: TruePage, unit: str, settings: SegmentationSettings | None) -> PageResult | PageFailure:
    return _result_or_failure(page, _recognizer_of_worker, unit, settings)
