"""Pages with known lines, made ready for the network that finds lines."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np

from htr_model.data.samples import Skipped
from htr_model.data.splits import usual_split
from htr_model.line_finder.pages import STORED, LinePage
from htr_model.readers.page_truth import TruePage
from pipelines.evaluation.ground_truth import UnusableTruth, load_page
from pipelines.logs import configure_logging
from segmentation.decoding import DecodingError
from segmentation.ink.preparation import Prepared, prepare
from segmentation.page import SegmentationSettings
from segmentation.scaling import scaled

log = logging.getLogger(__name__)


def line_pages(pages: Iterable[TruePage | Skipped], workers: int = 1) -> Iterator[LinePage]:
    """What the network can learn from of some pages; those that are of no use are told of in the log.

    Args:
        workers: processes; with one everything runs in this one.
    """
    usable = []
    for page in pages:
        if isinstance(page, Skipped):
            log.warning("%s: left out: %s", page.id, page.reason)
        else:
            usable.append(page)
    if workers > 1:
        # Logging is set first: Beam, which the work needs, complains of clients that are not installed.
        with ProcessPoolExecutor(workers, get_context("spawn"), configure_logging, (False,)) as pool:
            made = pool.map(_made_in_worker, usable, chunksize=4)
            yield from _usable(made)
    else:
        yield from _usable(map(_made_or_why_not, usable))


def _usable(made: Iterable[LinePage | str]) -> Iterator[LinePage]:
    for page in made:
        if isinstance(page, str):
            log.warning("%s", page)
        else:
            yield page


def _made_in_worker(page: TruePage) -> LinePage | str:
    cv2.setNumThreads(1)
    return _made_or_why_not(page)


def _made_or_why_not(page: TruePage) -> LinePage | str:
    try:
        made = line_page(page, load_page(page).gray)
    except (OSError, DecodingError, UnusableTruth) as error:
        return f"{page.picture}: left out: {error}"
    return made or f"{page.picture}: left out, no writing was found on it"


def line_page(page: TruePage, gray: np.ndarray) -> LinePage | None:
    """A page to learn from, of its picture, uint8 (height, width); None where there is no ink on it."""
    prepared = prepare(gray, SegmentationSettings().working_side)
    if prepared.scale is None:
        return None
    x_height = prepared.scale.x_height
    inks, middles = [], []
    pale = np.zeros(prepared.ink.shape, bool)
    for line in (line for line in page.lines if line.outlines):
        inside, top = _inside([_to_working(prepared, o) for o in line.outlines], prepared.ink.shape)
        rows = slice(top, top + len(inside))
        ys, xs = np.nonzero(prepared.ink[rows] & inside)
        seen = len(xs) >= prepared.scale.stroke_width**2
        if seen:
            inside[:, max(0, int(xs.min() - x_height)) : int(xs.max() + x_height) + 1] = False
        # Where a line is known to be and no ink was found, it is too pale to say where it runs.
        pale[rows] |= inside
        if not seen:
            continue
        inks.append((ys + top, xs))
        middles.append(_middle(ys + top, xs, _to_working(prepared, line.baseline), x_height))
    factor = STORED / x_height
    picture = 255 - scaled(prepared.flat, factor)
    untold = _untold(prepared, inks) | pale.astype(np.uint8)
    unknown = cv2.resize(untold, picture.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
    lines = tuple(((m + 0.5) * factor - 0.5).astype(np.float32) for m in middles)
    split = page.split or usual_split(f"{page.collection}/{page.picture.name}")
    return LinePage(page.collection, split, picture, lines, unknown)


def _to_working(page: Prepared, points: np.ndarray) -> np.ndarray:
    """Points of the page, float (n, 2), in its working picture."""
    turn = page.placement.turn
    return points * page.placement.factor @ turn[:, :2].T + turn[:, 2]


def _inside(outlines: list[np.ndarray], shape: tuple[int, int]) -> tuple[np.ndarray, int]:
    """The rows of a picture of ``shape`` that the outlines reach, bool, True inside of them; and the first row."""
    points = np.vstack(outlines)
    top, bottom = np.clip([np.floor(points[:, 1].min()), np.ceil(points[:, 1].max()) + 1], 0, shape[0]).astype(int)
    inside = np.zeros((bottom - top, shape[1]), np.uint8)
    if inside.size:
        cv2.fillPoly(inside, [np.round(o - (0, top)).astype(np.int32) for o in outlines], 1)
    return inside > 0, int(top)


_WINDOW = 8.0
"""X-heights of a line of which the middle is sought at once."""


def _middle(ys: np.ndarray, xs: np.ndarray, baseline: np.ndarray, x_height: float) -> np.ndarray:
    """The middle of a line's x-height zone, float (n, 2) of x, y from its first to its last ink.

    The rows of an x-height's width that hold most ink, first of the whole line beside its baseline, then of each
    window of it near those; a baseline drawn straight by hand need not be where the letters stand.

    Args:
        ys, xs: the line's ink.
        baseline: float (n, 2), or (0, 2) where it is not known.
    """
    if len(baseline) >= 2:
        base = np.interp(np.arange(xs.max() + 1), baseline[:, 0], baseline[:, 1]) - 0.5 * x_height
        reach = 0.6
    else:
        base = np.full(xs.max() + 1, np.median(ys))
        reach = 1.2
    offsets = ys - base[xs]
    whole = _fullest(offsets, 0.0, reach * x_height, x_height)
    step = _WINDOW * x_height / 2
    centres = np.arange(xs.min() + step / 2, xs.max() - step / 2, step) if np.ptp(xs) > 2 * step else []
    points = []
    for centre in centres:
        near = np.abs(xs - centre) < step
        local = whole
        if np.count_nonzero(near) > x_height:
            local = _fullest(offsets[near], whole, 0.4 * x_height, x_height)
        points.append((centre, local))
    at = np.array([p[0] for p in points] or [xs.min()])
    by = np.array([p[1] for p in points] or [whole])
    if len(by) >= 3:
        by = np.convolve(np.pad(by, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    columns = np.unique(np.append(np.arange(xs.min(), xs.max(), max(1.0, x_height)), xs.max()).astype(int))
    if len(columns) < 2:
        columns = np.array([columns[0], columns[0] + 1])
    rows = base[np.minimum(columns, len(base) - 1)] + np.interp(columns, at, by)
    return np.column_stack([columns, rows])


def _fullest(offsets: np.ndarray, middle: float, reach: float, height: float) -> float:
    """The offset within ``reach`` of ``middle`` around which ``height`` rows hold most ink; the nearer of equals."""
    candidates = np.linspace(middle - reach, middle + reach, 17)
    ordered = np.sort(offsets)
    held = np.searchsorted(ordered, candidates + height / 2) - np.searchsorted(ordered, candidates - height / 2)
    return float(candidates[np.argmax(held * (1 - 0.1 * np.abs(candidates - middle) / max(reach, 1e-6)))])


_NEAR = 1.5
"""X-heights from a known line's ink within which other ink belongs to it, or is known to be no line."""


def _untold(page: Prepared, inks: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Where there may be lines that the ground truth leaves out: uint8 (h, w).

    Those who transcribe often leave out letterheads, page numbers and printed lines. What is as dark as the known
    lines and lies apart from them may be such; what shows through the sheet is paler, and no line for sure.
    """
    h, w = page.ink.shape
    untold = page.ink.copy()
    if inks:
        known = np.zeros((h, w), np.uint8)
        ys, xs = (np.concatenate(a) for a in zip(*inks, strict=True))
        known[ys, xs] = 1
        reach = 2 * int(_NEAR * page.scale.x_height) + 1
        near = cv2.dilate(known, np.ones((reach, reach), np.uint8)) > 0
        darkness = 255 - page.flat
        untold &= ~near & (darkness > 0.6 * np.median(darkness[ys, xs]))
    # Single dark pixels of pale strokes do not count.
    untold = cv2.morphologyEx(untold.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    reach = int(2 * page.scale.x_height) | 1
    return cv2.dilate(untold, np.ones((reach, reach), np.uint8))
