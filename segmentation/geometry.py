"""Boxes and lines on a page. All coordinates are pixels of the page as it is displayed upright, y downwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, order=True)
class Box:
    """A rectangle of whole pixels; ``right`` and ``bottom`` are exclusive.

    Raises:
        ValueError: the box holds no pixel.
    """

    left: int
    top: int
    right: int
    bottom: int

    def __post_init__(self) -> None:
        if self.right <= self.left or self.bottom <= self.top:
            raise ValueError(f"empty box {self.left, self.top, self.right, self.bottom!r}")

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def moved(self, columns: int) -> Box:
        """The box so many columns further right."""
        return Box(self.left + columns, self.top, self.right + columns, self.bottom)

    def turned(self, turn: int) -> Box:
        """The box after the page was turned clockwise around its upper left corner; some sides are negative then.

        Args:
            turn: 0, 90 or 270 degrees.
        """
        if turn == 90:
            return Box(-self.bottom, self.left, -self.top, self.right)
        if turn == 270:
            return Box(self.top, -self.right, self.bottom, -self.left)
        return self

    def part(self, first: float, last: float, turn: int = 0) -> Box:
        """A part of the box along the writing in it, at least a pixel.

        Args:
            first, last: shares of its length, 0–1, where the part begins and ends.
            turn: degrees clockwise by which the box must be turned for its writing to be upright: 0, 90 or 270.
        """
        length = self.height if turn else self.width
        start = min(int(first * length), length - 1)
        end = min(max(round(last * length), start + 1), length)
        if turn == 90:
            return Box(self.left, self.bottom - end, self.right, self.bottom - start)
        if turn == 270:
            return Box(self.left, self.top + start, self.right, self.top + end)
        return Box(self.left + start, self.top, self.left + end, self.bottom)


def union(boxes: Iterable[Box]) -> Box:
    """Smallest box around ``boxes``.

    Raises:
        ValueError: there are none.
    """
    boxes = list(boxes)
    if not boxes:
        raise ValueError("no boxes to unite")
    return Box(
        min(b.left for b in boxes),
        min(b.top for b in boxes),
        max(b.right for b in boxes),
        max(b.bottom for b in boxes),
    )


@dataclass(frozen=True)
class Piece:
    """A stretch of a line's ink without an empty column: part of a word, a word, or joined words.

    Attributes:
        box: on the page.
        start, end: columns of the line's picture that the ink covers; ``end`` exclusive.
    """

    box: Box
    start: float
    end: float


@dataclass(frozen=True)
class Cell:
    """A place in a table: row and column, from 0."""

    row: int
    column: int


@dataclass(frozen=True)
class Line:
    """A line of writing.

    Attributes:
        index: place in reading order, from 0.
        box: around all its ink.
        pieces: its ink from left to right, as it is read.
        words: its words by the gaps between pieces: for each word, the slice of ``pieces`` (first, after last).
        turn: 0, 90 or 270 degrees clockwise by which the page must be turned for the line to be upright.
        region: number, from 0 in reading order, of what it is read with: a column, what lies between columns, a page of
            an open book, the notes in a margin, a cell of a table.
        cell: where it stands in a table; None outside of tables.
        baseline: points (x, y) on which its letters stand, in the order in which it is read; empty where unknown.
    """

    index: int
    box: Box
    pieces: tuple[Piece, ...]
    words: tuple[tuple[int, int], ...]
    turn: int = 0
    region: int = 0
    cell: Cell | None = None
    baseline: tuple[tuple[int, int], ...] = ()

    def word_boxes(self) -> list[Box]:
        """Boxes of the words, in the order in which they are read."""
        return [union(p.box for p in self.pieces[a:b]) for a, b in self.words]

    def baseline_at(self, box: Box) -> tuple[int, int] | None:
        """Where the baseline passes the beginning and the end of a word's box, read along the line: rows, of a sideways
        line columns. Beyond the baseline's ends it goes on level; None where it is unknown."""
        if not self.baseline:
            return None
        # Turned around the page's corner the line is read from the left to the right.
        places = [turned_point(point, self.turn) for point in self.baseline]
        xs, ys = zip(*places, strict=True)
        word = box.turned(self.turn)
        levels = np.interp([word.left, word.right], xs, ys)
        # Turned back: a row, or the column that it has become.
        start, end = (int(round(level if self.turn != 270 else -level)) for level in levels)
        return start, end


def turned_point(point: tuple[int, int], turn: int) -> tuple[int, int]:
    """A point (x, y) after the page was turned clockwise by 0, 90 or 270 degrees around its upper left corner."""
    x, y = point
    return {90: (-y, x), 270: (y, -x)}.get(turn, (x, y))
