"""Print that is much smaller than the page's writing: letterheads, the small print of forms.

The line network sees the page with its x-height at a fixed size. Of print half as large it marks several lines as one,
or none. Where small letters stand in rows it is asked again, with their x-height at that size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from segmentation.ink.components import Components
from segmentation.ink.scale import Scale, line_pitch, stroke_width
from segmentation.lines.curves import Curve, curves_in_zones
from segmentation.lines.network import LineNetwork
from segmentation.lines.ownership import assign, nearest_curve
from segmentation.lines.second_look import CORE, own_stretches, sureness

_SHORTEST, _TALLEST = 0.25, 0.8
"""X-heights of the page between which a letter of small print is high, capitals too. Less are dots and accents."""
_LEAST_STROKES = 1.5
"""Strokes of the page that it is high: rows of dots and what is left of rulings are less."""
_LEAST_PIXELS = 4
"""Pixels of the working picture that it is high: less nobody could read, and to enlarge it that far takes long."""
_WIDEST = 2.5
"""X-heights of the page: letters of small print touch each other."""
_BAR = 0.2
"""Share of a letter's height above and below its middle by which it belongs to its row: rows touch each other, too."""
_BESIDE = 0.8
"""X-heights of the page between small letters of one row."""
_LEAST_LETTERS = 4
"""Small letters of a row: dots and broken strokes of larger writing seldom line up."""
_MEAN_HEIGHT = 0.7
"""X-heights of the page that the letters of a row are high on average, at most."""
_EVEN = 1.2
"""Height of the bars of a row over that of its letters, at most."""
_LEAST_ROW = 1.5
"""X-heights of the page that a row is long."""
_LEAST_ON_PAGE = 8
"""Small letters in rows from which the network is asked again, and that small print has."""
_LOW_LETTER = 35
"""Percentile of their heights that is their x-height: a third and more of all letters have no other."""
_MARGIN = 2.0
"""X-heights of the page above and below the rows that the network sees too."""

_SURE = 0.8
"""Mean answer of the line network along a line."""
_LEAST_LENGTH = 4.0
"""X-heights of small print: a word."""
_LEAST_COLUMNS = 0.5
"""Share of a line's columns with ink of small letters in its core."""
_LEAST_SMALL = 0.7
"""Share of the ink in a line's core that is of small letters."""
_TALL = 0.9
"""X-heights of the page up to which letters are small there, and may touch."""
_TOUCHING = 1.1
"""X-heights of the page: height of small print whose lines touch."""
_NEAR = 1.4
"""X-heights of small print from a line's middle within which its letters, dots and commas lie."""
_MOSTLY = 0.6
"""Share of a component's ink that lies so near."""

_HELD = 0.8
"""Share of a line's ink in one line of the first look, from which that has found it."""
_STACKED = 0.2
"""Share of another line's ink in it, from which it has joined two."""
_ON_COURSE = 0.6
"""X-heights of the page between the middles of what the two looks found, at most, if it is the same line."""
_LEAST_PIECE = 6.0
"""X-heights of the page of what is kept of a line of the first look beside the longest piece."""


@dataclass(frozen=True)
class SmallPrint:
    """Print much smaller than a page's writing.

    Attributes:
        parts: the components of its ink.
        curves: of its lines.
        scale: its sizes.
        other_parts: the components of the page's other ink.
        other_curves: of the page's other lines.
    """

    parts: Components
    curves: list[Curve]
    scale: Scale
    other_parts: Components
    other_curves: list[Curve]


@dataclass(frozen=True)
class _Ink:
    """A page's pixels of ink: int (n,) each, with the component of each."""

    ys: np.ndarray
    xs: np.ndarray
    component: np.ndarray


