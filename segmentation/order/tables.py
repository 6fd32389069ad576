"""Registers, forms and ledgers: lines end at the rules between columns, and are read cell by cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.geometry import Box
from segmentation.ink.page_rules import Rules
from segmentation.ink.rules import Rule
from segmentation.ink.scale import Scale
from segmentation.lines.curves import LETTERS_ABOVE, LETTERS_BELOW, Curve
from segmentation.order.cells import cells_in_order
from segmentation.order.columns import gaps_in
from segmentation.order.reading_order import Region, regions, rows

_LEAST_LINES = 3
"""Least number of lines on either side of a drawn rule that parts columns; a pale one needs twice as many."""
_MOST_ACROSS = 0.4
"""A drawn rule parts columns if at most this many lines have a stroke through it, as a share of the lines on the
emptier side."""
_FAR_FEWER = 0.4
"""A pale rule parts columns if strokes through it are at most this frequent, as a share of how frequent they are
through upright lines beside it, which writing does not heed."""
_SHIFTS = np.array([-5, -4, -3, -2, 2, 3, 4, 5], float)
"""Distances of those upright lines from the rule, in x-heights."""
_LEAST_INK = 1.1
"""Least ink of a piece of a line that was cut at rules, in upright strokes an x-height long: a figure one."""
_LEVEL_SHARE = 0.6
"""Least length of a level rule that parts rows, as a share of the width of the writing."""
_TEXT_LINES = 8
"""Least number of lines in a column of running text, as newspapers have."""
_TEXT_WIDTH = 20.0
"""Least width of a column of running text, in x-heights."""
_TEXT_FULL = 0.8
"""Least width of the middle line of a column of running text, as a share of the column's: entries of a register end
where they may."""
_TEXT_BALANCE = 0.6
"""Least width of the narrowest column of running text, as a share of the widest one's."""
_TEXT_SHARE = 0.85
"""Least share of the lines that stand in columns of running text, where those are no table."""
_WORD_GAP = 0.5
"""A gap in a line parts words if it is wider than this, in x-heights."""
_NEARBY = 3.0
"""Where a word runs through a rule, its line ends at a gap between words within so many x-heights of the rule."""
_FIRST_LETTER = 1.5
"""Width of a line's first letter, in x-heights: it may touch the rule before it, and does not tell the column."""


@dataclass(frozen=True)
class Table:
    """The rules that part a page's columns.

    Attributes:
        rules: from left to right.
        levels: rows between which a level rule runs over most of the table.
        x_height: of the page's writing, pixels.
    """

    rules: tuple[Rule, ...]
    levels: tuple[float, ...]
    x_height: float

    def without_rules(self, ink: np.ndarray) -> np.ndarray:
        """Ink, bool (h, w), cut along the rules, so that no stroke belongs to cells on both sides."""
        ink = ink.copy()
        for rule in self.rules:
            ink[rule.pixels(ink.shape[1], int(rule.thickness / 2) + 1)] = False
        return ink

    def cleared(self, flat: np.ndarray, owners: np.ndarray) -> np.ndarray:
        """A page on even paper, uint8 (h, w), with paper in place of the rules, but for where writing touches them.

        Args:
            owners: (h, w), above 0 where there is ink of a line.
        """
        flat = flat.copy()
        for rule in self.rules:
            around = rule.pixels(flat.shape[1], int(rule.thickness / 2) + 2)
            alone = ~(owners[around] > 0).any(axis=1, keepdims=True)
            flat[around] = np.where(alone, 255, flat[around])
        return flat

    def divide(self, curves: list[Curve], ink: np.ndarray, stroke_width: float) -> list[Curve]:
        """``curves`` ended at each rule that they cross, without pieces that hold hardly any ink, bool (h, w).

        Where a word runs through the rule, a line ends at a gap between words nearby.
        """
        divided = []
        for curve in curves:
            crossings = [(x, rule) for rule in self.rules if (x := _crossing(curve, rule)) is not None]
            ends = sorted({_end(curve, x, rule, ink, self.x_height) for x, rule in crossings})
            pieces = _pieces(curve, ends)
            least = _LEAST_INK * stroke_width * self.x_height
            divided += pieces if len(pieces) == 1 else [p for p in pieces if _ink_along(p, ink, self.x_height) >= least]
        return divided

    def cells(self, boxes: list[Box]) -> list[Region]:
        """Regions of lines in reading order: the cells, and what stands above and below the table.

        Columns of running text between rules are no table, and each is read to its end.
        """
        top, bottom = min(r.first for r in self.rules), max(r.last for r in self.rules)
        middles = [(b.top + b.bottom) / 2 for b in boxes]
        inside = [i for i, y in enumerate(middles) if top - self.x_height <= y <= bottom + self.x_height]
        above = [i for i, y in enumerate(middles) if y < top - self.x_height]
        below = [i for i, y in enumerate(middles) if y > bottom + self.x_height]
        within = [boxes[i] for i in inside]
        columns = self._columns(within)
        if self._is_running_text(within, columns):
            of_columns = [[i for i, c in zip(inside, columns, strict=True) if c == n] for n in sorted(set(columns))]
            cells = [Region(rows(lines, boxes)) for lines in of_columns]
        else:
            cells = cells_in_order(within, columns, self.x_height, self.levels)
            cells = [Region([inside[k] for k in region.lines], region.cell) for region in cells]
        return _regions_of(above, boxes) + cells + _regions_of(below, boxes)

    def _columns(self, boxes: list[Box]) -> list[int]:
        """The column that each line begins in, from 0."""
        return [sum(rule.column((b.top + b.bottom) / 2) < self._start(b) for rule in self.rules) for b in boxes]

    def _is_running_text(self, boxes: list[Box], columns: list[int]) -> bool:
        """Whether most lines stand in two or more columns of like width, which they fill."""
        filled = []
        for column in set(columns):
            lines = [b for b, c in zip(boxes, columns, strict=True) if c == column]
            width = np.percentile([b.right for b in lines], 90) - np.percentile([b.left for b in lines], 10)
            wide = width >= _TEXT_WIDTH * self.x_height
            if len(lines) >= _TEXT_LINES and wide and np.median([b.width for b in lines]) >= _TEXT_FULL * width:
                filled.append((width, len(lines)))
        if len(filled) < 2:
            return False
        widths, counts = zip(*filled, strict=True)
        return min(widths) >= _TEXT_BALANCE * max(widths) and sum(counts) >= _TEXT_SHARE * len(boxes)

    def _start(self, box: Box) -> float:
        """Where a line surely stands in its column: its first letter may touch the rule before."""
        return box.left + min(_FIRST_LETTER * self.x_height, box.width / 2)


