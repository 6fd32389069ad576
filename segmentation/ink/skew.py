"""By how many degrees the writing of a page climbs or falls."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.scaling import scaled

_LARGEST = 10.0
"""Greatest skew that is looked for, degrees."""
_SIDE = 500
"""Long side to which the ink is scaled, pixels."""
_CLEAR = 1.8
"""A page has a skew if its sharpness at the best angle is at least so many times that at a typical one: random ink has
up to 1.4, real pages 3 and more."""


def estimate_skew(ink: np.ndarray) -> float:
    """Degrees by which lines climb (positive: up to the right), −10 … 10, for a page's ink, bool (h, w).

    The angle at which the page's row profile is sharpest (largest mean square of its differences; Postl 1986), sought
    coarsely, then finely. A page without a clear answer gets 0.
    """
    factor = _SIDE / max(ink.shape)
    small = scaled(ink.astype(np.float32), factor, enlarging=cv2.INTER_AREA)
    ys, xs = np.nonzero(small > 0.1)
    if len(ys) < 50:
        return 0.0
    weights = small[ys, xs]
    coarse = np.arange(-_LARGEST, _LARGEST + 0.1, 1.0)
    scores = np.array([_sharpness(xs, ys, weights, a) for a in coarse])
    best = float(coarse[scores.argmax()])
    fine = np.arange(best - 1, best + 1.01, 0.2)
    fine_scores = np.array([_sharpness(xs, ys, weights, a) for a in fine])
    level = _sharpness(xs, ys, weights, 0.0)
    # Ragged or uneven writing has no clear peak; turning such a page would help nobody.
    if fine_scores.max() < max(1.15 * level, _CLEAR * float(np.median(scores))):
        return 0.0
    return float(np.clip(fine[fine_scores.argmax()], -_LARGEST, _LARGEST))


def _sharpness(xs: np.ndarray, ys: np.ndarray, weights: np.ndarray, degrees: float) -> float:
    rows = ys + np.tan(np.radians(degrees)) * xs
    rows = np.round(rows - rows.min()).astype(int)
    profile = np.bincount(rows, weights=weights)
    return float(np.square(np.diff(profile)).sum())
