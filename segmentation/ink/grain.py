"""The grain of a picture: of film, of a sensor with little light, of a halftone."""

from __future__ import annotations

import cv2
import numpy as np

_SECOND_DIFFERENCES = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
_DEVIATIONS = 6 * 0.6745
"""Median of their absolute values over the grain's standard deviation: the mask's norm, and a normal distribution's
median absolute deviation."""
_STRONG = 0.04
"""Grain, as a share of the contrast, from which a page is smoothed. The real collections' pages have at most 0.02; a
standard deviation of 25 grey levels makes about 0.1."""
_NOTHING_ELSE = 0.24
"""From here on there is nothing but grain, and smoothing would make blots of it: normal noise alone has 0.28, or 0.24
where white cuts it off; the collections' pages with a grain of 60 grey levels up to 0.23."""
_REACH = 1.2
"""Pixels at the working scale, where strokes are two to five wide."""


def smooth_grain(gray: np.ndarray) -> np.ndarray:
    """The same page, or if its grain is strong beside its contrast, one with less of it: uint8 (h, w).

    Grain is taken from second differences, which paper and the inside of strokes leave at nought (Immerkær 1996; the
    median in the place of the mean, so that strokes do not count), and smoothed by a bilateral filter (Tomasi and
    Manduchi 1998) three times as wide in levels. The recogniser does the same with pictures that come from no page.
    """
    differences = cv2.filter2D(gray, cv2.CV_16S, _SECOND_DIFFERENCES)[::4, ::3]
    grain = float(np.median(np.abs(differences))) / _DEVIATIONS
    # Ink covers a two-hundredth of all but nearly empty pages.
    dark, light = np.percentile(gray[::4, ::3], (0.5, 85))
    if not _STRONG * (light - dark) < grain < _NOTHING_ELSE * (light - dark):
        return gray
    return cv2.bilateralFilter(gray, 5, 3 * grain, _REACH)
