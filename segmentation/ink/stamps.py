"""Round stamps and seals that stand by themselves: neither they nor the letters in them are writing of the page."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.scaling import scaled

_SIDE = 500
"""Long side of the picture in which circles are looked for, pixels."""
_SMALLEST_SHARE, _LARGEST_SHARE = 30, 8
"""Least and greatest radius of a stamp: the page's long side over these."""
_X_HEIGHTS = 3.0
"""Least radius of a stamp, in x-heights: no letter is so large."""
_EDGE, _PERFECT = 150, 0.75
"""Limits of OpenCV's Hough transform: of Canny's edge detector, and of how perfect a circle is."""
_INKED = 0.6
"""Least share of a stamp's ring that is ink: rings that were stamped have .65 and more, loops of handwriting at most
.5."""
_INSIDE = 0.7
"""Least share of a circle that lies on the page."""
_WAVER = 6
"""Pixels by which a ring may lie farther in than the circle that was found; it may lie twice as many farther out."""
_MARGIN = 4
"""Pixels beyond a ring that belong to the stamp: the middle of a circle is found within two or three."""
_MOST_STROKES = 3
"""Greatest number of strokes that touch a stamp's ring from outside: letters of a line beside it may, but a line that
runs into it does so more often."""
_BESIDE = 4.0
"""A line that runs through a ring has letters within so many x-heights on both sides of it."""
_THROUGH = 0.5
"""Greatest number of rows with ink on both sides of a stamp, in x-heights; where there are more, a line runs through
it."""
_DIRECTIONS = np.linspace(0, 2 * np.pi, 720, endpoint=False)
"""Directions from the middle of a circle in which it is looked at, radians."""


@dataclass(frozen=True)
class Stamp:
    """A ring of ink with what is in it.

    Attributes:
        x, y: its middle, pixels of the working picture.
        radius: of the ring's outer edge, pixels.
    """

    x: float
    y: float
    radius: float


def find_stamps(flat: np.ndarray, ink: np.ndarray, x_height: float) -> list[Stamp]:
    """Round stamps of a page, the largest first; none over which a line of writing seems to run.

    Circles are found by OpenCV's gradient Hough transform and believed where most of the ring is ink.

    Args:
        flat: uint8 (h, w), on even paper.
        ink: bool (h, w).
        x_height: of the page's writing, pixels.
    """
    long_side = max(ink.shape)
    smallest, largest = max(_X_HEIGHTS * x_height, long_side / _SMALLEST_SHARE), long_side / _LARGEST_SHARE
    if smallest >= largest:
        return []
    factor = min(1.0, _SIDE / long_side)
    circles = cv2.HoughCircles(
        cv2.GaussianBlur(scaled(flat, factor), (0, 0), 1.0),
        cv2.HOUGH_GRADIENT_ALT,
        1.5,
        minDist=smallest * factor,
        param1=_EDGE,
        param2=_PERFECT,
        minRadius=int(smallest * factor),
        maxRadius=int(largest * factor),
    )
    if circles is None:
        return []
    near = cv2.dilate(ink.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    stamps: list[Stamp] = []
    for x, y, radius in sorted((circles[0, :, :3] / factor).tolist(), key=lambda circle: -circle[2]):
        if any(np.hypot(x - s.x, y - s.y) < s.radius for s in stamps):
            continue  # another ring of the same stamp
        stamp = Stamp(x, y, _outer_edge(near, x, y, radius))
        if stamp.radius and _stands_alone(ink, stamp, x_height):
            stamps.append(stamp)
    return stamps


def stamped(shape: tuple[int, int], stamps: list[Stamp]) -> np.ndarray:
    """What of a picture is covered by stamps: bool (h, w)."""
    covered = np.zeros(shape, np.uint8)
    for stamp in stamps:
        cv2.circle(covered, (round(stamp.x), round(stamp.y)), round(stamp.radius + _MARGIN), 1, cv2.FILLED)
    return covered > 0


def _outer_edge(near: np.ndarray, x: float, y: float, radius: float) -> float:
    """Radius of the outer edge of a ring near a circle; 0 where there is none.

    Args:
        near: bool (h, w), the ink and what is within two pixels of it.
    """
    radii = np.arange(radius - _WAVER, radius + 2 * _WAVER + 1)
    inked = np.array([_along(near, x, y, r) for r in radii])
    if inked.max() < _INKED:
        return 0.0
    return float(radii[np.flatnonzero(inked >= inked.max() / 2)[-1]])


def _along(mask: np.ndarray, x: float, y: float, radius: float) -> float:
    """Share of a circle that is set; 0 where too much of it lies outside of the picture."""
    on = _on_circle(mask, x, y, radius)
    return float(on.mean()) if len(on) >= _INSIDE * len(_DIRECTIONS) else 0.0


def _on_circle(mask: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """Pixels of a mask on a circle, in the order of their directions, without those outside of the picture."""
    xs = np.round(x + radius * np.cos(_DIRECTIONS)).astype(int)
    ys = np.round(y + radius * np.sin(_DIRECTIONS)).astype(int)
    inside = (xs >= 0) & (xs < mask.shape[1]) & (ys >= 0) & (ys < mask.shape[0])
    return mask[ys[inside], xs[inside]]


def _stands_alone(ink: np.ndarray, stamp: Stamp, x_height: float) -> bool:
    """Whether no line of writing seems to run into a stamp, nor through it between its words."""
    on = _on_circle(ink, stamp.x, stamp.y, stamp.radius + _MARGIN)
    if np.count_nonzero(on & ~np.roll(on, 1)) > _MOST_STROKES:
        return False
    reach = 0.8 * stamp.radius
    rows = np.arange(max(0, round(stamp.y - reach)), min(len(ink), round(stamp.y + reach) + 1))
    half = np.sqrt(stamp.radius**2 - (rows - stamp.y) ** 2) + _MARGIN
    columns = np.arange(ink.shape[1])
    reach = _BESIDE * x_height
    left, right = stamp.x - half[:, None], stamp.x + half[:, None]
    before = ink[rows] & (columns < left) & (columns > left - reach)
    behind = ink[rows] & (columns > right) & (columns < right + reach)
    return np.count_nonzero(before.any(axis=1) & behind.any(axis=1)) <= _THROUGH * x_height
