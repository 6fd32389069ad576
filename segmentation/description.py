"""From ink that has been given to lines to what is told of them: boxes, pieces, words, reading order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from segmentation.geometry import Box, Line, Piece, union
from segmentation.ink.components import Components
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve
from segmentation.order.reading_order import Region, regions
from segmentation.placement import Placement
from segmentation.words import Run, gap_threshold, group, runs


@dataclass(frozen=True)
class LineInk:
    """The ink of one line in the working picture.

    Attributes:
        curve: its index among the curves.
        xs, ys: int (n,), its pixels.
        offsets: float (n,), rows below the line's middle.
        runs: its ink from left to right.
    """

    curve: int
    xs: np.ndarray
    ys: np.ndarray
    offsets: np.ndarray
    runs: list[Run]


@dataclass(frozen=True)
class Described:
    """A line, and what is needed to cut its picture.

    Attributes:
        curve: index of its curve.
        zone: around its x-height zone in the working picture: by these lines are put in order.
        frame: of its picture in the working picture.
        course: float32 (width of ``frame``,), rows by which it lies lower than at its left end.
    """

    line: Line
    curve: int
    zone: Box
    frame: Box
    course: np.ndarray


Order = Callable[[list[Box]], list[Region]]
"""Regions of lines in reading order, from the boxes around the lines' x-height zones."""


def describe(
    owners: np.ndarray,
    parts: Components,
    curves: list[Curve],
    scale: Scale,
    placement: Placement,
    in_order: Order = regions,
) -> list[Described]:
    """Lines in reading order.

    Args:
        owners: int32 (h, w) of the working picture, 0 or i + 1 for the line of ``curves[i]``.
        parts: the components of its ink.
    """
    inks = _inks_of_lines(owners, parts, curves, scale)
    gaps = [b.start - a.end for ink in inks for a, b in zip(ink.runs, ink.runs[1:], strict=False)]
    threshold = gap_threshold(np.array(gaps, float), scale.x_height)
    frames = [_frame(ink, scale, owners.shape) for ink in inks]
    described = []
    middles = [_zone(curves[ink.curve], scale) for ink in inks]
    order = [(k, number, region.cell) for number, region in enumerate(in_order(middles)) for k in region.lines]
    for index, (k, number, cell) in enumerate(order):
        ink, frame = inks[k], frames[k]
        pieces = _pieces(ink, frame, placement)
        words = _words(ink, threshold, scale.x_height)
        baseline = _baseline(curves[ink.curve], scale, placement)
        box = union(p.box for p in pieces)
        line = Line(index, box, pieces, words, region=number, cell=cell, baseline=baseline)
        described.append(Described(line, ink.curve, middles[k], frame, _course(curves[ink.curve], frame, scale)))
    return described


def _inks_of_lines(owners: np.ndarray, parts: Components, curves: list[Curve], scale: Scale) -> list[LineInk]:
    """Ink of each line; what is too little for a letter or left over from a ruling is none."""
    ys, xs = np.nonzero(owners)
    owner = owners[ys, xs]
    order = np.argsort(owner, kind="stable")
    ys, xs, owner = ys[order], xs[order], owner[order]
    component = parts.labels[ys, xs]
    bounds = np.searchsorted(owner, np.arange(1, len(curves) + 2))
    inks = []
    for i, curve in enumerate(curves):
        part = slice(bounds[i], bounds[i + 1])
        if part.stop - part.start < max(6, scale.stroke_width**2):
            continue
        x, y = xs[part], ys[part]
        offsets = y - curve.ys[np.clip(x - curve.first, 0, len(curve.ys) - 1)]
        if not _is_ruling(offsets, x, scale):
            inks.append(LineInk(i, x, y, offsets, runs(x, offsets, component[part], scale.x_height)))
    return inks


def _zone(curve: Curve, scale: Scale) -> Box:
    """Around the x-height zone of a line and a little more: its place on the page, whatever stray ink it was given."""
    top, bottom = float(curve.ys.min()) - scale.x_height, float(curve.ys.max()) + scale.x_height
    return Box(curve.first, int(top), curve.last + 1, int(bottom) + 1)


