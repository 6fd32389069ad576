"""From a page on even paper to its ink, black and white."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.ink.paper import quarter

_WINDOW_SHARE = 40
"""A local threshold looks at a window whose side is the page's long side over this: about one and a half lines of an
ordinary page."""
_WEAK, _STRONG = 0.35, 0.55
"""Wolf's k of the threshold for what may be ink, and of that for what surely is."""
_STRONG_SHARE = 0.15
"""A component of what may be ink is ink if at least this share of it surely is: that keeps faint ends of strokes and
drops show-through."""
_LEAST_CONTRAST = 18
"""Ink is darker than the paper of the flattened page by at least so many grey levels; a blank page has only noise."""
_SOLID = 0.35
"""All that is darker than this share of the paper's brightness is ink: a local threshold hollows areas wider than its
window."""


_NOISE_FACTOR = 4.5
"""Ink is darker than the paper by at least so many standard deviations of the paper's grain: cloth-like paper is not
writing."""
_MOST_CONTRAST = 70
"""So many grey levels darker than the paper is enough for ink, however strong the grain."""


def _noise(flat: np.ndarray) -> float:
    """Standard deviation of the paper's grain, grey levels.

    From the median absolute deviation of the page from its own blurred self, which ink, being rare, hardly changes.
    """
    grain = cv2.absdiff(flat, cv2.blur(flat, (5, 5)))[::2, ::2]
    return 1.4826 * float(np.median(grain))


def _levels(thresholds: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Thresholds at full ``size`` (width, height), for darker-than: uint8, so that comparing is quick."""
    whole = np.clip(np.ceil(thresholds), 0, 255).astype(np.uint8)
    return cv2.resize(whole, size, interpolation=cv2.INTER_LINEAR)


@dataclass(frozen=True)
class Tones:
    """What a threshold is measured by.

    Attributes:
        darkest: grey level of the darkest ink.
        largest: standard deviation of grey levels where the page has most contrast.
    """

    darkest: float
    largest: float


_DARKEST, _LARGEST = 0.2, 99.8
"""Percentiles that are a page's tones: of its grey levels the darkest ink, of its local standard deviations the
largest."""


def tones_at(flat: np.ndarray, writing: np.ndarray, threshold: float) -> Tones:
    """Tones of the writing on a flattened page, whatever darker things are beside it.

    Args:
        writing: bool (h, w), where it is, with some paper around it.
        threshold: grey level up to which it is ink.
    """
    _, deviation = _local(flat)
    levels = flat[writing]
    near = quarter(writing.astype(np.uint8) * 255) > 127
    largest = np.percentile(deviation[near], 90) if near.any() else deviation.max()
    return Tones(float(np.median(levels[levels <= threshold])), max(float(largest), 1.0))


def _local(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the grey levels around each fourth pixel: float32 (h / 4, w / 4) each.

    What thresholds are made of changes slowly: it is found on a quarter of the rows and columns.
    """
    mean = quarter(flat).astype(np.float32)
    square = quarter(cv2.multiply(flat, flat, dtype=cv2.CV_16U))
    window = (max(3, max(flat.shape) // (4 * _WINDOW_SHARE)) | 1,) * 2
    mean, square = cv2.blur(mean, window), cv2.blur(square.astype(np.float32), window)
    return mean, np.sqrt(np.maximum(square - mean * mean, 0))


def binarise(flat: np.ndarray, tones: Tones | None = None) -> np.ndarray:
    """Ink of a flattened page: bool (h, w).

    Wolf and Jolion's local threshold (2004) at two strengths, joined by hysteresis over connected components.

    Args:
        tones: those of the writing; None: of the page.
    """
    h, w = flat.shape
    mean, deviation = _local(flat)
    sparse = flat[::4, ::4]
    if tones is None:
        largest = max(float(np.percentile(deviation, _LARGEST)), 1.0)
        tones = Tones(float(np.percentile(sparse, _DARKEST)), largest)
    pull = np.maximum(1 - deviation / tones.largest, 0) * np.maximum(mean - tones.darkest, 0)
    paper = float(np.median(sparse))
    grain = min(_NOISE_FACTOR * _noise(flat), _MOST_CONTRAST)
    dark_enough = paper - max(_LEAST_CONTRAST, grain)
    weak, strong = (flat < _levels(np.minimum(mean - k * pull, dark_enough), (w, h)) for k in (_WEAK, _STRONG))
    solid = cv2.blur(flat, (5, 5)) < _SOLID * paper
    weak |= solid
    strong |= solid
    count, labels = cv2.connectedComponents(weak.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    of_weak = labels[weak]
    sizes = np.bincount(of_weak, minlength=count)
    sure = np.bincount(labels[strong], minlength=count)
    keep = sure >= np.maximum(1, _STRONG_SHARE * sizes)
    weak[weak] = keep[of_weak]
    return weak
