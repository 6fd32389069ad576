"""Whose the ink is: each piece of it given to a line, and new lines for what no line claims but looks like writing."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.ink.components import Components
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve

REACH = 2.4
"""Ink can belong to a line within so many x-heights from its middle."""
_DECIDING = 0.5
"""Ink so near a line's middle, in x-heights, decides for its whole component."""


def assign(parts: Components, curves: list[Curve], scale: Scale) -> np.ndarray:
    """The line of each ink pixel: int32 (h, w), 0 paper or unclaimed, i + 1 the line of ``curves[i]``.

    A component goes whole to the line that holds most of its ink near the middle; without such ink to the nearest
    line; where two lines each hold much of it, it is divided between them at half distance.
    """
    labels = parts.labels
    owners = np.zeros(labels.shape, np.int32)
    ys, xs = np.nonzero(labels)
    if not curves or len(ys) == 0:
        return owners
    nearest, distance = nearest_curve(ys, xs, curves, labels.shape[1], scale)
    component = labels[ys, xs]
    in_core = distance <= _DECIDING * scale.x_height
    best, second = _most_core_ink(component[in_core], nearest[in_core], parts.count, len(curves))
    outside = np.flatnonzero(best[component] < 0)
    closest_first = outside[np.lexsort((distance[outside], component[outside]))]
    lonely, first = np.unique(component[closest_first], return_index=True)
    closest = closest_first[first]
    best[lonely] = np.where(distance[closest] <= REACH * scale.x_height, nearest[closest], -1)
    result = best[component].astype(np.int32) + 1

    shared = (second > scale.letter_ink) & (parts.height > 0.72 * scale.pitch)
    divided = shared[component]
    result[divided] = np.where(distance[divided] <= REACH * scale.x_height, nearest[divided] + 1, 0)
    owners[ys, xs] = result
    return owners


def _most_core_ink(component: np.ndarray, line: np.ndarray, parts: int, lines: int) -> tuple[np.ndarray, np.ndarray]:
    """For each component the line with most of its core ink (−1 for none), and how much the second line has.

    Args:
        component, line: of each ink pixel near the middle of a line.
    """
    pairs, counts = np.unique(component.astype(np.int64) * lines + line, return_counts=True)
    order = np.lexsort((-(pairs % lines), counts, pairs // lines))
    of, counts, at = (pairs // lines)[order], counts[order], (pairs % lines)[order]
    best, second = np.full(parts, -1, np.int64), np.zeros(parts, np.int64)
    # Sorted by component and amount: later entries of a component overwrite earlier ones.
    best[of] = at
    last_but_one = np.flatnonzero(of[:-1] == of[1:])
    second[of[last_but_one]] = counts[last_but_one]
    return best, second


_SIDE = 3.0
"""Ink beyond a curve's ends can still belong to the line within so many x-heights."""


def nearest_curve(
    ys: np.ndarray, xs: np.ndarray, curves: list[Curve], width: int, scale: Scale
) -> tuple[np.ndarray, np.ndarray]:
    """Index of the nearest curve for each point, and its distance in pixels (infinite beyond all curves' sides)."""
    best = np.zeros(len(ys), np.int64)
    distance = np.full(len(ys), np.inf, np.float32)
    side = _SIDE * scale.x_height
    order = np.argsort(xs, kind="stable")
    sorted_xs, sorted_ys = xs[order], ys[order].astype(np.float32)
    best_sorted, distance_sorted = best[order], distance[order]
    for i, curve in enumerate(curves):
        low, high = np.searchsorted(sorted_xs, [curve.first - side, curve.last + side])
        x = sorted_xs[low:high]
        row = curve.ys[np.clip(x - curve.first, 0, len(curve.ys) - 1)]
        beyond = np.maximum(np.maximum(curve.first - x, x - curve.last), 0)
        d = np.abs(sorted_ys[low:high] - row) + 0.5 * beyond
        closer = d < distance_sorted[low:high]
        distance_sorted[low:high][closer] = d[closer]
        best_sorted[low:high][closer] = i
    best[order], distance[order] = best_sorted, distance_sorted
    return best, distance


_LEAST_INK = 1.1
"""Least ink of a letter, in upright strokes an x-height long: a lone I or 1 is one such stroke, and a little higher."""
_MOST_LEFTOVERS = 20
"""More groups of unclaimed ink than this, and than the lines found, are noise: none is taken for writing."""


def claim_leftovers(parts: Components, owners: np.ndarray, scale: Scale) -> list[Curve]:
    """New lines for ink that no line claims but that looks like writing: groups of letter-sized components."""
    unclaimed = (parts.labels > 0) & (owners == 0)
    if not unclaimed.any():
        return []
    letter = (
        (parts.height > 0.5 * scale.x_height)
        & (parts.height < 5 * scale.x_height)
        & (parts.width < 12 * scale.x_height)
        & (parts.area > _LEAST_INK * scale.stroke_width * scale.x_height)
    )
    letter[0] = False
    mask = (unclaimed & letter[parts.labels]).astype(np.uint8)
    if not mask.any():
        return []
    reach = int(1.2 * scale.x_height) | 1
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, reach), np.uint8))
    count, labels, stats, centres = cv2.connectedComponentsWithStats(joined, connectivity=8)
    curves = []
    for i in range(1, count):
        left, _, width, height, area = stats[i]
        wide = width >= 0.8 * scale.x_height and height >= 0.6 * scale.x_height and area >= 0.3 * scale.x_height**2
        # A lone I or 1: narrow, but as high as a letter.
        upright = height >= 1.1 * scale.x_height and area >= _LEAST_INK * scale.stroke_width * scale.x_height
        if wide or upright:
            curves.append(Curve(int(left), np.full(int(width), centres[i][1], np.float32)))
    return curves if len(curves) <= max(_MOST_LEFTOVERS, int(owners.max())) else []