def find_small_print(
    flat: np.ndarray, parts: Components, curves: list[Curve], scale: Scale, network: LineNetwork
) -> SmallPrint | None:
    """The small print of a level page whose lines were joined, cut or missed at the page's scale; None without such.

    Args:
        flat: uint8 (h, w), the page on even white paper.
        parts: components of its ink.
        curves: of the lines that were found at the page's scale.
    """
    rows, x_height = _rows(parts, scale)
    if not rows.any():
        return None
    width = flat.shape[1]
    found = _look_again(flat, rows, x_height, scale, network)
    ys, xs = np.nonzero(parts.labels)
    ink = _Ink(ys, xs, parts.labels[ys, xs])
    size = replace(scale, x_height=x_height)
    found = _those(found, _of_small_letters(parts, ink, found, size, scale))
    if found:
        small = _is_small(parts, ink, found, size, scale)[ink.component]
        line, _ = nearest_curve(ys[small], xs[small], found, width, size)
        first_look = assign(parts, curves, scale)[ys[small], xs[small]] - 1
        found = _those(found, _is_better(found, curves, line, first_look, scale))
    if not found:
        return None
    is_small = _is_small(parts, ink, found, size, scale)
    if np.count_nonzero(is_small) < _LEAST_ON_PAGE:
        return None
    own = parts.only(is_small)
    mask = own.labels > 0
    size = Scale(stroke_width(mask), x_height, line_pitch(mask, x_height))
    others = _cut(curves, ink, is_small[ink.component], width, scale)
    return SmallPrint(own, found, size, parts.only(~is_small), others)


def _those(curves: list[Curve], keep: np.ndarray) -> list[Curve]:
    return [c for c, k in zip(curves, keep, strict=True) if k]


def _rows(parts: Components, scale: Scale) -> tuple[np.ndarray, float]:
    """Where small letters stand in rows: the page's rows of pixels there, bool (h,), and the letters' x-height."""
    x_height = scale.x_height
    shortest = max(_SHORTEST * x_height, _LEAST_STROKES * scale.stroke_width, _LEAST_PIXELS)
    letter = (parts.height >= shortest) & (parts.height <= _TALLEST * x_height) & (parts.width <= _WIDEST * x_height)
    letter[0] = False
    letter = np.flatnonzero(letter)
    inked = np.zeros(len(parts.labels), bool)
    if len(letter) < _LEAST_ON_PAGE:
        return inked, x_height
    height, left, width = parts.height[letter], parts.left[letter], parts.width[letter]
    middle = parts.top[letter] + height // 2
    thick, beside = np.maximum(1, np.round(_BAR * height).astype(int)), round(_BESIDE * x_height / 2)
    bars = np.zeros(parts.labels.shape, np.uint8)
    edges = (np.maximum(middle - thick, 0), middle + thick + 1, np.maximum(left - beside, 0), left + width + beside)
    for top, bottom, first, last in zip(*(e.tolist() for e in edges), strict=True):
        bars[top:bottom, first:last] = 1
    count, rows, stats, _ = cv2.connectedComponentsWithStats(bars, connectivity=8, ltype=cv2.CV_32S)
    row = rows[middle, left]
    letters = np.bincount(row, minlength=count)
    mean_height = np.bincount(row, height, minlength=count) / np.maximum(letters, 1)
    is_row = (
        (letters >= _LEAST_LETTERS)
        & (mean_height <= _MEAN_HEIGHT * x_height)
        & (stats[:, cv2.CC_STAT_HEIGHT] <= _EVEN * mean_height)
        & (stats[:, cv2.CC_STAT_WIDTH] >= _LEAST_ROW * x_height + 2 * beside)
    )
    in_row = is_row[row]
    if np.count_nonzero(in_row) < _LEAST_ON_PAGE:
        return inked, x_height
    for top, tall in stats[is_row][:, [cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT]]:
        inked[top : top + tall] = True
    return inked, float(np.percentile(height[in_row], _LOW_LETTER))


def _look_again(flat: np.ndarray, rows: np.ndarray, x_height: float, scale: Scale, network: LineNetwork) -> list[Curve]:
    """Curves of what the line network is sure of around rows of small letters, at their scale.

    Args:
        rows: bool (h,), where those are.
        x_height: of small print, pixels.
    """
    width = flat.shape[1]
    margin = round(_MARGIN * scale.x_height)
    around = np.convolve(rows, np.ones(2 * margin + 1), "same")[: len(rows)] > 0
    edges = np.flatnonzero(np.diff(np.pad(around.astype(np.int8), 1)))
    size = replace(scale, x_height=x_height)
    found = []
    # From edge to edge: letters of the same line that touch are not seen to be small.
    for top, bottom in edges.reshape(-1, 2):
        zones, factor = network.find(flat[top:bottom], x_height)
        for curve in curves_in_zones(zones, factor, size, width):
            if len(curve.ys) >= _LEAST_LENGTH * x_height and sureness(curve, zones, factor) >= _SURE:
                found.append(Curve(curve.first, curve.ys + np.float32(top)))
    return found


