"""Lines that were joined across the gutter between two columns, divided again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve

_GUTTER = 2.2
"""X-heights of empty paper in a line that may be a gutter."""
_LEAST_LINES = 3
_MOST_CROSSING = 0.25
"""Share of the lines over a gutter that may have ink there: headings across both columns."""
_LEAST_BALANCE = 0.55
"""Width of the narrower side over the wider one's. Columns of text are alike; a date or an amount in a ledger is
narrow, and belongs to its row."""
_MANY_LINES, _FEW_CROSSING = 12, 0.2
"""Lines on either side of a gutter that is settled, whatever the columns' widths; those without a gap there as a share
of these."""
_ENDS = 0.1, 0.9
"""Of the lines on a side, sorted by height, between which they stand: headings do not count."""
_NARROW = 1.0
"""X-heights of empty paper at which a line over a settled gutter is cut."""
_RAGGED, _MARGIN = 20.0, 4.0
"""X-heights from a settled gutter within which half of the lines before it end, and half of those behind it begin."""


@dataclass(frozen=True)
class _Gutter:
    """A column at which lines are cut, pixels, and the rows between which it stands."""

    position: float
    top: float = -np.inf
    bottom: float = np.inf

    def gap(self, curve: Curve, gaps: list[tuple[int, int]]) -> tuple[int, int] | None:
        """The gap of a line that lies over it."""
        if not self.top <= np.mean(curve.ys) <= self.bottom:
            return None
        return next((gap for gap in gaps if gap[0] < self.position < gap[1]), None)


def divide_at_gutters(curves: list[Curve], ink: np.ndarray, scale: Scale) -> list[Curve]:
    """``curves`` with those that cross a gutter cut in two, until no gutter is crossed."""
    while True:
        gaps = [gaps_in(c, ink, scale.x_height, _NARROW * scale.x_height) for c in curves]
        wide = [[(a, b) for a, b in own if b - a + 1 > _GUTTER * scale.x_height] for own in gaps]
        gutter = _best_gutter(curves, wide, scale)
        if gutter is not None:
            gaps = wide
        else:
            gutter = _settled_gutter(curves, gaps, scale)
        if gutter is None:
            return curves
        divided: list[Curve] = []
        for curve, own in zip(curves, gaps, strict=True):
            gap = gutter.gap(curve, own)
            if gap is None:
                divided.append(curve)
                continue
            divided.append(Curve(curve.first, curve.ys[: gap[0] - curve.first]))
            divided.append(Curve(gap[1], curve.ys[gap[1] - curve.first :]))
        curves = divided


def gaps_in(curve: Curve, ink: np.ndarray, x_height: float, least: float) -> list[tuple[int, int]]:
    """Stretches of more than ``least`` columns (start, exclusive end) inside a line, without ink around its middle."""
    above, below = int(x_height), int(0.7 * x_height)
    filled = np.flatnonzero(ink[curve.band(above, below, ink.shape[0])].any(axis=0))
    if filled.size < 2:
        return []
    wide = np.flatnonzero(np.diff(filled) > least)
    return [(int(filled[i]) + 1 + curve.first, int(filled[i + 1]) + curve.first) for i in wide]


def _best_gutter(curves: list[Curve], gaps: list[list[tuple[int, int]]], scale: Scale) -> _Gutter | None:
    """The column at which most lines have a wide gap and could be cut; None where there is no gutter.

    Rows that the finder of lines left in two pieces there speak for it too.
    """
    best, most = None, 0
    for position in sorted({(a + b) / 2 for own in gaps for a, b in own}):
        open_here = [
            (curve, gap) for curve, own in zip(curves, gaps, strict=True) for gap in own if gap[0] < position < gap[1]
        ]
        apart = _apart(curves, position, scale)
        over = sum(curve.first < position < curve.last for curve in curves)
        crossing = over - len(open_here)
        rows = len(open_here) + len(apart)
        if rows < _LEAST_LINES or len(open_here) <= most or crossing > _MOST_CROSSING * (over + len(apart)):
            continue
        left = np.median([gap[0] - curve.first for curve, gap in open_here] + [len(a.ys) for a, _ in apart])
        right = np.median([curve.last - gap[1] for curve, gap in open_here] + [len(b.ys) for _, b in apart])
        if min(left, right) >= max(_LEAST_BALANCE * max(left, right), 5 * scale.x_height):
            best, most = _Gutter(position), len(open_here)
    return best


def _settled_gutter(curves: list[Curve], gaps: list[list[tuple[int, int]]], scale: Scale) -> _Gutter | None:
    """A column over which a few lines with a gap run, between many on either side that end or begin there.

    So it is where small print stands beside a letter, and some of its lines were followed into the letter's.
    """
    firsts, lasts = (np.array([getattr(c, end) for c in curves]) for end in ("first", "last"))
    middles = np.array([float(np.mean(c.ys)) for c in curves])
    for position in sorted({(a + b) / 2 for own in gaps for a, b in own}):
        before, behind = lasts < position, firsts > position
        if min(before.sum(), behind.sum()) < _MANY_LINES:
            continue
        tops, bottoms = np.array([np.quantile(middles[side], _ENDS) for side in (before, behind)]).T
        gutter = _Gutter(position, tops.max(), bottoms.min())
        beside = (middles >= gutter.top) & (middles <= gutter.bottom)
        least = min((before & beside).sum(), (behind & beside).sum())
        over = np.flatnonzero(~before & ~behind & beside)
        open_here = [i for i in over if gutter.gap(curves[i], gaps[i])]
        if least < _MANY_LINES or not open_here or len(over) - len(open_here) > _FEW_CROSSING * least:
            continue
        end, begin = np.median(lasts[before & beside]), np.median(firsts[behind & beside])
        if position - end < _RAGGED * scale.x_height and begin - position < _MARGIN * scale.x_height:
            return gutter
    return None


def _apart(curves: list[Curve], position: float, scale: Scale) -> list[tuple[Curve, Curve]]:
    """Curves that end before a column and go on, at the same height, behind it: rows that are divided already."""
    ending = [c for c in curves if c.last < position]
    starting = [c for c in curves if c.first > position]
    pairs = []
    for a in ending:
        beside = [b for b in starting if abs(float(b.ys[0] - a.ys[-1])) < scale.x_height]
        if beside:
            pairs.append((a, min(beside, key=lambda b: b.first)))
    return pairs