def find_table(rules: Rules, curves: list[Curve], ink: np.ndarray, scale: Scale) -> Table | None:
    """The rules that part columns of writing; None where no rule does.

    Args:
        ink: bool (h, w), without the rules, with the strokes that cross them.
    """
    parting = tuple(rule for rule in rules.upright if _parts_columns(rule, curves, ink, scale))
    if not parting:
        return None
    first, last = min(c.first for c in curves), max(c.last for c in curves)
    levels = (
        float(np.median(rule.xs))
        for rule in rules.level
        if min(rule.last, last) - max(rule.first, first) >= _LEVEL_SHARE * (last - first)
    )
    return Table(parting, tuple(levels), scale.x_height)


def _parts_columns(rule: Rule, curves: list[Curve], ink: np.ndarray, scale: Scale) -> bool:
    """Whether there is writing on both sides of a rule, and lines end there.

    Lines end at a rule of ink when most of them have no stroke through it; at a pale one when far fewer strokes run
    through it than through upright lines beside it, which writing does not heed.
    """
    crossings = [(curve, x) for curve, x in ((c, _crossing(c, rule)) for c in curves) if x is not None]
    beside = [c for c in curves if rule.first <= float(c.ys.mean()) <= rule.last]
    left = sum(c.last < rule.column(float(c.ys[-1])) for c in beside)
    right = sum(c.first > rule.column(float(c.ys[0])) for c in beside)
    left += sum(x - c.first > scale.x_height for c, x in crossings)
    right += sum(c.last - x > scale.x_height for c, x in crossings)
    lines = min(left, right)
    if lines < (2 * _LEAST_LINES if rule.is_pale else _LEAST_LINES):
        return False
    across = sum(_runs_through(curve, x, rule, ink, scale) for curve, x in crossings)
    if not rule.is_pale:
        return across <= _MOST_ACROSS * lines
    elsewhere = [
        _runs_through(curve, x + shift, rule, ink, scale)
        for curve, x in crossings
        for shift in np.round(scale.x_height * _SHIFTS).astype(int)
        if curve.first < x + shift < curve.last
    ]
    return across == 0 or bool(elsewhere) and across <= _FAR_FEWER * np.mean(elsewhere) * lines


def _crossing(curve: Curve, rule: Rule) -> int | None:
    """The column at which a curve crosses a rule; None where it does not."""
    row = float(curve.ys[len(curve.ys) // 2])
    for _ in range(2):
        column = round(rule.column(row))
        if not curve.first < column < curve.last:
            return None
        row = float(curve.ys[column - curve.first])
    return column if rule.first <= row <= rule.last else None


def _runs_through(curve: Curve, column: int, rule: Rule, ink: np.ndarray, scale: Scale) -> bool:
    """Whether a stroke of a line goes on from one side of a rule to the other."""
    row, reach = float(curve.ys[column - curve.first]), int(rule.thickness / 2) + 2
    top, bottom = int(max(0, row - LETTERS_ABOVE * scale.x_height)), int(row + LETTERS_BELOW * scale.x_height) + 1
    band = ink[top:bottom, max(0, column - reach) : column + reach + 1]
    return bool(band.size and band.all(axis=1).any())


def _end(curve: Curve, column: int, rule: Rule, ink: np.ndarray, x_height: float) -> int:
    """The column at which a curve that crosses a rule there ends."""
    thickness = rule.thickness / 2 + 2
    gaps = [
        (a, b)
        for a, b in gaps_in(curve, ink, x_height, _WORD_GAP * x_height)
        if a < column + _NEARBY * x_height and b > column - _NEARBY * x_height
    ]
    if not gaps or any(a - thickness <= column < b + thickness for a, b in gaps):
        return column
    return round(np.mean(min(gaps, key=lambda gap: abs(np.mean(gap) - column))))


def _pieces(curve: Curve, ends: list[int]) -> list[Curve]:
    bounds = [curve.first, *ends, curve.last + 1]
    return [
        Curve(a, curve.ys[a - curve.first : b - curve.first]) for a, b in zip(bounds, bounds[1:], strict=False) if b > a
    ]


def _ink_along(curve: Curve, ink: np.ndarray, x_height: float) -> int:
    """Pixels of ink in a curve's x-height zone and a little around it."""
    reach = round(0.8 * x_height)
    return int(np.count_nonzero(ink[curve.band(reach, reach, ink.shape[0])]))


def _regions_of(lines: list[int], boxes: list[Box]) -> list[Region]:
    return [Region([lines[k] for k in region.lines]) for region in regions([boxes[i] for i in lines])]
