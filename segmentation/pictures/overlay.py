"""Pictures that show what was found on a page."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw

from segmentation.geometry import Box
from segmentation.pictures.lettering import font

_COLOURS = ((20, 80, 200), (30, 140, 30), (200, 90, 10), (160, 30, 170), (0, 130, 150))
_LONG_SIDE = 2000


def draw_overlay(
    gray: np.ndarray, lines: list[Box], words: list[list[Box]], texts: list[str] | None = None
) -> np.ndarray:
    """The page, uint8 (h, w, 3) BGR, with line and word boxes and line numbers in reading order.

    Args:
        gray: uint8 (height, width), the page.
        lines: boxes of the lines in reading order.
        words: boxes of each line's words.
        texts: what was read in each line; drawn above it.
    """
    factor = min(1.0, _LONG_SIDE / max(gray.shape))
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    picture = cv2.resize(gray, size, interpolation=cv2.INTER_AREA) if factor < 1 else gray
    picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB)
    for index, line in enumerate(lines):
        colour = _COLOURS[index % len(_COLOURS)]
        _rectangle(picture, line, factor, colour, 1)
        for box in words[index]:
            _rectangle(picture, box, factor, colour, 2)
    canvas = Image.fromarray(picture)
    pen = ImageDraw.Draw(canvas)
    letters = font(max(12, canvas.width // 80))
    for index, line in enumerate(lines):
        colour = _COLOURS[index % len(_COLOURS)]
        middle = (line.top + line.bottom) / 2 * factor
        pen.text((max(2, line.left * factor - 8), middle), str(index + 1), (210, 0, 0), letters, anchor="rm")
        if texts is not None:
            at = (line.left * factor, max(line.top * factor - 1, letters.size))
            pen.text(at, texts[index], colour, letters, anchor="ld", stroke_width=2, stroke_fill=(255, 255, 255))
    return cv2.cvtColor(np.asarray(canvas), cv2.COLOR_RGB2BGR)


def _rectangle(picture: np.ndarray, box: Box, factor: float, colour: tuple[int, int, int], width: int) -> None:
    corners = np.round(np.array([box.left, box.top, box.right, box.bottom]) * factor).astype(int).tolist()
    cv2.rectangle(picture, corners[:2], corners[2:], colour, width)
