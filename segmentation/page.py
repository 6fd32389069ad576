"""A grey page as lines and words."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.cleaning import (
    binarise,
    components,
    flatten_paper,
    outside_of_sheet,
    remove_border_and_bars,
    remove_rulings,
)
from segmentation.columns import divide_at_gutters
from segmentation.description import Placement, describe
from segmentation.lines import assign, claim_leftovers, find_curves
from segmentation.scale import measure, stroke_width
from segmentation.segmented import Layout, SegmentedPage
from segmentation.skew import estimate_skew


@dataclass(frozen=True)
class SegmentationSettings:
    """How pages are segmented.

    Attributes:
        working_side: the layout is found on the page scaled down to this long side, pixels; the pictures of lines
            and words are cut at that scale too, which is well above what the recogniser needs.
    """

    working_side: int = 2200

    def __post_init__(self) -> None:
        if self.working_side < 200:
            raise ValueError(f"working_side must be at least 200, got {self.working_side!r}")


_LEAST_SKEW = 0.4
"""Degrees below which the page is not turned: lines are levelled one by one anyway."""
_LEAST_INK = 60
"""Pixels of ink below which a page is empty."""
_SMALLEST_X_HEIGHT = 9.0
_UNIT_X_HEIGHT = 18.0
_LARGEST_ENLARGEMENT = 3.0


def segment(gray: np.ndarray, settings: SegmentationSettings | None = None) -> SegmentedPage:
    """Lines and words of an upright grey page, uint8 (height, width), 0 black … 255 white.

    An empty page has no lines; that is no error.
    """
    settings = settings or SegmentationSettings()
    height, width = gray.shape
    factor = min(1.0, settings.working_side / max(height, width))
    flat = _flat_sheet(_resize(gray, factor))
    ink = binarise(flat)
    if np.count_nonzero(ink) >= _LEAST_INK:
        small = measure(ink, components(ink)).x_height
        room = settings.working_side / max(flat.shape)
        enlargement = min(_UNIT_X_HEIGHT / small, _LARGEST_ENLARGEMENT, room)
        if small < _SMALLEST_X_HEIGHT and enlargement > 1.2:
            factor *= enlargement
            flat = _flat_sheet(_resize(gray, factor))
            ink = binarise(flat)
    total_ink = int(np.count_nonzero(ink))
    if total_ink < _LEAST_INK:
        return _empty(flat, total_ink)

    layout_ink = remove_border_and_bars(ink, stroke_width(ink))
    skew = estimate_skew(layout_ink)
    turn = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    if abs(skew) >= _LEAST_SKEW:
        flat, layout_ink, turn = _turn(flat, layout_ink, skew)
    # Only now: a slanted ruling is short in every row.
    layout_ink = _without_rulings_and_specks(layout_ink)
    parts = components(layout_ink)
    if np.count_nonzero(layout_ink) < _LEAST_INK:
        return _empty(flat, total_ink)
    scale = measure(layout_ink, parts)
    curves = divide_at_gutters(find_curves(layout_ink, scale), layout_ink, scale)
    owners = assign(parts, curves, scale)
    leftovers = claim_leftovers(parts, owners, scale)
    if leftovers:
        curves = curves + leftovers
        owners = assign(parts, curves, scale)
    lines = describe(owners, parts, curves, scale, Placement(turn, factor, height, width))
    numbers = np.zeros(len(curves) + 1, np.int32)
    numbers[[d.curve + 1 for d in lines]] = [d.line.index + 1 for d in lines]
    owners = numbers[owners]
    discarded = max(0, total_ink - int(np.count_nonzero(owners)))
    layout = Layout(tuple(d.line for d in lines), skew, scale.x_height / factor, total_ink, discarded)
    return SegmentedPage(layout, flat, owners, [d.slope for d in lines], [d.frame for d in lines])


def _flat_sheet(gray: np.ndarray) -> np.ndarray:
    """The page on even paper, and nothing but paper around the sheet."""
    flat = flatten_paper(gray)
    around = outside_of_sheet(gray)
    if around is not None:
        flat[around] = 255
    return flat


def _resize(gray: np.ndarray, factor: float) -> np.ndarray:
    if factor == 1.0:
        return gray
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _empty(flat: np.ndarray, ink: int) -> SegmentedPage:
    return SegmentedPage(Layout((), 0.0, 0.0, ink, ink), flat, np.zeros(flat.shape, np.int32), [], [])


def _without_rulings_and_specks(ink: np.ndarray) -> np.ndarray:
    """Ink that may be writing, of a level page without border and bars."""
    stroke = stroke_width(ink)
    ink, _ = remove_rulings(ink)
    parts = components(ink)
    keep = parts.area >= max(4, 0.6 * stroke * stroke)
    inked = parts.labels > 0
    inked[inked] = keep[parts.labels[inked]]
    return inked


def _turn(flat: np.ndarray, ink: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The page turned clockwise by ``degrees`` about its centre on a canvas that holds all of it, and the matrix."""
    h, w = flat.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), -degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(np.ceil(h * sin + w * cos)), int(np.ceil(h * cos + w * sin)))
    matrix[0, 2] += (size[0] - w) / 2
    matrix[1, 2] += (size[1] - h) / 2
    turned = cv2.warpAffine(flat, matrix, size, flags=cv2.INTER_LINEAR, borderValue=255)
    mask = cv2.warpAffine(ink.astype(np.uint8) * 255, matrix, size, flags=cv2.INTER_LINEAR, borderValue=0)
    return turned, mask > 127, matrix
