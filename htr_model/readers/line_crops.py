"""Pictures of single lines, cut from page pictures along known outlines."""

from __future__ import annotations

import cv2
import numpy as np

from htr_model.readers.described import DescribedLine, believed

_STRIP, _LOW = 0.2, 0.45
"""A polygon lower than the first share of the page's median line is a strip on the baseline, which is rebuilt; one
lower than the second may be, or be small writing, whose polygon reaches below its baseline."""
_BELOW_BASELINE = 0.02
"""Median line heights by which the polygon of small writing reaches below its baseline."""
_ABOVE, _BELOW = 0.62, 0.30
"""Extent of a rebuilt line above and below its baseline, in median line heights of the page."""
_STEEPEST = 0.5
"""Pixels a column by which a line may fall or climb for its picture to be made level: sheets do not lie as askew."""
_OUTSIDE = "the line lies outside the page"


def line_crop(gray: np.ndarray, line: DescribedLine, typical_height: float) -> np.ndarray:
    """Picture of one line, uint8 (h, w): its polygon or word boxes on plain paper, made level along its baseline.

    Args:
        gray: uint8 (height, width), the page.
        typical_height: median height of the page's lines, pixels.

    Raises:
        ValueError: it is not known where the line stands, or nothing of it lies on the page; or as `line_shapes` does.
    """
    shapes = line_shapes(line, typical_height)
    if not shapes:
        raise ValueError("no coordinates of its outline")
    points = np.vstack(shapes)
    left, top = np.floor(points.min(axis=0)).astype(int) - 3
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 4
    height, width = gray.shape
    left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
    if right - left < 2 or bottom - top < 2:
        raise ValueError(_OUTSIDE)
    crop = gray[top:bottom, left:right]
    inside = np.zeros_like(crop)
    for shape in shapes:  # one by one: together, where two overlap would be outside
        cv2.fillPoly(inside, [np.round(shape - (left, top)).astype(np.int32)], 255)
    if not inside.any():
        raise ValueError(_OUTSIDE)
    inside = cv2.dilate(inside, np.ones((5, 5), np.uint8))
    paper = int(np.percentile(crop[inside > 0], 80))
    crop = np.where(inside > 0, crop, paper).astype(np.uint8)
    xs, ys = line.baseline.T
    if len(xs) > 1 and np.ptp(xs) > 3 * typical_height:
        slope = float(np.polyfit(xs, ys, 1)[0])
        crop = level(crop, slope, paper) if abs(slope) <= _STEEPEST else crop
    return crop


def line_shapes(line: DescribedLine, typical_height: float) -> list[np.ndarray]:
    """Outlines of what belongs to a line, float (n, 2) each; none where it is not known where it stands.

    The polygon, else the word boxes, else the box; where the polygon is a strip, or there is nothing else, the baseline
    as high as a usual line.

    Args:
        typical_height: median height of the page's lines, pixels; 0 where it is not known.

    Raises:
        ValueError: a coordinate is no number or far outside of any page.
    """
    boxes = [word.box for word in line.words] or ([] if line.box is None else [line.box])
    shapes = [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]]) for x, y, w, h in boxes]
    if len(line.polygon):
        shapes = [line.polygon]
    if len(line.baseline) > 1 and typical_height > 0 and (not shapes or _is_strip(line, typical_height)):
        above = line.baseline - (0, _ABOVE * typical_height)
        below = line.baseline + (0, _BELOW * typical_height)
        shapes = [np.vstack([above, below[::-1]])]
    return [believed(shape) for shape in shapes]


def _is_strip(line: DescribedLine, typical_height: float) -> bool:
    """Whether a line's polygon is no outline of writing, but a strip that a tool drew along the baseline."""
    polygon, baseline = line.polygon, line.baseline
    if not len(polygon):
        return False
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
