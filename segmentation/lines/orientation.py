"""What tells which way up a page lies: how surely the line network marks it, and where its tall letters reach.

The network was trained on upright pages. On a page that lies on its side it is in doubt nearly everywhere; on one that
stands on its head only a little more than on the upright one. There the letters tell: in Latin script far more of them
reach above their line (b, d, f, h, k, l, t, capitals, dots) than below it (g, j, p, q, y).
"""

from __future__ import annotations

import numpy as np

from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.lines.ownership import nearest_curve

_MARKED, _UNMARKED = 0.9, 0.1
"""The network is in doubt of a pixel if its answer lies between these: from the first on the pixel surely lies in a
line, up to the second it surely does not."""
_LEAST_MARKED = 40.0
"""Least area that the network marks on a page that can be judged, in squares of an x-height's side: some eight
words."""


def doubt(zones: np.ndarray, unit: float) -> float:
    """Pixels of which a line network is not sure, per pixel that it takes for a line: 0 … ∞.

    The edges of zones are always in doubt. ∞ also where hardly anything is marked: of a page on its side a network may
    see nothing at all.

    Args:
        zones: float32 (rows, columns), its answer, 0–1.
        unit: pixels of the answer of an x-height.
    """
    marked = int(np.count_nonzero(zones > 0.5))
    if marked < _LEAST_MARKED * unit * unit:
        return np.inf
    return float(np.count_nonzero((zones > _UNMARKED) & (zones < _MARKED)) / marked)


_WEIGHTS = np.array([38.0, 53.0, 22.0, 10.0, 8.0, 4.0])
"""What a share of the ink says that lies higher above the line than below it: a weight for each quarter of an x-height,
from .5 to 2 x-heights from the line's middle. Fitted by logistic regression to training pages both ways up."""
_STEPS = 20
"""Number of steps to an x-height in which the heights of ink are counted."""
_LEAST_LINES = 5
"""Least number of lines whose letters tell which way up a page lies."""


def lean(ink: np.ndarray, curves: list[Curve], scale: Scale) -> float:
    """Whether a page's letters reach up (positive: upright) or down; 0 where its lines are too few to tell.

    The logarithm of the odds of "upright", of a page's ink, bool (h, w), around its lines.
    """
    if len(curves) < _LEAST_LINES:
        return 0.0
    # A part of the pixels tells as much.
    ys, xs = np.nonzero(ink[:, ::4])
    xs = 4 * xs
    nearest, distance = nearest_curve(ys, xs, curves, ink.shape[1], scale)
    within = np.isfinite(distance)
    ys, xs, nearest = ys[within], xs[within], nearest[within]
    if len(ys) == 0:
        return 0.0
    firsts, lengths = np.array([c.first for c in curves]), np.array([len(c.ys) for c in curves])
    starts = np.cumsum(lengths) - lengths
    rows = np.concatenate([c.ys for c in curves])
    offsets = ys - rows[starts[nearest] + np.clip(xs - firsts[nearest], 0, lengths[nearest] - 1)]
    counts, _ = np.histogram(offsets / scale.x_height, bins=6 * _STEPS, range=(-3, 3))
    return float(_WEIGHTS @ _above_less_below(counts))


def _above_less_below(counts: np.ndarray) -> np.ndarray:
    """Ink above less ink below the x-height zone, in quarters of an x-height from it on: shares of all ink.

    Args:
        counts: of ink by height, `_STEPS` an x-height. The zone is where it is densest: curves run a little too high or
            low.
    """
    half, quarter = _STEPS // 2, _STEPS // 4
    sums = np.concatenate([[0], np.cumsum(counts)])
    shifts = sorted(range(-half, half + 1), key=abs)
    middles = [len(counts) // 2 + s for s in shifts]
    middle = max(middles, key=lambda m: sums[m + half] - sums[m - half])
    reach = half + quarter * np.arange(len(_WEIGHTS) + 1)
    above, below = -np.diff(sums[middle - reach]), np.diff(sums[middle + reach])
    return (above - below) / counts.sum()
