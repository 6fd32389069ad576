"""Pictures of samples over their texts, many on one sheet, for the eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from htr_model.data.samples import Sample
from htr_model.tiles import fitted
from segmentation.drawing.lettering import font

_WIDTH = 1400
_COLUMNS = 2
_TILE_HEIGHT = 72
_CAPTION, _MARGIN, _LETTERS = 24, 10, 14
_PAPER, _INK = 225, 0


def sample_sheet(samples: Sequence[Sample]) -> np.ndarray:
    """Samples in rows of two, each over its text: uint8 (h, 1400). Pictures keep their proportions.

    Raises:
        ValueError: there are none.
    """
    if not samples:
        raise ValueError("no samples for a contact sheet")
    rows = -(-len(samples) // _COLUMNS)
    cell_width, cell_height = _WIDTH // _COLUMNS, _TILE_HEIGHT + _CAPTION + _MARGIN
    sheet = Image.new("L", (_WIDTH, rows * cell_height + _MARGIN), _PAPER)
    letters = font(_LETTERS)
    pen = ImageDraw.Draw(sheet)
    for index, sample in enumerate(samples):
        x, y = _MARGIN + index % _COLUMNS * cell_width, _MARGIN + index // _COLUMNS * cell_height
        room = cell_width - 2 * _MARGIN
        tile = fitted(sample.gray, room, _TILE_HEIGHT)
        sheet.paste(Image.fromarray(tile), (x, y + _TILE_HEIGHT - tile.shape[0]))
        pen.text((x, y + _TILE_HEIGHT + 2), _shortened(sample.text, letters, room), _INK, letters)
    return np.asarray(sheet)


def _shortened(text: str, letters: ImageFont.FreeTypeFont, room: int) -> str:
    if letters.getlength(text) <= room:
        return text
    while text and letters.getlength(f"{text} …") > room:
        text = text[:-1]
    return f"{text} …"
