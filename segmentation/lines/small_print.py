"""Print that is much smaller than the page's writing: letterheads, the small print of forms.

The line network sees the page with its x-height at a fixed size. Of print half as large it marks several lines as one,
or none. Where small letters stand in rows it is asked again, with their x-height at that size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from segmentation.ink.components import Components
from segmentation.ink.scale import Scale, line_pitch, stroke_width
from segmentation.lines.curves import Curve, curves_in_zones
from segmentation.lines.network import LineNetwork
from segmentation.lines.ownership import assign, nearest_curve
from segmentation.lines.second_look import CORE, own_stretches, sureness
from segmentation.lines.small_rows import LEAST_ON_PAGE, small_rows


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
    rows, x_height = small_rows(parts, scale)
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
    if np.count_nonzero(is_small) < LEAST_ON_PAGE:
        return None
    own = parts.only(is_small)
    mask = own.labels > 0
    size = Scale(stroke_width(mask), x_height, line_pitch(mask, x_height))
    others = _cut(curves, ink, is_small[ink.component], width, scale)
    return SmallPrint(own, found, size, parts.only(~is_small), others)


def _those(curves: list[Curve], keep: np.ndarray) -> list[Curve]:
    return [c for c, k in zip(curves, keep, strict=True) if k]


_MARGIN = 2.0
"""How much of the page above and below rows of small letters the network sees too, in x-heights of the page."""
_LEAST_LENGTH = 4.0
"""Least length of a line of small print, in its own x-heights: a word."""
_SURE = 0.8
"""Least mean answer of the line network along a line of small print."""


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


_TALL = 0.9
"""Greatest height of a component of small letters, which may touch, in x-heights of the page."""
_LEAST_SMALL = 0.7
"""Least share of the ink in a line's core that is small letters', where the line runs through such letters."""
_LEAST_COLUMNS = 0.5
"""Least share of such a line's columns with small letters' ink in its core."""


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


_TOUCHING = 1.1
"""Greatest height of a component of small print, in x-heights of the page: letters of two lines may touch."""
_NEAR = 1.4
"""Letters, dots and commas lie within so many x-heights of small print from the middle of their line."""
_MOSTLY = 0.6
"""Least share of a component's ink that lies so near a line of small print, if the component belongs to that."""


def _is_small(parts: Components, ink: _Ink, found: list[Curve], size: Scale, scale: Scale) -> np.ndarray:
    """Whether each component belongs to a line of small print: bool (parts.count,)."""
    _, distance = nearest_curve(ink.ys, ink.xs, found, parts.labels.shape[1], size)
    near = np.bincount(ink.component[distance <= _NEAR * size.x_height], minlength=parts.count)
    is_small = (parts.height <= _TOUCHING * scale.x_height) & (near >= _MOSTLY * parts.area)
    is_small[0] = False
    return is_small


_HELD = 0.8
"""The first look has found a line if it has at least this share of the line's ink in one line of its own; if not, it
has cut or missed the line."""
_STACKED = 0.2
"""The first look has joined two lines above each other if the line in which it has most of the one also holds at least
this share of the other's ink."""
_ON_COURSE = 0.6
"""Both looks mean the same line if the middles of what they found are at most this far apart, in x-heights of the
page."""


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


_LEAST_PIECE = 6.0
"""Where small print cuts a line of the first look, its longest piece is kept, and others from this length on, in
x-heights of the page."""


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
