"""Pages with their ground truth: their pictures, and what was found on them beside the true lines and words."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from htr_model.readers.page_truth import TruePage
from segmentation.decoding import DecodingSettings, Page, PageRef, decode_page
from segmentation.drawing.contact_sheet import draw_comparison, draw_found
from segmentation.geometry import Box
from segmentation.page import SegmentationSettings, segment, segment_upright
from segmentation.scores.line_scores import (
    InkOverlap,
    LineScores,
    TrueInk,
    divide_ink,
    overlap,
    score_lines,
    writing_ink,
)
from segmentation.segmented import SegmentedPage


class UnusableTruth(Exception):
    """A page's ground truth does not fit its picture."""


def load_page(page: TruePage) -> Page:
    """The picture of a page.

    Raises:
        OSError, DecodingError, UnusableTruth: it cannot be read, or is not of the size that the ground truth tells.
    """
    decoded = decode_page(page.picture.read_bytes(), PageRef(str(page.picture), 0), DecodingSettings())
    height, width = decoded.gray.shape
    if page.size and page.size != (width, height):
        raise UnusableTruth(
            f"the picture has {width} × {height} pixels, its ground truth {page.size[0]} × {page.size[1]}"
        )
    return decoded


@dataclass(frozen=True)
class Comparison:
    """The ink of a page's found and true lines.

    Attributes:
        found: uint16 (height, width), i + 1 where ink belongs to found line i.
    """

    truth: TrueInk
    found: np.ndarray = field(repr=False)
    ink: InkOverlap
    scores: LineScores


def compare(page: TruePage, gray: np.ndarray, segmented: SegmentedPage) -> Comparison:
    """The lines found on a page, beside the true ones."""
    lines, unread = _outlines(page)
    truth = divide_ink(writing_ink(gray), lines, page.line_height, unread)
    found = segmented.line_numbers()
    ink = overlap(found, len(segmented.layout.lines), truth)
    return Comparison(truth, found, ink, score_lines(ink))


def _outlines(page: TruePage) -> tuple[list, list]:
    """Outlines of the true lines, and of those that are marked but not read; lines without a place are neither.

    Where no line has text, the ground truth is of lines alone, and all of them are true.
    """
    placed = [line for line in page.lines if line.outlines]
    if not page.text:
        return [line.outlines for line in placed], []
    return [x.outlines for x in placed if x.text], [x.outlines for x in placed if not x.text]


def true_words(page: TruePage) -> list[Box]:
    """Boxes of all true words; none where a line lacks them."""
    lines = [line for line in page.lines if line.text]
    if not all(line.words for line in lines):
        return []
    return [Box(*word.box) for line in lines for word in line.words]


def draw_page(page: TruePage, settings: SegmentationSettings | None = None) -> np.ndarray:
    """A page's found lines, over its true ones where these are known, uint8 (h, w, 3) RGB; see
    `segmentation.drawing.contact_sheet`.

    Raises:
        OSError, DecodingError, UnusableTruth: the page cannot be used.
    """
    gray = load_page(page).gray
    if not page.is_placed:
        upright = segment_upright(gray, settings)
        return draw_found(upright.gray, upright.segmented.layout.lines)
    compared = compare(page, gray, segment(gray, settings))
    return draw_comparison(compared.truth, compared.found, compared.ink, compared.scores, *_outlines(page))
