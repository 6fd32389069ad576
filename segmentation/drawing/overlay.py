"""Pictures that show what was found on a page."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segmentation.drawing.lettering import font
from segmentation.geometry import Box
from segmentation.scaling import scaled

_COLOURS = ((20, 80, 200), (30, 140, 30), (200, 90, 10), (160, 30, 170), (0, 130, 150))
_LONG_SIDE = 2000


def draw_overlay(
    gray: np.ndarray,
    lines: list[Box],
    words: list[list[Box]],
    texts: list[str] | None = None,
    turns: list[int] | None = None,
) -> np.ndarray:
    """The page, uint8 (h, w, 3) BGR, with line and word boxes and line numbers in reading order.

    Args:
        gray: uint8 (height, width), the page.
        lines: boxes of the lines in reading order.
        words: boxes of each line's words.
        texts: what was read in each line; it stands at the line's place on a second sheet, beside an upright page and
            below a wide one.
        turns: 0, 90 or 270 degrees clockwise by which the page must be turned to read each line; None: all are level.
    """
    factor = min(1.0, _LONG_SIDE / max(gray.shape))
    picture = cv2.cvtColor(scaled(gray, factor), cv2.COLOR_GRAY2RGB)
    for index, line in enumerate(lines):
        colour = _COLOURS[index % len(_COLOURS)]
        _rectangle(picture, line, factor, colour, 1)
        for box in words[index]:
            _rectangle(picture, box, factor, colour, 2)
    canvas = Image.fromarray(picture)
    pen = ImageDraw.Draw(canvas)
    # No higher than a line, else the numbers of a newspaper's column hide one another.
    letters = font(max(_LEAST_LETTERS, min(int(_usual_height(lines) * factor), max(12, canvas.width // 80))))
    for index, line in enumerate(lines):
        number = str(index + 1)
        right = max(letters.getlength(number) + 2, line.left * factor - 8)
        pen.text((right, (line.top + line.bottom) / 2 * factor), number, (210, 0, 0), letters, anchor="rm")
    sheets = [np.asarray(canvas)]
    if texts is not None:
        rows = [_row(line, words[index]) for index, line in enumerate(lines)]
        sheets.append(_transcribed(canvas.size, lines, rows, texts, turns or [0] * len(lines), factor))
    side_by_side = np.concatenate(sheets, axis=1 if canvas.height >= canvas.width else 0)
    return cv2.cvtColor(side_by_side, cv2.COLOR_RGB2BGR)


_LEAST_LETTERS, _MOST_LETTERS, _MOST_OF_PITCH = 9, 0.75, 0.85
"""Size of the letters' em: at least so many pixels, at most this share of the usual line's height, and at most this
share of the usual distance of lines."""


def _transcribed(
    size: tuple[int, int], lines: list[Box], rows: list[float], texts: list[str], turns: list[int], factor: float
) -> np.ndarray:
    """A sheet of a page's size, RGB, with the texts where their lines are, in the usual size of the page's writing or,
    where its line is too short for a text, in a smaller one.

    Args:
        rows: of the page, in which the middles of level lines lie.
    """
    sheet = Image.new("RGB", size, (255, 255, 255))
    pen = ImageDraw.Draw(sheet)
    usual = factor * min(_MOST_LETTERS * _usual_height(lines), _MOST_OF_PITCH * _usual_pitch(lines, rows, turns))
    for index, (line, text, turn) in enumerate(zip(lines, texts, turns, strict=True)):
        length = line.height if turn else line.width
        fitting = 100 * length * factor / max(1.0, font(100).getlength(text))
        letters = font(max(_LEAST_LETTERS, int(min(fitting, usual))))
        colour = _COLOURS[index % len(_COLOURS)]
        if turn:
            _write_turned(sheet, line, text, turn, letters, colour, factor)
        else:
            pen.text((line.left * factor, rows[index] * factor), text, colour, letters, anchor="lm")
    return np.asarray(sheet)


def _write_turned(
    sheet: Image.Image,
    line: Box,
    text: str,
    turn: int,
    letters: ImageFont.FreeTypeFont,
    colour: tuple[int, int, int],
    factor: float,
) -> None:
    """The text of a line that runs up (90) or down (270) the page, from where the line begins."""
    height = 2 * round(letters.size)
    level = Image.new("L", (max(1, int(np.ceil(letters.getlength(text)))), height))
    ImageDraw.Draw(level).text((0, height / 2), text, 255, letters, anchor="lm")
    upright = level.rotate(turn, expand=True)
    left = round((line.left + line.right) / 2 * factor - upright.width / 2)
    top = round(line.bottom * factor) - upright.height if turn == 90 else round(line.top * factor)
    sheet.paste(colour, (left, top), upright)


def _row(line: Box, words: list[Box]) -> float:
    """Where a line's middle lies: that of its words, as one long stroke makes a line much higher than its letters."""
    return float(np.median([(box.top + box.bottom) / 2 for box in words or [line]]))


def _usual_pitch(lines: list[Box], rows: list[float], turns: list[int]) -> float:
    """Pixels from a level line to the next one below it; infinite where no line is below another."""
    level = [(line, row) for line, row, turn in zip(lines, rows, turns, strict=True) if not turn]
    below = [
        min((r - row for x, r in level if r > row and x.left < line.right and x.right > line.left), default=None)
        for line, row in level
    ]
    return float(np.median([pitch for pitch in below if pitch is not None] or [np.inf]))


def _usual_height(lines: list[Box]) -> float:
    return float(np.median([min(line.height, line.width) for line in lines] or [0]))


def _rectangle(picture: np.ndarray, box: Box, factor: float, colour: tuple[int, int, int], width: int) -> None:
    corners = np.round(np.array([box.left, box.top, box.right, box.bottom]) * factor).astype(int).tolist()
    cv2.rectangle(picture, corners[:2], corners[2:], colour, width)
