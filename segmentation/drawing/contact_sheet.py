"""Pictures that show where found lines differ from true ones, many pages on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segmentation.drawing.lettering import font
from segmentation.drawing.overlay import draw_overlay
from segmentation.geometry import Line
from segmentation.scaling import scaled
from segmentation.scores.line_scores import InkOverlap, LineScores, TrueInk

_COLOURS = np.array([(0, 70, 200), (0, 130, 60), (190, 80, 0), (150, 0, 160), (0, 130, 150)], np.uint8)
"""Colours of found lines, one after another."""
_UNCOUNTED, _UNOWNED = (150, 150, 150), (0, 0, 0)
_MATCHED, _MISSED, _UNREAD = (214, 240, 214), (255, 196, 196), (232, 232, 232)
_TILE_WIDTH, _TILE_HEIGHT = 640, 860
_COLUMNS = 3


def draw_comparison(
    truth: TrueInk,
    found: np.ndarray,
    ink: InkOverlap,
    scores: LineScores,
    outlines: Sequence[Sequence[np.ndarray]],
    unread: Sequence[Sequence[np.ndarray]] = (),
) -> np.ndarray:
    """A page's ink in the colours of its found lines, over its true lines: uint8 (h, w, 3) RGB, at most a tile large.

    Ink is grey in lines that are not counted and black where no line has it. True lines are green where they were
    matched and red where they were missed; those without text are grey. Found lines are numbered in reading order.

    Args:
        found: integer (height, width), i + 1 where ink belongs to found line i.
        outlines: of each true line.
        unread: of true lines without text.
    """
    height, width = truth.ink.shape
    factor = min(1.0, _TILE_WIDTH / width, _TILE_HEIGHT / height)
    picture = np.full((height, width, 3), 255, np.uint8)
    matched = {j for _, j in scores.pairs}
    fills = [(shapes, _UNREAD) for shapes in unread]
    fills += [(shapes, _MATCHED if j in matched else _MISSED) for j, shapes in enumerate(outlines)]
    for shapes, colour in fills:
        for shape in shapes:
            corners = [np.round(shape).astype(np.int32)]
            cv2.fillPoly(picture, corners, colour)
            cv2.polylines(picture, corners, True, tuple(int(0.75 * c) for c in colour), max(1, round(1 / factor)))
    counted = ink.counted
    palette = np.array(
        [_UNOWNED, *(_COLOURS[i % len(_COLOURS)] if counted[i] else _UNCOUNTED for i in range(len(counted)))], np.uint8
    )
    picture[truth.ink] = palette[found[truth.ink]]
    tile = Image.fromarray(scaled(picture, factor))
    pen, letters = ImageDraw.Draw(tile), font(13)
    for i in range(len(counted)):
        ys, xs = np.nonzero((found == i + 1) & truth.ink)
        if len(xs):
            at = (max(2, xs.min() * factor - 4), float(np.median(ys)) * factor)
            anchor = "rm" if at[0] > 20 else "lm"
            pen.text(at, str(i + 1), (200, 0, 0), letters, anchor=anchor, stroke_width=2, stroke_fill=(255, 255, 255))
    return np.asarray(tile)


def draw_found(gray: np.ndarray, lines: Sequence[Line]) -> np.ndarray:
    """A page's found lines and words where no true ones are known: uint8 (h, w, 3) RGB, at most a tile large."""
    drawn = draw_overlay(gray, [line.box for line in lines], [line.word_boxes() for line in lines])
    tile = Image.fromarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2RGB))
    tile.thumbnail((_TILE_WIDTH, _TILE_HEIGHT))
    return np.asarray(tile)


LEGEND = (
    "Ink in the colours of the lines that were found; black where no line has it.\n"
    "True lines: green found, red missed, grey without text."
)
"""Explains the pictures that `draw_comparison` makes."""
_LINE = 18
"""Height of a line of a caption, pixels."""


def contact_sheet(tiles: Sequence[np.ndarray], captions: Sequence[str], legend: str = "") -> np.ndarray:
    """Pictures with their captions in rows of three, uint8 (h, w, 3) RGB.

    Args:
        captions: above the pictures; of what is wider than a picture the beginning is left out, line by line.
        legend: below all of them.

    Raises:
        ValueError: there are none.
    """
    if not tiles:
        raise ValueError("no pictures for a contact sheet")
    columns = min(_COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    margin, caption = 12, 8 + _LINE * max(text.count("\n") + 1 for text in captions)
    cell_width = max(t.shape[1] for t in tiles) + margin
    cell_height = max(t.shape[0] for t in tiles) + margin + caption
    below = legend.split("\n") if legend else []
    size = (columns * cell_width + margin, rows * cell_height + margin + _LINE * len(below))
    sheet = Image.new("RGB", size, (245, 245, 245))
    pen, letters = ImageDraw.Draw(sheet), font(14)

    def write(lines: Sequence[str], x: int, y: int, width: int) -> None:
        for k, line in enumerate(lines):
            pen.text((x, y + k * _LINE), _fitting(line, letters, width), (0, 0, 0), letters)

    for i, (tile, text) in enumerate(zip(tiles, captions, strict=True)):
        x, y = margin + i % columns * cell_width, margin + i // columns * cell_height
        write(text.split("\n"), x, y + 3, cell_width - margin)
        sheet.paste(Image.fromarray(tile), (x, y + caption))
    write(below, margin, rows * cell_height, size[0] - 2 * margin)
    return np.asarray(sheet)


def _fitting(text: str, letters: ImageFont.FreeTypeFont, width: int) -> str:
    """A text, or as much of its end as fits into a width behind an ellipsis: names of files differ there."""
    if letters.getlength(text) <= width:
        return text
    return next((f"…{text[i:]}" for i in range(1, len(text)) if letters.getlength(f"…{text[i:]}") <= width), "…")
