"""The order in which the lines of a page are read: rows from the top, columns one after another."""

from __future__ import annotations

from dataclasses import dataclass

from segmentation.geometry import Box, Cell

_LEAST_LINES = 3
"""Least number of lines in a column; fewer beside each other are a date, a margin, a signature."""
_MOST_CROSSING = 0.34
"""Greatest share of the lines that cross a gutter, as headings across both columns do."""
_LEAST_WIDTH = 0.25
"""Least width of the narrower of two columns, as a share of the wider. A narrower one holds amounts, which are read
with their entries."""
_LIST_WIDTH, _LIST_LINES, _LIST_SHARE = 0.1, 12, 1.3
"""A still narrower column is a list of small print beside a letter, as letterheads have it, if it is at least this
wide, as a share of the letter, and has at least so many lines, and so many times as many as the letter has beside it,
which amounts never do."""


def reading_order(boxes: list[Box]) -> list[int]:
    """Indices of ``boxes`` in reading order: that of the `regions`."""
    return [i for region in regions(boxes) for i in region.lines]


@dataclass(frozen=True)
class Region:
    """What is read together.

    Attributes:
        lines: indices in reading order.
        cell: which it is of a table; None outside of tables.
    """

    lines: list[int]
    cell: Cell | None = None


def regions(boxes: list[Box]) -> list[Region]:
    """Regions in reading order: columns, and what stands above, between or below columns.

    The page is divided at the best gutter, if there is one: lines across it are headings, and between two headings
    the left column is read before the right. Each column may hold columns again. Without a gutter lines are read
    row by row, and lines side by side from the left.
    """
    return [Region(lines) for lines in _regions(list(range(len(boxes))), boxes)]


def stacked_blocks(boxes: list[Box], reach: float) -> list[list[int]]:
    """Indices of ``boxes`` as blocks of lines that stand above each other, less than ``reach`` pixels apart."""
    blocks: list[list[int]] = []
    for i, box in enumerate(boxes):
        near = [block for block in blocks if any(_above_each_other(box, boxes[k], reach) for k in block)]
        blocks = [block for block in blocks if block not in near] + [sum(near, []) + [i]]
    return blocks


def _above_each_other(a: Box, b: Box, reach: float) -> bool:
    """Whether two boxes share columns and are less than ``reach`` pixels apart."""
    return min(a.right, b.right) > max(a.left, b.left) and max(a.top, b.top) - min(a.bottom, b.bottom) < reach


def _regions(lines: list[int], boxes: list[Box]) -> list[list[int]]:
    gutter = _gutter([boxes[i] for i in lines])
    if gutter is None:
        return [rows(lines, boxes)] if lines else []
    found: list[list[int]] = []
    across: list[int] = []
    band: list[int] = []
    for i in rows(lines, boxes) + [None]:
        if i is not None and not boxes[i].left < gutter < boxes[i].right:
            band.append(i)
            continue
        left = [k for k in band if boxes[k].right <= gutter]
        right = [k for k in band if boxes[k].left >= gutter]
        if min(len(left), len(right)) >= _LEAST_LINES:
            found += [across] if across else []
            found += _regions(left, boxes) + _regions(right, boxes)
            across = []
        else:
            across += band
        band = []
        if i is not None:
            across.append(i)
    return [*found, across] if across else found


def _gutter(boxes: list[Box]) -> int | None:
    """Column that best divides the lines into two columns beside each other; None where there is none."""
    best, best_score = None, (0, 1)
    for candidate in sorted({b.right for b in boxes}):
        left = [b for b in boxes if b.right <= candidate]
        right = [b for b in boxes if b.left >= candidate]
        crossing = len(boxes) - len(left) - len(right)
        if min(len(left), len(right)) < _LEAST_LINES or crossing > _MOST_CROSSING * len(boxes):
            continue
        top, bottom = (
            max(min(b.top for b in c) for c in (left, right)),
            min(max(b.bottom for b in c) for c in (left, right)),
        )
        extents = [max(b.bottom for b in c) - min(b.top for b in c) for c in (left, right)]
        shared = (bottom - top) / min(extents)
        # What stands above or below the other column, as headings do, does not speak for a gutter.
        counts = [sum(top < b.bottom and b.top < bottom for b in c) for c in (left, right)]
        widths = [sorted(b.width for b in c)[len(c) // 2] for c in (left, right)]
        if shared < 0.5 or not _may_be_columns(widths, counts):
            continue
        beside = min(counts)
        # Of those that divide equally well that which leaves the longest lines of a ragged column whole.
        score = (beside - crossing, -crossing)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _may_be_columns(widths: list[int], counts: list[int]) -> bool:
    """Whether two blocks beside each other may be columns, by their lines' widths and by how many there are."""
    (narrow, its_lines), (wide, others) = sorted(zip(widths, counts, strict=True))
    if narrow >= _LEAST_WIDTH * wide:
        return True
    return narrow >= _LIST_WIDTH * wide and its_lines >= max(_LIST_LINES, _LIST_SHARE * others)


def rows(lines: list[int], boxes: list[Box]) -> list[int]:
    """Lines from top to bottom; those at the same height from left to right."""
    found: list[list[int]] = []
    for i in sorted(lines, key=lambda k: boxes[k].top + boxes[k].bottom):
        row = found[-1] if found else []
        if row and all(_beside(boxes[i], boxes[k]) for k in row):
            row.append(i)
        else:
            found.append([i])
    return [i for row in found for i in sorted(row, key=lambda k: boxes[k].left)]


def _beside(a: Box, b: Box) -> bool:
    """Whether two boxes stand side by side: apart sideways, and the lower one's middle above the other's bottom."""
    apart = a.left >= b.right or b.left >= a.right
    shared = min(a.bottom, b.bottom) - max(a.top, b.top)
    return apart and shared > 0.5 * min(a.height, b.height)
