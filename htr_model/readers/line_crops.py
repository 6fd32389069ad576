"""Pictures of single lines, cut from page pictures along known outlines."""

from __future__ import annotations

import cv2
import numpy as np

_STRIP, _LOW = 0.2, 0.45
"""A polygon lower than the first share of the page's median line is a strip on the baseline, which is rebuilt; one
lower than the second may be, or be small writing, whose polygon reaches below its baseline."""
_BELOW_BASELINE = 0.02
"""Median line heights by which the polygon of small writing reaches below its baseline."""
_ABOVE, _BELOW = 0.62, 0.30
"""Extent of a rebuilt line above and below its baseline, in median line heights of the page."""
_FARTHEST = 100_000
"""Pixels from a page's corner beyond which no coordinate is believed."""
_STEEPEST = 0.5
"""Pixels a column by which a line may fall or climb for its picture to be made level: sheets do not lie as askew."""


def line_crop(gray: np.ndarray, line: dict, typical_height: float) -> np.ndarray | None:
    """Picture of one line, uint8 (h, w): its polygon or word boxes on plain paper, made level along its baseline.

    Args:
        gray: uint8 (height, width), the page.
        line: ``bbox`` [x, y, w, h] and, where known, ``polygon``, ``baseline`` (lists of [x, y]) and ``words``.
        typical_height: median height of the page's lines, pixels.

    Returns:
        None where nothing of the line lies on the page.

    Raises:
        ValueError: a coordinate is no number or far outside of any page.
    """
    height, width = gray.shape
    baseline = np.array(line.get("baseline") or [], float).reshape(-1, 2)
    shapes = line_shapes(line, typical_height)
    points = np.vstack(shapes)
    left, top = np.floor(points.min(axis=0)).astype(int) - 3
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 4
    left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
    if right - left < 2 or bottom - top < 2:
        return None
    crop = gray[top:bottom, left:right]
    inside = np.zeros_like(crop)
    for shape in shapes:  # one by one: together, where two overlap would be outside
        cv2.fillPoly(inside, [np.round(shape - (left, top)).astype(np.int32)], 255)
    if not inside.any():
        return None
    inside = cv2.dilate(inside, np.ones((5, 5), np.uint8))
    paper = int(np.percentile(crop[inside > 0], 80))
    crop = np.where(inside > 0, crop, paper).astype(np.uint8)
    if len(baseline) > 1 and np.ptp(baseline[:, 0]) > 3 * typical_height:
        slope = float(np.polyfit(baseline[:, 0], baseline[:, 1], 1)[0])
        crop = level(crop, slope, paper) if abs(slope) <= _STEEPEST else crop
    return crop


def outlined(line: dict, typical_height: float) -> dict:
    """A line that has only its baseline with a polygon of no height, which `line_shapes` replaces by a usual one."""
    if any(line.get(key) for key in ("polygon", "bbox", "words")) or not (line.get("baseline") and typical_height):
        return line
    return {**line, "polygon": line["baseline"]}


def has_place(line: dict) -> bool:
    """Whether it is known where a line stands, if only by its baseline."""
    return any(line.get(key) for key in ("polygon", "bbox", "words", "baseline"))


def line_shapes(line: dict, typical_height: float) -> list[np.ndarray]:
    """Outlines of what belongs to a line, float (n, 2) each; for the arguments see `line_crop`.

    The polygon; the baseline, as high as a usual line, where the polygon is a strip; without polygon the word boxes or
    the box.

    Raises:
        ValueError: a coordinate is no number or far outside of any page.
    """
    shapes = _shapes(line, typical_height)
    if not all((np.abs(shape) <= _FARTHEST).all() for shape in shapes):
        raise ValueError("a coordinate is no number or far outside of the page")
    return shapes


def _shapes(line: dict, typical_height: float) -> list[np.ndarray]:
    if line.get("polygon"):
        baseline = np.array(line.get("baseline") or [], float).reshape(-1, 2)
        polygon = np.array(line["polygon"], float).reshape(-1, 2)
        if len(baseline) > 1 and _is_strip(polygon, baseline, typical_height):
            above = baseline - (0, _ABOVE * typical_height)
            below = baseline + (0, _BELOW * typical_height)
            return [np.vstack([above, below[::-1]])]
        return [polygon]
    boxes = [word["bbox"] for word in line["words"]] if line.get("words") else [line["bbox"]]
    return [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], float) for x, y, w, h in boxes]


def _is_strip(polygon: np.ndarray, baseline: np.ndarray, typical_height: float) -> bool:
    """Whether a polygon is no outline of writing, but a strip that a tool drew along the baseline."""
    height = np.ptp(polygon[:, 1]) - np.ptp(baseline[:, 1])
    if height < _STRIP * typical_height:
        return True
    if height >= _LOW * typical_height:
        return False
    along = baseline[np.argsort(baseline[:, 0], kind="stable")]
    below = polygon[:, 1] - np.interp(polygon[:, 0], along[:, 0], along[:, 1])
    return float(below.max()) <= _BELOW_BASELINE * typical_height


def level(gray: np.ndarray, slope: float, paper: int) -> np.ndarray:
    """``gray`` sheared so that a line which falls by ``slope`` pixels a column becomes level; letters stay upright."""
    h, w = gray.shape
    drop = slope * w
    if abs(drop) < 2:
        return gray
    matrix = np.array([[1, 0, 0], [-slope, 1, max(0.0, drop)]], float)
    return cv2.warpAffine(gray, matrix, (w, h + int(np.ceil(abs(drop)))), borderValue=paper)
