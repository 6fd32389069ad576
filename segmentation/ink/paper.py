"""The paper of a page: evened out, with nothing around the sheet; and pages that are written light on dark."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.ink.grain import smooth_grain
from segmentation.scaling import scaled


def quarter(picture: np.ndarray) -> np.ndarray:
    """The picture at a quarter of its size, each pixel the mean of 4 × 4.

    Up to three rows and columns at the end are left out: OpenCV is four times as quick with a whole factor.
    """
    h, w = picture.shape
    if min(h, w) < 4:
        return cv2.resize(picture, (max(1, w // 4), max(1, h // 4)), interpolation=cv2.INTER_AREA)
    return cv2.resize(picture[: h // 4 * 4, : w // 4 * 4], (w // 4, h // 4), interpolation=cv2.INTER_AREA)


def flatten_paper(gray: np.ndarray) -> np.ndarray:
    """The page on even, white paper: uint8 (h, w).

    The paper's brightness is taken at quarter scale (dilation over strokes, median over what is left of them, blur)
    and divided out.
    """
    h, w = gray.shape
    small = quarter(gray)
    paper = cv2.dilate(small, np.ones((9, 9), np.uint8))
    paper = cv2.blur(cv2.medianBlur(paper, 31), (15, 15))
    paper = cv2.resize(paper, (w, h), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(gray, np.maximum(paper, 1), scale=255)


_DARK_TABLE = 0.6
"""What surrounds a sheet is a table if it is at most this bright, as a share of the sheet's brightness."""
_GRADUAL = 0.025
"""Neighbouring pixels of a picture with a long side of 250 are one surface if the natural logarithms of their
brightness differ by at most this, as in a shadow; at the edge of a sheet they differ by more."""
_DIM = 20
"""Grey levels that are added before the logarithm is taken: on a black table one level is no step."""
_SHARP = 0.5
"""Least share of the difference between sheet and table that lies within 7 of 250 pixels, along three quarters of the
edge: a soft shadow that falls on a sheet darkens it over a longer way. Sheets have 0.9 or more, soft shadows up to
0.4."""
_BEYOND = 0.3
"""What surrounds a sheet may be the rest of it in a shadow if the sheet lies on at least this share of the picture's
edge, and so goes on beyond."""
_MARK = 0.12
"""Writing on a picture with a long side of 250 is darker than what surrounds it by more than this, in natural
logarithms of brightness."""
_DIM_INK = 5
"""Grey levels that are added before the logarithm is taken where writing is looked for: few, as a shadow leaves little
light."""
_AS_WRITTEN = 0.5
"""Shadow and light are one page if marks are at least this frequent in the shadow, as a share of their frequency in the
light: shadows have 0.5 to 1.3."""
_SOLID_SHEET = 0.93
"""Least share of its convex hull that a sheet fills, corners folded over included."""


def outside_of_sheet(gray: np.ndarray) -> np.ndarray | None:
    """Where a photograph shows the table around the sheet, and the sheet's edge: bool (h, w); None for a plain scan.

    The table is what can be reached from the picture's border without a sharp step, so that a shadow on the sheet is
    not taken for table. Where the sheet can be reached so, it is the largest bright area by Otsu's threshold. It must
    fill a third of the picture at least, and all that surrounds it must be much darker, from the edge on, and not
    written on as a sheet is that goes on in the shadow.
    """
    h, w = gray.shape
    factor = 250 / max(h, w)
    if min(h, w) * factor < 20:
        return None
    written = cv2.resize(quarter(gray), (round(w * factor), round(h * factor)), interpolation=cv2.INTER_AREA)
    small = cv2.medianBlur(written, 7)
    level, _ = cv2.threshold(small, 0, 255, cv2.THRESH_OTSU)
    # Where a table has a grain, parts of it cannot be reached: no sheet is as ragged.
    for bright, solid in ((~_reached_from_border(small), _SOLID_SHEET), (small > level, 0.0)):
        sheet = _sheet(small, bright, solid)
        if sheet is not None and not _goes_on_in_shadow(written, sheet):
            around = cv2.dilate(255 - sheet, np.ones((5, 5), np.uint8), borderValue=0)
            return cv2.resize(around, (w, h), interpolation=cv2.INTER_LINEAR) > 127
    return None


def _brightness(gray: np.ndarray, dim: int = _DIM) -> np.ndarray:
    """Logarithm of the grey levels, float32, of which ``dim`` were added before."""
    return np.log(gray.astype(np.float32) + dim)


