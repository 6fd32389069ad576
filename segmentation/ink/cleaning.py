"""What is no writing: long strokes, the scanner's border and solid bars, taken out of a page's ink."""

from __future__ import annotations

import cv2
import numpy as np

_INKED = 0.8
"""Least share of a long stroke that is ink; joined feet of letters have gaps."""
_THICKEST_SHARE = 180
"""A long stroke is on average at most as thick as the page's long side over this."""


def remove_long_strokes(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ink without long level and upright strokes, and those strokes: bool (h, w) each.

    Also a single underline or a rule between paragraphs goes, which `segmentation.ink.page_rules` leaves, as it takes
    level rules on ruled paper and in tables only. But a stroke must be dark, and level or upright to a pixel or two,
    over long stretches: rules that lean, waver, fade or break into short pieces are found there alone.

    What of a stroke is thicker than the rest (a letter crossing it) stays. Only the layout is found on this mask; the
    recogniser's pictures are cut from the grey page, where removing strokes would eat letters.
    """
    h, w = ink.shape
    strokes = np.zeros_like(ink)
    thickest = max(6.0, max(h, w) / _THICKEST_SHARE)
    mask = ink.astype(np.uint8)
    for length, axis in ((max(40, w // 14), 0), (max(60, h // 8), 1)):
        kernel = np.ones((1, length), np.uint8) if axis == 0 else np.ones((length, 1), np.uint8)
        # A stroke may waver by a pixel and have small holes: close those first.
        joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 9) if axis == 0 else (9, 3), np.uint8))
        found = cv2.morphologyEx(joined, cv2.MORPH_OPEN, kernel)
        if not found.any():
            continue
        # Letters of a word close to each other look like a stroke after closing, but are taller and have gaps.
        _, labels, stats, _ = cv2.connectedComponentsWithStats(found)
        extent, area = stats[:, cv2.CC_STAT_WIDTH + axis], stats[:, cv2.CC_STAT_AREA]
        inked = np.bincount(labels[mask > 0], minlength=len(area)) / np.maximum(area, 1)
        keep = (inked >= _INKED) & (area <= thickest * extent)
        keep[0] = False
        if not keep.any():
            continue
        found = _long(keep[labels].astype(np.uint8), axis)
        found = cv2.dilate(found, np.ones((3, 3), np.uint8)) & mask
        strokes |= (found > 0) & ~_crossing_strokes(mask, found, axis)
    return ink & ~strokes, strokes


_LEAST_LENGTH = 0.25
"""Least length of a long stroke, gaps closed, as a share of the page's width or height."""


def _long(strokes: np.ndarray, axis: int) -> np.ndarray:
    """What of a mask of strokes runs, gaps closed, over much of the page: strokes of joined letters do not."""
    extent = strokes.shape[1 - axis]
    gap = extent // 20 + 1
    joined = cv2.dilate(strokes, np.ones((1, gap) if axis == 0 else (gap, 1), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    long = stats[:, cv2.CC_STAT_WIDTH + axis] >= _LEAST_LENGTH * extent
    long[0] = False
    return strokes & long[labels]


def _crossing_strokes(mask: np.ndarray, stroke: np.ndarray, axis: int) -> np.ndarray:
    """Pixels of ``stroke`` where ink goes on above and below (or left and right of) it."""
    rest = mask & ~stroke
    reach = np.ones((7, 1) if axis == 0 else (1, 7), np.uint8)
    up = cv2.dilate(rest, reach, anchor=(0, 0))
    down = cv2.dilate(rest, reach, anchor=(0, 6) if axis == 0 else (6, 0))
    return (stroke > 0) & (up > 0) & (down > 0)


def remove_border_and_bars(ink: np.ndarray, stroke_width: float) -> np.ndarray:
    """Ink without the scanner's dark border and solid bars: bool (h, w).

    Only what is much thicker than a stroke goes: letters that hang on a margin stay.
    """
    h, w = ink.shape
    thick = int(max(7, 4 * stroke_width)) | 1
    kernel = np.ones((thick, thick), np.uint8)
    mask = ink.astype(np.uint8)
    # The outermost pixels go on beyond the page's edge, so that a narrow border is taken for the end of a wide one.
    padded = cv2.copyMakeBorder(mask, thick, thick, thick, thick, cv2.BORDER_REPLICATE)
    solid = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[thick : thick + h, thick : thick + w]
    if not solid.any():
        return ink
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    left, top, width, height, area = stats.T
    at_edge = (left <= 2) | (top <= 2) | (left + width >= w - 2) | (top + height >= h - 2)
    bar = (np.maximum(width, height) > 12 * thick) | (area > 40 * thick * thick)
    drop = at_edge | bar
    drop[0] = False
    return ink & ~(cv2.dilate(drop[labels].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
