"""Outlines and baselines of lines, made of their words'."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.page_text import Word
from segmentation.geometry import Box, turned_point

Points = list[tuple[int, int]]
"""Points (x, y), pixels of the page."""


def outline(line: Sequence[Word]) -> Points:
    """A polygon through the outermost pixels of a line's words, clockwise: at each word as high as that.

    It begins at the upper left of the first word, as that is read.
    """
    turn = line[0].turn
    steps: list[list[int]] = []  # left, top, right and bottom pixels of one word after another, turned upright
    for left, top, right, bottom in sorted(_pixels(word.box, turn) for word in line):
        start = max(left, steps[-1][2] + 1) if steps else left
        if start <= right:
            steps.append([start, top, right, bottom])
        else:  # all of it lies over or below the word before
            steps[-1][1::2] = min(steps[-1][1], top), max(steps[-1][3], bottom)
    upper = [point for left, top, right, _ in steps for point in ((left, top), (right, top))]
    lower = [point for left, _, right, bottom in steps for point in ((left, bottom), (right, bottom))]
    return [turned_point(point, -turn % 360) for point in upper + lower[::-1]]


def _pixels(box: Box, turn: int) -> tuple[int, int, int, int]:
    """First and last column and row of a box after the page was turned around its corner."""
    corners = [turned_point(point, turn) for point in ((box.left, box.top), (box.right - 1, box.bottom - 1))]
    (left, right), (top, bottom) = (sorted(sides) for sides in zip(*corners, strict=True))
    return left, top, right, bottom


def baseline(line: Sequence[Word]) -> Points:
    """On what a line's words stand, in the order in which it is read; empty where it is not known."""
    turn = line[0].turn
    points: Points = []  # turned upright
    for word in line:
        if word.baseline is None:
            return []
        left, _, right, _ = _pixels(word.box, turn)
        # A row; of a sideways line the column that becomes one.
        levels = [-level if turn == 270 else level for level in word.baseline]
        # Boxes of neighbours overlap: the line goes on only to the right.
        points += [p for p in zip((left, right), levels, strict=True) if not points or p[0] > points[-1][0]]
    return [turned_point(point, -turn % 360) for point in points]
