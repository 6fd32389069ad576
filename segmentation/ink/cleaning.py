"""From a grey page to its ink: even paper, black and white, without rulings, bars and the scanner's border."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.ink.grain import smooth_grain


def _quarter(picture: np.ndarray) -> np.ndarray:
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
    small = _quarter(gray)
    paper = cv2.dilate(small, np.ones((9, 9), np.uint8))
    paper = cv2.blur(cv2.medianBlur(paper, 31), (15, 15))
    paper = cv2.resize(paper, (w, h), interpolation=cv2.INTER_LINEAR)
    return cv2.divide(gray, np.maximum(paper, 1), scale=255)


_DARK_TABLE = 0.6
"""Brightness of what surrounds a sheet, as a share of the sheet's, below which it is not paper."""
_GRADUAL = 0.025
"""Natural logarithm of the brightness by which neighbouring pixels of a long side of 250 may differ in a shadow; at the
edge of a sheet they differ by more."""
_DIM = 20
"""Grey levels added before the logarithm: on a black table one level is no step."""
_SHARP = 0.5
"""Share of the difference between sheet and table that lies within 7 of 250 pixels along three quarters of the edge: a
soft shadow that falls on a sheet darkens it over a longer way. Sheets have 0.9 or more, soft shadows up to 0.4."""
_BEYOND = 0.3
"""Share of the picture's edge along which a sheet must go on beyond it, so that the rest may be sheet in a shadow."""
_MARK = 0.12
"""Natural logarithm of the brightness by which writing, seen at 250 pixels, is darker than what surrounds it."""
_DIM_INK = 5
"""Grey levels added where ink is looked for, of which little light is left in a shadow."""
_AS_WRITTEN = 0.5
"""Marks in a shadow over those in the light from which both are one page: shadows have 0.5 to 1.3."""
_SOLID_SHEET = 0.93
"""Share of its convex hull that a sheet fills, corners folded over included."""


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
    size = (max(1, round(w * factor)), max(1, round(h * factor)))
    written = cv2.resize(_quarter(gray), size, interpolation=cv2.INTER_AREA)
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
_NEGATIVE_SIDE = 650
"""Pixels at which strokes are still there, and a median of their surroundings is quick."""
_CLEARLY = 30
"""Grey levels by which a stroke stands out."""
_MANY_TIMES = 2.0
"""Light strokes over dark ones on a negative: the project's pages have up to 0.15, their negatives from 6.5 on."""


def is_negative(gray: np.ndarray) -> bool:
    """Whether a page, uint8 (h, w), is written light on dark, as on microfilm."""
    if np.median(gray[::8, ::8]) >= _DARK:
        return False
    factor = min(1.0, _NEGATIVE_SIDE / max(gray.shape))
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    stands_out = small.astype(np.int16) - cv2.medianBlur(small, 31)
    light, dark = np.count_nonzero(stands_out > _CLEARLY), np.count_nonzero(stands_out < -_CLEARLY)
    return light > _MANY_TIMES * dark


_WINDOW_SHARE = 40
"""Local thresholds look at a window of long side / 40: about one and a half lines of an ordinary page."""
_WEAK, _STRONG = 0.35, 0.55
"""Wolf's k for what may be ink and for what surely is."""
_STRONG_SHARE = 0.15
"""A weak component is ink when so much of it is strong: keeps faint ends of strokes, drops show-through."""
_LEAST_CONTRAST = 18
"""Grey levels below paper that any ink must have on the flattened page; a blank page has only noise."""
_SOLID = 0.35
"""Share of the paper's brightness below which all is ink: a local threshold hollows areas wider than its window."""


_NOISE_FACTOR = 4.5
"""Ink is darker than paper by so many standard deviations of the paper's grain: cloth-like paper is not writing."""
_MOST_CONTRAST = 70
"""Grey levels that are enough on any paper."""


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
"""Percentiles of a page's grey levels and deviations that are its tones."""


def tones_at(flat: np.ndarray, writing: np.ndarray, threshold: float) -> Tones:
    """Tones of the writing on a flattened page, whatever darker things are beside it.

    Args:
        writing: bool (h, w), where it is, with some paper around it.
        threshold: grey level up to which it is ink.
    """
    _, deviation = _local(flat)
    levels = flat[writing]
    near = _quarter(writing.astype(np.uint8) * 255) > 127
    largest = np.percentile(deviation[near], 90) if near.any() else deviation.max()
    return Tones(float(np.median(levels[levels <= threshold])), max(float(largest), 1.0))


