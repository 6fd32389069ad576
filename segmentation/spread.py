"""The two pages of an open book: cut apart, and what was found on them put together again.

Each is segmented by itself, so that it is levelled and measured on its own, and no line runs from one to the other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from segmentation.geometry import Line
from segmentation.order.gutter import Gutter
from segmentation.segmented import Layout, SegmentedPage

_SMOOTHED = 15
"""Number of rows over which the paper at a page's edge is evened out, so that a stroke there is gone."""


def halves(gray: np.ndarray, gutter: Gutter) -> tuple[np.ndarray, np.ndarray, int]:
    """The left page, the right page, and the column of the picture at which the right one begins.

    The fold is left out, as far as it is dark: beside it, pale writing would not be seen. Where it leans, what lies
    beyond a page's edge is covered with paper of that edge.

    Args:
        gray: uint8 (height, width).
    """
    height, width = gray.shape
    fold = gutter.columns(np.arange(height) + 0.5, height)
    ends, starts = (
        np.clip(np.round(fold + side).astype(int), 1, width - 1) for side in (-gutter.before, gutter.behind)
    )
    column = int(starts.min())
    left = _up_to(gray[:, : ends.max()], ends)
    # The right page in a mirror is a left one.
    right = _up_to(gray[:, column:][:, ::-1], width - starts)[:, ::-1]
    return left, right, column


def _up_to(gray: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """A page that ends in each row at a column, what lies beyond covered with paper.

    Args:
        ends: int (height,), at least 1.
    """
    first = int(ends.min())
    if first >= gray.shape[1]:
        return gray
    edge = np.pad(gray[np.arange(len(gray)), ends - 1], _SMOOTHED // 2, mode="edge")
    paper = np.median(np.lib.stride_tricks.sliding_window_view(edge, _SMOOTHED), axis=1).astype(np.uint8)
    covered = gray.copy()
    beyond = np.arange(first, gray.shape[1])[None, :] >= ends[:, None]
    covered[:, first:] = np.where(beyond, paper[:, None], covered[:, first:])
    return covered


def join(left: SegmentedPage, right: SegmentedPage, column: int) -> SegmentedPage:
    """An open book's two pages as one: all of the left page is read before the right one.

    Args:
        column: of the picture at which the right page begins.
    """
    first, second = left.layout, right.layout
    regions = 1 + max((line.region for line in first.lines + first.other_way), default=-1)
    lines = first.lines + tuple(_moved(line, column, regions) for line in second.lines)
    other_way = first.other_way + tuple(_moved(line, column, regions) for line in second.other_way)
    # Pixels of ink are counted at each page's own scale.
    scale = (left.parts[0].placement.factor / right.parts[0].placement.factor) ** 2
    share = len(second.lines) / max(len(lines), 1)
    layout = Layout(
        lines=tuple(replace(line, index=i) for i, line in enumerate(lines)),
        other_way=tuple(replace(line, index=i) for i, line in enumerate(other_way, len(lines))),
        skew_degrees=(1 - share) * first.skew_degrees + share * second.skew_degrees,
        x_height=(1 - share) * first.x_height + share * second.x_height,
        ink=first.ink + round(scale * second.ink),
        discarded_ink=first.discarded_ink + round(scale * second.discarded_ink),
    )
    parts = left.parts + [
        replace(part, left=part.left + column, first=part.first + len(first.lines)) for part in right.parts
    ]
    ends = len(first.lines), len(second.lines)
    cuts = left.cuts[: ends[0]] + right.cuts[: ends[1]] + left.cuts[ends[0] :] + right.cuts[ends[1] :]
    return SegmentedPage(layout, parts, cuts)


def _moved(line: Line, columns: int, regions: int) -> Line:
    """A line so many columns to the right and regions later."""
    return replace(
        line,
        box=line.box.moved(columns),
        baseline=tuple((x + columns, y) for x, y in line.baseline),
        pieces=tuple(replace(piece, box=piece.box.moved(columns)) for piece in line.pieces),
        region=line.region + regions,
    )
