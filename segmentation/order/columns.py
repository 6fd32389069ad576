"""Lines that were joined across the gutter between two columns, divided again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.ink.scale import Scale
from segmentation.lines.curves import LETTERS_ABOVE, LETTERS_BELOW, Curve

_GUTTER = 2.2
"""A gap in a line may be a gutter if it is wider than this, in x-heights."""
_LEAST_LINES = 3
"""Least number of lines with a gap at a gutter, rows that were found in two pieces included."""
_MOST_LINES = 1_000
"""Greatest number of lines on a page that are divided; more are specks, among which a gutter would be looked for for
hours."""
_MOST_CROSSING = 0.25
"""Greatest share of the lines over a gutter that have no gap there: headings across both columns."""
_LEAST_BALANCE = 0.55
"""Least width of the narrower side of a gutter, as a share of the wider one's. Columns of text are alike; a date or an
amount in a ledger is narrow, and belongs to its row."""
_MANY_LINES, _FEW_CROSSING = 12, 0.2
"""Least number of lines on either side of a settled gutter, whatever the columns' widths; greatest number of lines over
it without a gap there, as a share of the lines on the emptier side."""
_ENDS = 0.1, 0.9
"""The lines on a side stand between these quantiles of their heights on the page: headings do not count."""
_NARROW = 1.0
"""A line over a settled gutter is cut at a gap that is wider than this, in x-heights."""
_RAGGED, _MARGIN = 20.0, 4.0
"""Half of the lines before a settled gutter end within the first of these, and half of those behind it begin within the
second, in x-heights from it."""


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
    while len(curves) <= _MOST_LINES:
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
    return curves


def gaps_in(curve: Curve, ink: np.ndarray, x_height: float, least: float) -> list[tuple[int, int]]:
    """Stretches of more than ``least`` columns (start, exclusive end) inside a line, without ink around its middle."""
    above, below = int(LETTERS_ABOVE * x_height), int(LETTERS_BELOW * x_height)
    filled = np.flatnonzero(ink[curve.band(above, below, ink.shape[0])].any(axis=0))
    if filled.size < 2:
        return []
    wide = np.flatnonzero(np.diff(filled) > least)
    return [(int(filled[i]) + 1 + curve.first, int(filled[i + 1]) + curve.first) for i in wide]


class _Gaps:
    """The gaps of some lines as arrays: start, exclusive end, and number of the line."""

    def __init__(self, gaps: list[list[tuple[int, int]]]):
        flat = [(a, b, i) for i, own in enumerate(gaps) for a, b in own]
        self.start, self.end, self.line = np.array(flat, int).reshape(-1, 3).T

    def middles(self) -> list[float]:
        """Columns in the middle of a gap, each once, from the left."""
        return np.unique((self.start + self.end) / 2).tolist()

    def at(self, position: float) -> np.ndarray:
        """Indices of the gaps that lie over a column; a line has one there at most."""
        return np.flatnonzero((self.start < position) & (position < self.end))


def _best_gutter(curves: list[Curve], gaps: list[list[tuple[int, int]]], scale: Scale) -> _Gutter | None:
    """The column at which most lines have a wide gap and could be cut; None where there is no gutter.

    Rows that the finder of lines left in two pieces there speak for it too.
    """
    firsts, lasts = (np.array([getattr(c, end) for c in curves]) for end in ("first", "last"))
    all_gaps = _Gaps(gaps)
    best, most = None, 0
    for position in all_gaps.middles():
        open_here = all_gaps.at(position)
        over = np.count_nonzero((firsts < position) & (position < lasts))
        crossing = over - len(open_here)
        ending, starting = np.flatnonzero(lasts < position), np.flatnonzero(firsts > position)
        if len(open_here) <= most or crossing > _MOST_CROSSING * (over + len(ending)):
            continue
        apart = _apart(curves, ending, starting, scale)
        if len(open_here) + len(apart) < _LEAST_LINES or crossing > _MOST_CROSSING * (over + len(apart)):
            continue
        lines = all_gaps.line[open_here]
        left = np.median(np.append(all_gaps.start[open_here] - firsts[lines], [len(a.ys) for a, _ in apart]))
        right = np.median(np.append(lasts[lines] - all_gaps.end[open_here], [len(b.ys) for _, b in apart]))
        if min(left, right) >= max(_LEAST_BALANCE * max(left, right), 5 * scale.x_height):
            best, most = _Gutter(position), len(open_here)
    return best


def _settled_gutter(curves: list[Curve], gaps: list[list[tuple[int, int]]], scale: Scale) -> _Gutter | None:
    """A column over which a few lines with a gap run, between many on either side that end or begin there.

    So it is where small print stands beside a letter, and some of its lines were followed into the letter's.
    """
    firsts, lasts = (np.array([getattr(c, end) for c in curves]) for end in ("first", "last"))
    middles = np.array([float(np.mean(c.ys)) for c in curves])
    all_gaps = _Gaps(gaps)
    for position in all_gaps.middles():
        before, behind = lasts < position, firsts > position
        if min(before.sum(), behind.sum()) < _MANY_LINES:
            continue
        tops, bottoms = np.array([np.quantile(middles[side], _ENDS) for side in (before, behind)]).T
        gutter = _Gutter(position, tops.max(), bottoms.min())
        beside = (middles >= gutter.top) & (middles <= gutter.bottom)
        least = min((before & beside).sum(), (behind & beside).sum())
        over = np.flatnonzero(~before & ~behind & beside)
        open_here = np.intersect1d(over, all_gaps.line[all_gaps.at(position)])
        if least < _MANY_LINES or not len(open_here) or len(over) - len(open_here) > _FEW_CROSSING * least:
            continue
        end, begin = np.median(lasts[before & beside]), np.median(firsts[behind & beside])
        if position - end < _RAGGED * scale.x_height and begin - position < _MARGIN * scale.x_height:
            return gutter
    return None


def _apart(curves: list[Curve], ending: np.ndarray, starting: np.ndarray, scale: Scale) -> list[tuple[Curve, Curve]]:
    """Curves that end before a column and go on, at the same height, behind it: rows that are divided already.

    Args:
        ending, starting: numbers of the curves before and behind the column.
    """
    if not len(ending) or not len(starting):
        return []
    ends, begins = np.array([curves[i].ys[-1] for i in ending]), np.array([curves[i].ys[0] for i in starting])
    beside = np.abs(begins[None, :] - ends[:, None]) < scale.x_height
    nearest = np.where(beside, [curves[i].first for i in starting], np.inf).argmin(axis=1)
    pairs = zip(ending, starting[nearest], beside.any(axis=1), strict=True)
    return [(curves[a], curves[b]) for a, b, is_row in pairs if is_row]