def _local(flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of the grey levels around each fourth pixel: float32 (h / 4, w / 4) each.

    What thresholds are made of changes slowly: it is found on a quarter of the rows and columns.
    """
    mean = _quarter(flat).astype(np.float32)
    square = _quarter(cv2.multiply(flat, flat, dtype=cv2.CV_16U))
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


@dataclass(frozen=True)
class Components:
    """Connected components of an ink mask.

    Attributes:
        labels: int32 (h, w), 0 paper.
        left, top, width, height, area: int32 (count,), index 0 is the paper.
    """

    labels: np.ndarray
    left: np.ndarray
    top: np.ndarray
    width: np.ndarray
    height: np.ndarray
    area: np.ndarray

    @property
    def count(self) -> int:
        return len(self.area)

    def only(self, keep: np.ndarray) -> Components:
        """Those components for which ``keep``, bool (count,), says so, numbered anew in the same order."""
        keep = keep.copy()
        keep[0] = True
        numbers = np.where(keep, np.cumsum(keep) - 1, 0).astype(np.int32)
        sizes = (self.left, self.top, self.width, self.height, self.area)
        return Components(numbers[self.labels], *(s[keep] for s in sizes))


def components(ink: np.ndarray) -> Components:
    """Connected components (8-neighbourhood) of a mask, bool (h, w)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    return Components(labels, *(stats[:, i] for i in range(4)), stats[:, cv2.CC_STAT_AREA])


_INKED = 0.8
"""Share of a ruling that is ink; joined feet of letters have gaps."""
_RULING_SHARE = 0.25
"""Share of the page's width or height over which a ruling runs at least."""
_THICKEST_SHARE = 180
"""Long side over the thickness of the thickest ruling, on average over its length."""


def remove_rulings(ink: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ink without long straight horizontal and vertical lines, and those lines: bool (h, w) each.

    What of a line is thicker than the ruling (a letter crossing it) stays. Only the layout is found on this mask;
    the recogniser's pictures are cut from the grey page, where removing rules would eat letters.
    """
    h, w = ink.shape
    rules = np.zeros_like(ink)
    thickest = max(6.0, max(h, w) / _THICKEST_SHARE)
    mask = ink.astype(np.uint8)
    for length, axis in ((max(40, w // 14), 0), (max(60, h // 8), 1)):
        kernel = np.ones((1, length), np.uint8) if axis == 0 else np.ones((length, 1), np.uint8)
        # A rule may waver by a pixel and have small holes: close those first.
        joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 9) if axis == 0 else (9, 3), np.uint8))
        found = cv2.morphologyEx(joined, cv2.MORPH_OPEN, kernel)
        if not found.any():
            continue
        # Letters of a word close to each other look like a rule after closing, but are taller and have gaps.
        _, labels, stats, _ = cv2.connectedComponentsWithStats(found)
        extent, area = stats[:, cv2.CC_STAT_WIDTH + axis], stats[:, cv2.CC_STAT_AREA]
        inked = np.bincount(labels[mask > 0], minlength=len(area)) / np.maximum(area, 1)
        keep = (inked >= _INKED) & (area <= thickest * extent)
        keep[0] = False
        if not keep.any():
            continue
        found = _long(keep[labels].astype(np.uint8), axis)
        found = cv2.dilate(found, np.ones((3, 3), np.uint8)) & mask
        rules |= (found > 0) & ~_crossing_strokes(mask, found, axis)
    return ink & ~rules, rules


def _long(rules: np.ndarray, axis: int) -> np.ndarray:
    """What of a mask of rulings runs, gaps closed, over much of the page: strokes of joined letters do not."""
    extent = rules.shape[1 - axis]
    gap = extent // 20 + 1
    joined = cv2.dilate(rules, np.ones((1, gap) if axis == 0 else (gap, 1), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    long = stats[:, cv2.CC_STAT_WIDTH + axis] >= _RULING_SHARE * extent
    long[0] = False
    return rules & long[labels]


def _crossing_strokes(mask: np.ndarray, rule: np.ndarray, axis: int) -> np.ndarray:
    """Pixels of ``rule`` where ink goes on above and below (or left and right of) it."""
    rest = mask & ~rule
    reach = np.ones((7, 1) if axis == 0 else (1, 7), np.uint8)
    up = cv2.dilate(rest, reach, anchor=(0, 0))
    down = cv2.dilate(rest, reach, anchor=(0, 6) if axis == 0 else (6, 0))
    return (rule > 0) & (up > 0) & (down > 0)


def remove_border_and_bars(ink: np.ndarray, stroke_width: float) -> np.ndarray:
    """Ink without the scanner's dark border and solid bars: bool (h, w).

    Only what is much thicker than a stroke goes: letters that hang on a margin stay.
    """
    h, w = ink.shape
    thick = int(max(7, 4 * stroke_width)) | 1
    kernel = np.ones((thick, thick), np.uint8)
    mask = ink.astype(np.uint8)
    # The outermost pixels go on beyond the page's edge, so that a narrow border is taken for the end of a wide one.
    padded = cv2.copyMakeBorder(mask, thick, thick, thick, thick, cv2.BORDER_REPLICATE)
    solid = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[thick : thick + h, thick : thick + w]
    if not solid.any():
        return ink
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    left, top, width, height, area = stats.T
    at_edge = (left <= 2) | (top <= 2) | (left + width >= w - 2) | (top + height >= h - 2)
    bar = (np.maximum(width, height) > 12 * thick) | (area > 40 * thick * thick)
    drop = at_edge | bar
    drop[0] = False
    return ink & ~(cv2.dilate(drop[labels].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
