"""Where a working picture lies on its page."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from segmentation.geometry import Box


@dataclass(frozen=True)
class Placement:
    """Where the working picture lies on the page.

    Attributes:
        turn: float (2, 3), the affine map by which the scaled page was turned level.
        factor: pixels of the working picture per pixel of the page.
        height, width: of the page, pixels.
    """

    turn: np.ndarray
    factor: float
    height: int
    width: int

    def turned(self, turn: int, shape: tuple[int, int]) -> Placement:
        """Where the working picture, of ``shape``, lies once it is turned clockwise by 90 or 270 degrees."""
        h, w = shape
        quarter = np.array([[0, -1, h - 1], [1, 0, 0]]) if turn == 90 else np.array([[0, 1, 0], [-1, 0, w - 1]])
        return replace(self, turn=quarter @ np.vstack([self.turn, [0, 0, 1]]))

    def to_page(self, xs: np.ndarray, ys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Upper left corners on the page, float, of working pixels; upper left as the page is displayed."""
        back = cv2.invertAffineTransform(self.turn)
        x = back[0, 0] * xs + back[0, 1] * ys + back[0, 2]
        y = back[1, 0] * xs + back[1, 1] * ys + back[1, 2]
        return x / self.factor, y / self.factor

    def box(self, x: np.ndarray, y: np.ndarray) -> Box:
        """Box on the page around working pixels whose corners lie at ``x``, ``y`` of the page."""
        pixel = 1 / self.factor
        left = min(max(0, int(np.floor(x.min()))), self.width - 1)
        top = min(max(0, int(np.floor(y.min()))), self.height - 1)
        right, bottom = min(self.width, int(np.ceil(x.max() + pixel))), min(self.height, int(np.ceil(y.max() + pixel)))
        return Box(left, top, max(right, left + 1), max(bottom, top + 1))
