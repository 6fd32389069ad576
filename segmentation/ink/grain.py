"""The grain of a picture: of film, of a sensor with little light, of a halftone."""

from __future__ import annotations

import cv2
import numpy as np

_SECOND_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_DEVIATIONS = 6 * 0.6745
"""Median of the absolute second differences over the standard deviation of the grain: the mask's norm times a normal
distribution's median absolute deviation."""
_STRONG = 0.04
"""A page is smoothed if its grain is more than this share of its contrast. The real collections' pages have at most
0.02; a standard deviation of 25 grey levels makes about 0.1."""
_NOTHING_ELSE = 0.24
"""Where grain is this share of the contrast or more there is nothing else, and smoothing would make blots of it: normal
noise alone has 0.28, or 0.24 where white cuts it off; the collections' pages with a grain of 60 grey levels up to
0.23."""
_REACH = 1.2
"""Reach of the filter that smooths a page, pixels at the working scale, where strokes are two to five wide."""


def smooth_grain(gray: np.ndarray) -> np.ndarray:
    """The same page, or if its grain is strong beside its contrast, one with less of it: uint8 (h, w).

    The recogniser does the same with pictures that come from no page (`htr_model.normalization`).
    """
    # Ink covers a two-hundredth of all but nearly empty pages.
    grain, contrast = grain_and_contrast(gray, 0.5)
    if not _STRONG * contrast < grain < _NOTHING_ELSE * contrast:
        return gray
    return smoothed(gray, grain, _REACH)


def grain_and_contrast(gray: np.ndarray, ink_percent: float) -> tuple[float, float]:
    """Standard deviation of a picture's grain, and by how much its ink is darker than its paper, grey levels.

    Grain is taken from second differences, which paper and the inside of strokes leave at nought (Immerkær 1996; the
    median in the place of the mean, so that strokes do not count).

    Args:
        gray: uint8 (h, w).
        ink_percent: of its pixels, that are ink at least.
    """
    differences = cv2.filter2D(gray, cv2.CV_16S, _SECOND_DIFFERENCES)[::4, ::3]
    dark, light = np.percentile(gray[::4, ::3], (ink_percent, 85))
    return float(np.median(np.abs(differences))) / _DEVIATIONS, light - dark


def smoothed(gray: np.ndarray, grain: float, reach: float) -> np.ndarray:
    """A picture with less grain, by a bilateral filter (Tomasi and Manduchi 1998) three times as wide in levels.

    Args:
        gray: uint8 (h, w).
        grain: its standard deviation, grey levels.
        reach: of the filter, pixels.
    """
    return cv2.bilateralFilter(gray, 5, 3 * grain, reach)
