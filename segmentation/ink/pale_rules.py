"""Rules that are darker than their paper, but too pale to be ink."""

from __future__ import annotations

import cv2
import numpy as np

_PALE = 8
"""A pale rule is darker than the paper on both sides by at least so many grey levels, averaged along it."""
_BESIDE = 4
"""Distance from a pale rule to the paper that it is compared with, pixels."""
_ALONG = 32
"""Number of rows over which a pale rule is averaged."""
_ROWS = 4
"""Number of rows that are averaged into one before anything else, to save time."""
_LEAST_BLANK = 0.3
"""Least share of the averaged pixels that is blank; where letters leave less, no pale rule is seen."""


def pale_rules(flat: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """What may be a pale upright rule of a level page, bool (h, w).

    Args:
        flat: uint8 (h, w), the page on even paper.
        ink: bool (h, w), its writing, which counts for nothing here.
    """
    height, width = flat.shape
    if height < _ROWS or width <= 2 * _BESIDE:
        return np.zeros(flat.shape, bool)
    blank = cv2.erode((~ink).view(np.uint8), np.ones((5, 5), np.uint8))
    # Averages along a rule change slowly: a few rows tell all.
    size = (width, height // _ROWS)
    share = cv2.resize(blank.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    level = cv2.resize(cv2.multiply(flat, blank).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    share, level = (cv2.blur(values, (1, _ALONG // _ROWS)) for values in (share, level))
    level = np.where(share < _LEAST_BLANK, 0, level / np.maximum(share, _LEAST_BLANK))
    found = np.zeros(level.shape, np.uint8)
    beside = np.minimum(level[:, : -2 * _BESIDE], level[:, 2 * _BESIDE :])
    middle = level[:, _BESIDE:-_BESIDE]
    found[:, _BESIDE:-_BESIDE] = (beside - middle >= _PALE) & (middle > 0)
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST) > 0