def _of_small_letters(parts: Components, ink: _Ink, found: list[Curve], size: Scale, scale: Scale) -> np.ndarray:
    """Whether each curve runs through small letters, not through parts of larger writing: bool (found,)."""
    line, distance = nearest_curve(ink.ys, ink.xs, found, parts.labels.shape[1], size)
    core = distance <= CORE * size.x_height
    low = core & (parts.height <= _TALL * scale.x_height)[ink.component]
    all_ink, low_ink = (np.bincount(line[m], minlength=len(found)) for m in (core, low))
    width = parts.labels.shape[1]
    columns = np.bincount(np.unique(line[low] * width + ink.xs[low]) // width, minlength=len(found))
    length = np.array([len(c.ys) for c in found])
    return (low_ink >= _LEAST_SMALL * all_ink) & (columns >= _LEAST_COLUMNS * length)


def _is_small(parts: Components, ink: _Ink, found: list[Curve], size: Scale, scale: Scale) -> np.ndarray:
    """Whether each component belongs to a line of small print: bool (parts.count,)."""
    _, distance = nearest_curve(ink.ys, ink.xs, found, parts.labels.shape[1], size)
    near = np.bincount(ink.component[distance <= _NEAR * size.x_height], minlength=parts.count)
    is_small = (parts.height <= _TOUCHING * scale.x_height) & (near >= _MOSTLY * parts.area)
    is_small[0] = False
    return is_small


def _is_better(
    found: list[Curve], curves: list[Curve], line: np.ndarray, first_look: np.ndarray, scale: Scale
) -> np.ndarray:
    """Whether each line of small print is one that the first look joined to others, cut or missed: bool (found,).

    Args:
        line, first_look: of each pixel of small print, its line, and that of the first look or −1.
    """
    shared = np.zeros((len(found), len(curves) + 1), np.int64)
    np.add.at(shared, (line, first_look), 1)
    ink = np.maximum(shared.sum(axis=1), 1)
    shares = shared[:, :-1] / ink[:, None]
    better = np.zeros(len(found), bool)
    for i, curve in enumerate(found):
        holder = int(shares[i].argmax())
        joined = any(
            j != i and shares[j, holder] >= _STACKED and _share_columns(curve, other) for j, other in enumerate(found)
        )
        apart = _rows_apart(curve, curves[holder]) > _ON_COURSE * scale.x_height
        better[i] = joined or apart or shares[i, holder] < _HELD
    return better


def _share_columns(a: Curve, b: Curve) -> bool:
    """Whether two curves run above each other for a third of the shorter one."""
    return min(a.last, b.last) - max(a.first, b.first) > min(len(a.ys), len(b.ys)) / 3


def _rows_apart(curve: Curve, other: Curve) -> float:
    """Rows between a curve and another, which may go on level beyond its ends; the median of all columns."""
    columns = np.clip(np.arange(curve.first, curve.last + 1) - other.first, 0, len(other.ys) - 1)
    return float(np.median(np.abs(curve.ys - other.ys[columns])))


def _cut(curves: list[Curve], ink: _Ink, small: np.ndarray, width: int, scale: Scale) -> list[Curve]:
    """Curves of the first look where they do not run through small print.

    Args:
        small: of each pixel of ink, whether it is small print.
    """
    line, distance = nearest_curve(ink.ys, ink.xs, curves, width, scale)
    core = distance <= CORE * scale.x_height
    crossed = np.bincount(line[core & small], minlength=len(curves)) > 0
    within = core & crossed[line]
    numbers = np.cumsum(crossed) - 1
    whole, cut = _those(curves, ~crossed), _those(curves, crossed)
    return whole + own_stretches(
        cut, numbers[line[within]], ink.xs[within], small[within], scale.x_height, _LEAST_PIECE
    )
