"""A grey page made ready for its lines to be found: at the working scale, on even paper, level and measured."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.ink.binarisation import Tones, binarise
from segmentation.ink.cleaning import remove_border_and_bars, remove_long_strokes
from segmentation.ink.components import Components, components
from segmentation.ink.page_rules import Rules, rules_of
from segmentation.ink.paper import flat_sheet, is_negative
from segmentation.ink.scale import Scale, measure, stroke_width
from segmentation.ink.skew import estimate_skew
from segmentation.ink.stamps import find_stamps, stamped
from segmentation.placement import Placement
from segmentation.scaling import scaled

_LEAST_SKEW = 0.4
"""A page is not turned by fewer degrees: lines are levelled one by one anyway."""
_LEAST_INK = 60
"""A page with fewer pixels of ink is empty."""
_SMALLEST_WRITING = 9.0
"""A page with smaller writing, pixels, is looked at again at a larger scale."""
_UNIT_X_HEIGHT = 18.0
"""Size to which small writing is enlarged, pixels."""
_LARGEST_ENLARGEMENT = 3.0
"""Greatest factor by which a page with small writing is enlarged."""
_LARGEST_SIDE = 2200
"""Greatest long side to which a page with small writing is enlarged, pixels."""
_PITCH = 4.0
"""Distance of lines in x-heights, by which it tells the size of the writing too: speckled paper makes an x-height
small, but not the distance of lines."""


@dataclass(frozen=True)
class Prepared:
    """A page made ready for its lines to be found, at the working scale and level.

    Attributes:
        flat: uint8 (h, w), on even white paper.
        parts: the components of what may be writing.
        rules: which may part columns and rows; no ink.
        scale: sizes of the writing; None for an empty page.
        placement: where it lies on the page.
        skew_degrees: by how much the writing climbed.
        total_ink: pixels of ink before borders, rulings and specks were left out.
    """

    flat: np.ndarray
    parts: Components
    rules: Rules
    scale: Scale | None
    placement: Placement
    skew_degrees: float
    total_ink: int

    @functools.cached_property
    def ink(self) -> np.ndarray:
        """What may be writing, bool (h, w)."""
        return self.parts.labels > 0


def prepare(gray: np.ndarray, working_side: int, tones: Tones | None = None) -> Prepared:
    """An upright grey page, uint8 (height, width), cleaned, levelled and measured. A negative is made positive.

    Args:
        working_side: long side to which the page is scaled down, pixels, or less far where its writing is small.
        tones: of the writing, where they are known; else those of all that is on the page.
    """
    if is_negative(gray):
        gray = 255 - gray
    factor = min(1.0, working_side / max(gray.shape))
    page = _prepare_at(factor, gray, tones)
    if page.scale is None:
        return page
    size = max(page.scale.x_height, page.scale.pitch / _PITCH)
    if size >= _SMALLEST_WRITING:
        return page
    room = _LARGEST_SIDE / (factor * max(gray.shape))
    enlargement = min(_UNIT_X_HEIGHT / size, _LARGEST_ENLARGEMENT, room)
    return _prepare_at(factor * enlargement, gray, tones) if enlargement > 1.2 else page


def _prepare_at(factor: float, gray: np.ndarray, tones: Tones | None) -> Prepared:
    """The page prepared at a scale."""
    height, width = gray.shape
    flat = flat_sheet(scaled(gray, factor, enlarging=cv2.INTER_CUBIC))
    ink = binarise(flat, tones)
    total_ink = int(np.count_nonzero(ink))
    turn = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    skew = 0.0
    parts, rules = None, Rules()
    if total_ink >= _LEAST_INK:
        ink = remove_border_and_bars(ink, stroke_width(ink))
        skew = estimate_skew(ink)
        if abs(skew) >= _LEAST_SKEW:
            flat, ink, turn = _turn(flat, ink, skew)
        # Only now: a slanted ruling is short in every row.
        rules = rules_of(flat, ink)
        parts = _without_long_strokes_and_specks(ink & ~rules.ink(ink))
        ink = parts.labels > 0
    parts = parts or components(ink)
    scale = _scale(ink, parts)
    stamps = find_stamps(flat, ink, scale.x_height) if scale else []
    if stamps:
        covered = stamped(ink.shape, stamps)
        flat, ink = np.where(covered, np.uint8(255), flat), ink & ~covered
        parts = components(ink)
        scale = _scale(ink, parts)
    return Prepared(flat, parts, rules, scale, Placement(turn, factor, height, width), skew, total_ink)


def _scale(ink: np.ndarray, parts: Components) -> Scale | None:
    return measure(ink, parts) if np.count_nonzero(ink) >= _LEAST_INK else None


def _without_long_strokes_and_specks(ink: np.ndarray) -> Components:
    """Components of the ink that may be writing, of a level page without border and bars."""
    stroke = stroke_width(ink)
    ink, _ = remove_long_strokes(ink)
    parts = components(ink)
    return parts.only(parts.area >= max(4, 0.6 * stroke * stroke))


def _turn(flat: np.ndarray, ink: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The page turned clockwise by ``degrees`` about its centre on a canvas that holds all of it, and the matrix."""
    h, w = flat.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), -degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(np.ceil(h * sin + w * cos)), int(np.ceil(h * cos + w * sin)))
    matrix[0, 2] += (size[0] - w) / 2
    matrix[1, 2] += (size[1] - h) / 2
    level = cv2.warpAffine(flat, matrix, size, flags=cv2.INTER_LINEAR, borderValue=255)
    mask = cv2.warpAffine(ink.astype(np.uint8) * 255, matrix, size, flags=cv2.INTER_LINEAR, borderValue=0)
    return level, mask > 127, matrix
