"""A segmented page: its layout, and the pictures of lines and words that are cut by it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.geometry import Box, Line
from segmentation.placement import Placement


@dataclass(frozen=True)
class Layout:
    """What was found on a page.

    Attributes:
        lines: in reading order: of each page (an open book has two) the upright ones, then the sideways ones as they
            are read when the page is turned clockwise.
        other_way: the same sideways lines, laid out for the page turned counter-clockwise and numbered on from
            ``lines``. Only reading shows which direction is right. A margin has one region number in both.
        skew_degrees: by how much the writing climbs (positive: counter-clockwise), −10 … 10; of an open book the mean
            of its lines'.
        x_height: of the page's writing, pixels of the page; 0 for an empty page. As above of an open book.
        ink: pixels of ink at the working scale.
        discarded_ink: pixels of it that are in no line: specks, rulings, bars, the scanner's border.
    """

    lines: tuple[Line, ...]
    other_way: tuple[Line, ...]
    skew_degrees: float
    x_height: float
    ink: int
    discarded_ink: int

    @property
    def discarded_share(self) -> float:
        """Share of the ink that is in no line, 0–1; 0 without ink."""
        return self.discarded_ink / self.ink if self.ink else 0.0


@dataclass(frozen=True)
class Sheet:
    """The working picture, one way up, and whose its ink is.

    Attributes:
        flat: uint8 (h, w), on even white paper.
        owners: int32 (h, w), 0 paper, i + 1 line i.
    """

    flat: np.ndarray
    owners: np.ndarray


@dataclass(frozen=True)
class Cut:
    """Where a line lies.

    Attributes:
        sheet: on which it is upright.
        frame: of its picture there.
        course: float32 (width of ``frame``,), rows by which it lies lower than at its left end.
        owner: what its ink is marked with there.
    """

    sheet: Sheet
    frame: Box
    course: np.ndarray
    owner: int


@dataclass(frozen=True)
class Part:
    """What was segmented by itself: the picture, or one page of an open book.

    Attributes:
        owners: int32 (h, w) of the upright working picture, 0 paper, i + 1 the part's line i.
        placement: where that picture lies in the part.
        left: column of the picture at which the part begins.
        first: number of the part's first line among all.
    """

    owners: np.ndarray
    placement: Placement
    left: int = 0
    first: int = 0

    def line_numbers(self) -> np.ndarray:
        """As `SegmentedPage.line_numbers`, of the part."""
        place = self.placement
        owners = self.owners.astype(np.uint16)
        numbers = cv2.dilate(owners, np.ones((3, 3), np.uint8))
        np.copyto(numbers, owners, where=owners > 0)  # A line grows over paper, not over the ink of another.
        numbers[numbers > 0] += np.uint16(self.first)
        # The middle of pixel c of the page is at (c + 0.5) · factor − 0.5 of the scaled page.
        matrix = place.turn.astype(float).copy()
        matrix[:, 2] += place.turn[:, :2] @ np.full(2, 0.5 * place.factor - 0.5)
        matrix[:, :2] *= place.factor
        method = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(numbers, matrix, (place.width, place.height), flags=method)


class SegmentedPage:
    """A page's layout together with what is needed to cut pictures from it.

    Args:
        parts: one; of an open book its two pages, from the left.
        cuts: of the layout's lines, and of those the other way.
    """

    def __init__(self, layout: Layout, parts: list[Part], cuts: list[Cut]):
        self.layout = layout
        self.parts = parts
        self.cuts = cuts

    def line_numbers(self) -> np.ndarray:
        """Whose ink each pixel of the page is: uint16 (height, width), 0 for no line's, i + 1 for line i's.

        Each line's ink is a working pixel wider than it was found, where that is paper, because the edges of strokes
        move a little when a page is scaled and turned.
        """
        if len(self.parts) == 1:
            return self.parts[0].line_numbers()
        height = max(part.placement.height for part in self.parts)
        width = max(part.left + part.placement.width for part in self.parts)
        numbers = np.zeros((height, width), np.uint16)
        for part in self.parts:
            own = part.line_numbers()
            # Where a gutter leans, the parts overlap.
            np.copyto(numbers[:, part.left : part.left + own.shape[1]], own, where=own > 0)
        return numbers

    def line_picture(self, index: int) -> np.ndarray:
        """Line ``index`` on white paper, upright and level, uint8 (h, w): the ink of other lines is painted over.

        Column ``c`` of the picture is column ``c`` of the line's `Piece.start` and ``end``.
        """
        return _level(self._picture(index), self.cuts[index].course)

    def word_picture(self, index: int, word: int) -> np.ndarray:
        """Word ``word`` of line ``index`` on white paper, uint8 (h, w)."""
        line = (self.layout.lines + self.layout.other_way)[index]
        first, last = line.words[word]
        start = min(p.start for p in line.pieces[first:last])
        end = max(p.end for p in line.pieces[first:last])
        cut = self.cuts[index]
        margin = max(2, cut.frame.height // 20)
        columns = slice(max(0, int(start) - margin), int(np.ceil(end)) + margin)
        return _level(self._picture(index)[:, columns], cut.course[columns])

    def _picture(self, index: int) -> np.ndarray:
        sheet, frame, owner = self.cuts[index].sheet, self.cuts[index].frame, self.cuts[index].owner
        rows, columns = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
        picture = sheet.flat[rows, columns]
        owners = sheet.owners[rows, columns]
        foreign = ((owners > 0) & (owners != owner)).astype(np.uint8)
        if not foreign.any():
            return picture
        own = owners == owner
        covered = (cv2.dilate(foreign, np.ones((5, 5), np.uint8)) > 0) & ~own
        return np.where(covered, np.uint8(255), picture)


def _level(picture: np.ndarray, course: np.ndarray) -> np.ndarray:
    """``picture`` with each column moved up or down, so that a line that runs as ``course`` becomes level.

    Args:
        course: float32 (width,), rows; larger is lower.
    """
    h, w = picture.shape
    bend = float(np.ptp(course))
    if bend < 2:
        return picture
    rows = np.arange(h + int(np.ceil(bend)), dtype=np.float32)[:, None] + (course - course.max())[None, :]
    columns = np.broadcast_to(np.arange(w, dtype=np.float32), rows.shape)
    return cv2.remap(picture, np.ascontiguousarray(columns), rows, cv2.INTER_LINEAR, borderValue=255)
