"""The page's scale: stroke width, x-height, line pitch. Everything later is measured in these."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.ink.components import Components

_LETTER_STROKES = 1.2
"""Least ink of a letter in a line, in upright strokes an x-height long. A tail of another line that runs through its
x-height zone is one such stroke."""


@dataclass(frozen=True)
class Scale:
    """Sizes of the writing, pixels.

    Attributes:
        stroke_width: typical width of a pen stroke.
        x_height: height of letters such as x and a.
        pitch: distance of neighbouring lines.
    """

    stroke_width: float
    x_height: float
    pitch: float

    @property
    def letter_ink(self) -> float:
        """Pixels of ink in a line's x-height zone above which a component has a letter there, and no mere tail."""
        return _LETTER_STROKES * self.x_height * self.stroke_width


_SOLID = 21
"""Least width of what is no stroke, pixels at the working scale."""


def stroke_width(ink: np.ndarray) -> float:
    """Width of strokes: twice the ink's area over its contour length (exact for long thin strokes).

    Solid areas, such as the scanner's border, do not count unless there is nothing else.
    """
    mask = ink.astype(np.uint8)
    solid = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((_SOLID, _SOLID), np.uint8))
    if solid.any():
        thin = mask & (cv2.dilate(solid, np.ones((5, 5), np.uint8)) == 0)
        mask = thin if thin.any() else mask
    area = np.count_nonzero(mask)
    contour = area - np.count_nonzero(cv2.erode(mask, np.ones((3, 3), np.uint8)))
    return 2.0 * area / max(contour, 1)


_TALLEST = 20.0
"""Greatest x-height, in stroke widths; writing of 435 pages has 2.6 to 18.2, and engravings may have 70."""


def x_height(ink: np.ndarray, parts: Components, stroke: float) -> float:
    """Height of the middle zone: weighted median of vertical runs after letters are joined sideways.

    Smearing along the line fills the space between the strokes of x-height letters, so that most columns have one
    long run from baseline to x-line; ascenders, dots and commas are in the minority.
    """
    large = np.flatnonzero(parts.area[1:] > 3 * stroke * stroke) + 1
    guess = _weighted_median(parts.height[large], parts.area[large]) if large.size else 20.0
    smear = int(np.clip(guess, 7, 80)) | 1
    joined = cv2.morphologyEx(ink.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((1, smear), np.uint8))
    runs = _vertical_runs(joined[:, ::3])
    runs = runs[runs > 1.5 * stroke]
    height = 0.0
    # The second limit is for pages of which most ink is a picture, whose hatching runs together too.
    for limit in (12 * guess, _TALLEST * stroke):
        runs = runs[runs < limit]
        if runs.size == 0:
            return max(guess, 6.0)
        height = _weighted_median(runs, runs)
        if height <= _TALLEST * stroke:
            break
    return max(height, 5.0)


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])


def _vertical_runs(mask: np.ndarray) -> np.ndarray:
    """Lengths of all vertical runs of ones."""
    columns = np.pad(mask.T.astype(np.int8), ((0, 0), (1, 1)))
    edges = np.diff(columns, axis=1)
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


_STRIPS = 8
"""Number of upright strips of the page whose row profiles are taken one by one: lines may climb or bend."""
_STRONG_PEAK = 0.5
"""The first peak of at least this share of the best one is the pitch: the best may be a multiple of it."""


def line_pitch(ink: np.ndarray, x_height: float) -> float:
    """Distance of lines: first strong peak of the autocorrelation of vertical strips' row profiles.

    Falls back to 3.5 x-heights where nothing repeats (a page with one line).
    """
    h, w = ink.shape
    step = max(1, round(x_height / 6))
    least, most = int(1.3 * x_height / step), int(min(14 * x_height, h / 2) / step)
    fallback = 3.5 * x_height
    if most <= least + 2:
        return fallback
    total = np.zeros(most + 1)
    for strip in np.array_split(ink, _STRIPS, axis=1):
        profile = strip.sum(axis=1).astype(np.float64)
        profile = profile[: h // step * step].reshape(-1, step).sum(axis=1)
        if profile.sum() < 4 * x_height:
            continue
        profile = cv2.GaussianBlur(profile.reshape(-1, 1), (0, 0), 0.25 * x_height / step).ravel()
        profile -= cv2.blur(profile.reshape(-1, 1), (1, max(3, int(10 * x_height / step)))).ravel()
        spectrum = np.fft.rfft(profile, 2 * len(profile))
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: most + 1]
        if len(correlation) == most + 1 and correlation[0] > 0:
            total += correlation
    if total[0] <= 0:
        return fallback
    total /= total[0]
    inner = total[least : most + 1]
    peaks = [
        i for i in range(1, len(inner) - 1) if inner[i] >= inner[i - 1] and inner[i] > inner[i + 1] and inner[i] > 0.05
    ]
    if not peaks:
        return fallback
    best = max(inner[i] for i in peaks)
    first = next(i for i in peaks if inner[i] >= _STRONG_PEAK * best)
    pitch = float((first + least) * step)
    return min(pitch, 4.5 * x_height) if best < 0.15 else pitch


def measure(ink: np.ndarray, parts: Components) -> Scale:
    """Scale of a page's ink, bool (h, w)."""
    stroke = stroke_width(ink)
    height = x_height(ink, parts, stroke)
    return Scale(stroke, height, line_pitch(ink, height))
