"""A segmented page: its layout, and the pictures of lines and words that are cut by it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.description import Placement
from segmentation.geometry import Box, Line


@dataclass(frozen=True)
class Layout:
    """What was found on a page.

    Attributes:
        lines: in reading order.
        skew_degrees: by how much the writing climbs (positive: counter-clockwise), −10 … 10.
        x_height: of the page's writing, pixels of the page; 0 for an empty page.
        ink: pixels of ink at the working scale.
        discarded_ink: pixels of it that are in no line: specks, rulings, bars, the scanner's border.
    """

    lines: tuple[Line, ...]
    skew_degrees: float
    x_height: float
    ink: int
    discarded_ink: int


class SegmentedPage:
    """A page's layout together with what is needed to cut pictures from it."""

    def __init__(
        self,
        layout: Layout,
        flat: np.ndarray,
        owners: np.ndarray,
        courses: list[np.ndarray],
        frames: list[Box],
        placement: Placement,
    ):
        self.layout = layout
        self._flat = flat
        self._owners = owners
        self._courses = courses
        self._frames = frames
        self._placement = placement

    def line_numbers(self) -> np.ndarray:
        """Whose ink each pixel of the page is: uint16 (height, width), 0 for no line's, i + 1 for line i's.

        Each line's ink is a working pixel wider than it was found, because the edges of strokes move a little when a
        page is scaled and turned.
        """
        place = self._placement
        numbers = cv2.dilate(self._owners.astype(np.uint16), np.ones((3, 3), np.uint8))
        # The middle of pixel c of the page is at (c + 0.5) · factor − 0.5 of the scaled page.
        matrix = place.turn.astype(float).copy()
        matrix[:, 2] += place.turn[:, :2] @ np.full(2, 0.5 * place.factor - 0.5)
        matrix[:, :2] *= place.factor
        method = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        return cv2.warpAffine(numbers, matrix, (place.width, place.height), flags=method)

    def line_picture(self, index: int) -> np.ndarray:
        """Line ``index`` on white paper, level, uint8 (h, w): the ink of other lines is painted over.

        Column ``c`` of the picture is column ``c`` of the line's `Piece.start` and ``end``.
        """
        frame = self._frames[index]
        return _level(self._cut(index, frame), self._courses[index])

    def word_picture(self, index: int, word: int) -> np.ndarray:
        """Word ``word`` of line ``index`` on white paper, uint8 (h, w)."""
        line = self.layout.lines[index]
        first, last = line.words[word]
        start = min(p.start for p in line.pieces[first:last])
        end = max(p.end for p in line.pieces[first:last])
        frame = self._frames[index]
        margin = max(2, frame.height // 20)
        columns = slice(max(0, int(start) - margin), int(np.ceil(end)) + margin)
        return _level(self._cut(index, frame)[:, columns], self._courses[index][columns])

    def _cut(self, index: int, frame: Box) -> np.ndarray:
        rows, columns = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
        picture = self._flat[rows, columns]
        owners = self._owners[rows, columns]
        foreign = ((owners > 0) & (owners != index + 1)).astype(np.uint8)
        if not foreign.any():
            return picture
        own = owners == index + 1
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
