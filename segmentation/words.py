"""A line's ink as pieces without gaps, and the pieces as words."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_ZONE_ABOVE, _ZONE_BELOW = 1.3, 0.9
"""Ink within so many x-heights above and below a line's middle decides about gaps: tails that swing under the next word
do not."""


@dataclass(frozen=True)
class Run:
    """Columns of a line without an empty one in the zone that decides about gaps.

    Attributes:
        start, end: columns of the working picture; ``end`` exclusive.
        pixels: indices of its ink in the arrays given to `runs`.
    """

    start: int
    end: int
    pixels: np.ndarray


def runs(xs: np.ndarray, offsets: np.ndarray, component: np.ndarray, x_height: float) -> list[Run]:
    """A line's ink as runs, from left to right; every pixel is in exactly one.

    Args:
        xs: int (n,), columns of the ink.
        offsets: float (n,), rows below the line's middle (negative: above).
        component: int (n,), the connected component of each pixel. A pixel outside the zone goes with its
            component, a component outside the zone (a dot, a cedilla) with the nearest run.
    """
    in_zone = (offsets > -_ZONE_ABOVE * x_height) & (offsets < _ZONE_BELOW * x_height)
    if not in_zone.any():
        in_zone = np.ones(len(xs), bool)
    columns = np.unique(xs[in_zone])
    breaks = np.flatnonzero(np.diff(columns) > 1)
    starts = columns[np.concatenate(([0], breaks + 1))]
    ends = columns[np.concatenate((breaks, [len(columns) - 1]))] + 1
    run_of = np.clip(np.searchsorted(starts, xs, side="right") - 1, 0, len(starts) - 1)

    outside = np.flatnonzero(~in_zone)
    if outside.size:
        _, compact = np.unique(component, return_inverse=True)
        votes = np.zeros((compact.max() + 1, len(starts)), np.int32)
        np.add.at(votes, (compact[in_zone], run_of[in_zone]), 1)
        pixels_of = np.bincount(compact)
        middle = np.bincount(compact, weights=xs) / np.maximum(pixels_of, 1)
        beside = np.maximum(starts[None, :] - middle[:, None], middle[:, None] - ends[None, :])
        nearest = np.maximum(beside, 0)
        home = np.where(votes.max(axis=1) > 0, votes.argmax(axis=1), nearest.argmin(axis=1))
        run_of[outside] = home[compact[outside]]

    order = np.argsort(run_of, kind="stable")
    bounds = np.searchsorted(run_of[order], np.arange(len(starts) + 1))
    return [
        Run(int(starts[i]), int(ends[i]), order[bounds[i] : bounds[i + 1]])
        for i in range(len(starts))
        if bounds[i + 1] > bounds[i]
    ]


_USUAL_GAP = 0.55
"""Gap from which words are parted, in x-heights, on a page with too few gaps to tell."""
_GAP_RANGE = (0.25, 3.5)
"""Least and greatest gap from which words may be parted on a page, in x-heights."""


def gap_threshold(gaps: np.ndarray, x_height: float) -> float:
    """Columns from which a gap lies between words, for one page.

    Geometric mean of Otsu's threshold of the log gaps and the point where two log-normal distributions, fitted by
    expectation maximisation, are equally likely; held within a plausible range of x-heights.

    Args:
        gaps: widths of all gaps between neighbouring runs of a page, columns.
    """
    logs = np.log(np.maximum(gaps, 1.0) / x_height)
    logs = logs[(logs > np.log(0.04)) & (logs < np.log(6.0))]
    if len(logs) < 12:
        return _USUAL_GAP * x_height
    threshold = np.exp((_otsu(logs) + _equal_likelihood(logs)) / 2)
    return float(np.clip(threshold, *_GAP_RANGE)) * x_height


def _otsu(values: np.ndarray) -> float:
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return high
    scaled = np.round((values - low) / (high - low) * 255).astype(np.uint8)
    level, _ = cv2.threshold(scaled, 0, 255, cv2.THRESH_OTSU)
    return low + (level + 0.5) / 255 * (high - low)


def _equal_likelihood(values: np.ndarray) -> float:
    """Where two normal distributions fitted to ``values`` cross, between their means."""
    start = _otsu(values)
    low, high = values[values <= start], values[values > start]
    if len(low) < 3 or len(high) < 3:
        return start
    means = np.array([low.mean(), high.mean()])
    deviations = np.array([low.std(), high.std()]) + 0.05
    shares = np.array([len(low), len(high)]) / len(values)
    for _ in range(25):
        density = shares / deviations * np.exp(-0.5 * ((values[:, None] - means) / deviations) ** 2) + 1e-12
        part = density / density.sum(axis=1, keepdims=True)
        total = part.sum(axis=0)
        means = (part * values[:, None]).sum(axis=0) / total
        deviations = np.sqrt((part * (values[:, None] - means) ** 2).sum(axis=0) / total) + 0.05
        shares = total / len(values)
    grid = np.linspace(means[0], means[1], 200)
    scores = np.log(shares / deviations) - 0.5 * ((grid[:, None] - means) / deviations) ** 2
    crossing = np.flatnonzero(scores[:, 1] > scores[:, 0])
    return float(grid[crossing[0]]) if crossing.size else start


def group(
    starts: np.ndarray, ends: np.ndarray, small: np.ndarray, threshold: float, x_height: float
) -> list[tuple[int, int]]:
    """Runs of a line as words: slices (first, after last).

    Args:
        starts, ends: columns of the runs, from left to right.
        small: bool, runs that look like a comma or a full stop: they stay with the word on their left unless they
            stand far from it.
        threshold: columns from which a gap divides words.
    """
    if len(starts) == 0:
        return []
    words: list[tuple[int, int]] = []
    first = 0
    reach = ends[0]
    for i in range(1, len(starts)):
        gap = starts[i] - reach
        limit = max(threshold, 1.3 * x_height) if small[i] else threshold
        if gap >= limit:
            words.append((first, i))
            first = i
        reach = max(reach, ends[i])
    words.append((first, len(starts)))
    return words