def _reached_from_border(small: np.ndarray) -> np.ndarray:
    """Pixels that gradual changes of brightness join to the border: bool like ``small``, uint8 (h, w)."""
    h, w = small.shape
    brightness = _brightness(small)
    reached = np.zeros((h + 2, w + 2), np.uint8)
    border = [(x, y) for x in range(0, w, 8) for y in (0, h - 1)] + [(x, y) for y in range(0, h, 8) for x in (0, w - 1)]
    for x, y in border:
        if not reached[y + 1, x + 1]:
            flags = 4 | cv2.FLOODFILL_MASK_ONLY | 1 << 8
            cv2.floodFill(brightness, reached, (x, y), 0, _GRADUAL, _GRADUAL, flags)
    return reached[1:-1, 1:-1] > 0


def _sheet(small: np.ndarray, bright: np.ndarray, solid: float) -> np.ndarray | None:
    """The convex hull of the largest area of ``bright``, 255 in uint8 (h, w); None where it is no sheet.

    Args:
        solid: least share of its hull that it must fill.
    """
    contours, _ = cv2.findContours(bright.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    largest = max(contours, key=cv2.contourArea)
    hull = cv2.convexHull(largest)
    if cv2.contourArea(largest) < solid * cv2.contourArea(hull):
        return None
    sheet = np.zeros_like(small)
    cv2.fillPoly(sheet, [hull], 255)
    inside, outside = small[sheet > 0], small[sheet == 0]
    if inside.size < small.size / 3 or outside.size < 0.02 * small.size:
        return None
    paper, table = float(np.median(inside)), float(np.percentile(outside, 90))
    return sheet if table <= _DARK_TABLE * paper and _has_sharp_edge(small, largest, paper, table) else None


def _has_sharp_edge(small: np.ndarray, contour: np.ndarray, paper: float, table: float) -> bool:
    """Whether brightness falls from ``paper`` to ``table`` at a sheet's edge and not little by little.

    Args:
        contour: int (n, 1, 2), the sheet's pixels at its edge; those at the picture's edge tell nothing. Where
            there are no others the table is a narrow border, as no shadow is.
    """
    h, w = small.shape
    x, y = contour[:, 0].T
    within = (x > 3) & (y > 3) & (x < w - 4) & (y < h - 4)
    if not within.any():
        return True
    brightness = _brightness(small)
    around = np.ones((7, 7), np.uint8)
    steps = (cv2.dilate(brightness, around) - cv2.erode(brightness, around))[y[within], x[within]]
    return float(np.percentile(steps, 25)) >= _SHARP * float(np.log((paper + _DIM) / (table + _DIM)))


def _goes_on_in_shadow(written: np.ndarray, sheet: np.ndarray) -> bool:
    """Whether what seems to be table is the rest of a written page, in a shadow with a hard edge.

    Args:
        written: the picture, uint8 (h, w), the long side 250 pixels, with its writing.
        sheet: 255 where the sheet seems to be, of the same shape.
    """
    edge = np.concatenate((sheet[0], sheet[-1], sheet[:, 0], sheet[:, -1])) > 0
    away_from_edge = np.ones((15, 15), np.uint8)
    light, shadow = (cv2.erode(part, away_from_edge) > 0 for part in (sheet, 255 - sheet))
    if edge.mean() < _BEYOND or not light.any() or not shadow.any():
        return False
    marks = cv2.morphologyEx(_brightness(written, _DIM_INK), cv2.MORPH_BLACKHAT, np.ones((9, 9), np.uint8)) > _MARK
    return marks[shadow].mean() >= _AS_WRITTEN * marks[light].mean() > 0


def flat_sheet(gray: np.ndarray) -> np.ndarray:
    """The page on even, white paper, its grain smoothed, and nothing but paper around the sheet: uint8 (h, w)."""
    gray = smooth_grain(gray)
    flat = flatten_paper(gray)
    around = outside_of_sheet(gray)
    if around is not None:
        flat[around] = 255
    return flat


_DARK = 128
"""Only a page whose median grey level is lower may be a negative."""
_NEGATIVE_SIDE = 650
"""Long side to which a page is scaled down, pixels: strokes are still there, and a median of their surroundings is
quick."""
_CLEARLY = 30
"""A stroke stands out if it differs from its surroundings by more grey levels than this."""
_MANY_TIMES = 2.0
"""A page is a negative if light strokes are more than so many times as frequent as dark ones: the project's pages have
up to 0.15, their negatives from 6.5 on."""


def is_negative(gray: np.ndarray) -> bool:
    """Whether a page, uint8 (h, w), is written light on dark, as on microfilm."""
    if np.median(gray[::8, ::8]) >= _DARK:
        return False
    small = scaled(gray, min(1.0, _NEGATIVE_SIDE / max(gray.shape)))
    stands_out = small.astype(np.int16) - cv2.medianBlur(small, 31)
    light, dark = np.count_nonzero(stands_out > _CLEARLY), np.count_nonzero(stands_out < -_CLEARLY)
    return light > _MANY_TIMES * dark