def _frame(ink: LineInk, scale: Scale, shape: tuple[int, int]) -> Box:
    margin = max(3, round(0.25 * scale.x_height))
    return Box(
        max(0, int(ink.xs.min()) - margin),
        max(0, int(ink.ys.min()) - margin),
        min(shape[1], int(ink.xs.max()) + 1 + margin),
        min(shape[0], int(ink.ys.max()) + 1 + margin),
    )


def _pieces(ink: LineInk, frame: Box, placement: Placement) -> tuple[Piece, ...]:
    x, y = placement.to_page(ink.xs, ink.ys)
    return tuple(
        Piece(placement.box(x[r.pixels], y[r.pixels]), float(r.start - frame.left), float(r.end - frame.left))
        for r in ink.runs
    )


def _words(ink: LineInk, threshold: float, x_height: float) -> tuple[tuple[int, int], ...]:
    starts, ends = np.array([r.start for r in ink.runs]), np.array([r.end for r in ink.runs])
    small = np.array([_is_stop(ink.offsets[r.pixels], r, x_height) for r in ink.runs])
    return tuple(group(starts, ends, small, threshold, x_height))


def _is_stop(offsets: np.ndarray, run: Run, x_height: float) -> bool:
    """Whether a run of ink looks like a comma or a full stop: small, and at the foot of the line."""
    height = float(np.ptp(offsets)) + 1
    return run.end - run.start < 0.7 * x_height and height < x_height and float(offsets.mean()) > 0.1 * x_height


def _is_ruling(offsets: np.ndarray, xs: np.ndarray, scale: Scale) -> bool:
    """Whether a line's ink is what was left of a ruling: long, and nowhere as high as letters."""
    low, high = np.percentile(offsets, [4, 96])
    thickness = max(0.3 * scale.x_height, 1.3 * scale.stroke_width)
    return high - low < thickness and np.ptp(xs) > 2.5 * scale.x_height


_BENT = 0.25
"""The picture of a line is straightened along a curve if the line leaves a straight one by more than this, in
x-heights: less is how letters stand anyway, and the recogniser is used to it."""
_LEAST_BENT = 15
"""Least length of a line that can be seen to bend, in x-heights."""


def _course(curve: Curve, frame: Box, scale: Scale) -> np.ndarray:
    """Rows by which a line falls, for each column of its frame: float32, 0 for a line too short to tell.

    A straight line's course is straight, a bent one's a polynomial of the third degree: it follows the sheet and the
    hand, not the single letters.
    """
    columns = np.arange(frame.left, frame.right) - curve.first
    length = len(curve.ys)
    if length < 6 * scale.x_height:
        return np.zeros(len(columns), np.float32)
    # Curves are smooth: a few points of them tell all.
    at = np.arange(0, length, max(1, int(scale.x_height / 2)))
    rows = curve.ys[at]
    straight = np.polynomial.Polynomial.fit(at, rows, 1)
    course = straight
    if length >= _LEAST_BENT * scale.x_height:
        bent = np.polynomial.Polynomial.fit(at, rows, 3)
        if np.abs(bent(at) - straight(at)).max() > _BENT * scale.x_height:
            course = bent
    # Beyond its ends a polynomial may go anywhere: there it goes on straight.
    inside = np.clip(columns, 0, length - 1)
    slopes = course.deriv()
    return (course(inside) + slopes(inside) * (columns - inside) - course(0)).astype(np.float32)


def _baseline(curve: Curve, scale: Scale, placement: Placement) -> tuple[tuple[int, int], ...]:
    """The lower edge of a line's x-height zone, a point every two x-heights or so."""
    count = max(2, round(len(curve.ys) / (2 * scale.x_height)) + 1)
    at = np.linspace(0, len(curve.ys) - 1, count).round().astype(int)
    x, y = placement.to_page(curve.first + at, curve.ys[at] + 0.5 * scale.x_height)
    middle = 0.5 / placement.factor
    x, y = np.clip(np.round(x + middle), 0, placement.width), np.clip(np.round(y + middle), 0, placement.height)
    return tuple((int(a), int(b)) for a, b in zip(x, y, strict=True))
