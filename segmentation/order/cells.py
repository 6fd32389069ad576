"""Rows of a table: which lines of its columns belong together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from segmentation.geometry import Box, Cell
from segmentation.order.reading_order import Region, rows

_LEAST_LINES = 3
"""Least number of lines of a column by which rows can be told."""
_ALIGNED = 0.7
"""Two columns share rows if at least this share of the lines of each has one of the other beside it."""
_LEAST_SHARE = 0.2
"""The first column decides about rows only with at least this many lines, as a share of the fullest one's; columns with
fewer hold marks in the margin."""
_NARROW = 5.0
"""A column whose usual line is shorter, in x-heights, holds numbers: each of its lines begins a row."""
_APART = 1.6
"""Where not each line of the first column begins a row, one does that is farther than this from the one above it, over
the usual distance of lines."""
_WHOLE = 0.8
"""Lines of two columns beside each other are a row more if they are at least this far from all other rows, over the
usual distance of lines."""
_RULED = 1.6
"""Level rules part rows if their usual distance is at least this, over that of lines; else the paper is ruled."""


def cells_in_order(boxes: list[Box], columns: list[int], x_height: float, levels: Sequence[float] = ()) -> list[Region]:
    """Cells of a table in reading order: row by row, from the left. Rows and columns without any line do not count.

    Rows are found from one column. If some other column has a line beside nearly every line of the fullest one, each
    line of the fullest begins a row, and so do lines that two other columns share. Otherwise the first column decides:
    each of its lines begins a row if they are short or have partners in another column; else each block of lines does.
    A level rule also begins a row, unless the paper is ruled for every line.

    Args:
        boxes: around the lines' x-height zones.
        columns: the column that each line stands in, from 0.
        levels: rows of the level rules.
    """
    if not boxes:
        return []
    starts = _starts_of_rows(boxes, columns, x_height, levels)
    cells: dict[tuple[int, int], list[int]] = {}
    for i, box in enumerate(boxes):
        row = int(np.searchsorted(starts, (box.top + box.bottom) / 2, side="right"))
        cells.setdefault((row, columns[i]), []).append(i)
    row_of, column_of = ({n: i for i, n in enumerate(sorted({place[k] for place in cells}))} for k in (0, 1))
    return [
        Region(rows(cells[row, column], boxes), Cell(row_of[row], column_of[column])) for row, column in sorted(cells)
    ]


def _starts_of_rows(boxes: list[Box], columns: list[int], x_height: float, levels: Sequence[float]) -> np.ndarray:
    """The heights, pixels, at which rows of a table begin, between the middles of lines; a heading is above all."""
    lines = {c: [i for i, column in enumerate(columns) if column == c] for c in set(columns)}
    middle = np.array([(b.top + b.bottom) / 2 for b in boxes])
    usual = _usual_distance([np.sort(middle[members]) for members in lines.values()], x_height)
    fullest = max(lines, key=lambda c: len(lines[c]))

    def has_a_twin(column: int) -> bool:
        return any(_beside(middle[lines[column]], middle[lines[c]], usual / 2) for c in lines if c != column)

    aligned = has_a_twin(fullest)
    key, each = fullest, aligned
    if not aligned:
        least = max(1, min(_LEAST_LINES, len(lines[fullest])), _LEAST_SHARE * len(lines[fullest]))
        key = min(c for c, members in lines.items() if len(members) >= least)
        each = has_a_twin(key) or np.median([boxes[i].width for i in lines[key]]) < _NARROW * x_height
    first = np.sort(middle[lines[key]])
    if aligned:
        first = _with_rows_beside(first, [middle[members] for members in lines.values()], usual)
    gaps = np.diff(first)
    begins = np.append(first[:1], first[1:][gaps > (0.5 if each else _APART) * usual]) - usual / 2
    levels = np.sort(np.array(levels, float))
    if len(levels) > 1 and np.median(np.diff(levels)) < _RULED * usual:
        return begins
    # A line begins below its rule, not where half the usual distance would have it.
    apart = np.abs(begins[:, None] - levels[None, :]).min(axis=1, initial=np.inf) > usual / 2
    return np.sort(np.append(begins[apart], levels))


def _with_rows_beside(first: np.ndarray, columns: list[np.ndarray], usual: float) -> np.ndarray:
    """Heights at which rows begin, and those of lines that two other columns have beside each other: a sum below the
    last date is a row too."""
    heights = first.tolist()
    for i, column in enumerate(columns):
        others = np.concatenate([c for j, c in enumerate(columns) if j != i])
        for height in column.tolist():
            new = min(abs(height - h) for h in heights) >= _WHOLE * usual
            if new and np.abs(others - height).min() < usual / 2:
                heights.append(height)
    return np.sort(np.array(heights))


def _usual_distance(columns: list[np.ndarray], x_height: float) -> float:
    """The median distance of lines above each other, pixels."""
    gaps = np.concatenate([np.diff(c) for c in columns])
    gaps = gaps[gaps > x_height]
    return float(np.median(gaps)) if gaps.size else 3 * x_height


def _beside(a: np.ndarray, b: np.ndarray, reach: float) -> bool:
    """Whether nearly all lines of a column have one of another beside them, and the other way round."""
    if min(len(a), len(b)) < _LEAST_LINES:
        return False
    distances = np.abs(a[:, None] - b[None, :])
    return min((distances.min(axis=k) < reach).mean() for k in (0, 1)) >= _ALIGNED
