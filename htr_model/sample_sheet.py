"""Pictures of samples over their texts, many on one sheet, for the eye."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from htr_model.samples import Sample

_WIDTH = 1400
_COLUMNS = 2
_TILE_HEIGHT = 72
_CAPTION, _MARGIN = 24, 10
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
    # Pillow's own font has no letters with accents.
    font = ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", 14)
    pen = ImageDraw.Draw(sheet)
    for index, sample in enumerate(samples):
        x, y = _MARGIN + index % _COLUMNS * cell_width, _MARGIN + index // _COLUMNS * cell_height
        room = cell_width - 2 * _MARGIN
        tile = _fitted(sample.gray, room)
        sheet.paste(Image.fromarray(tile), (x, y + _TILE_HEIGHT - tile.shape[0]))
        pen.text((x, y + _TILE_HEIGHT + 2), _shortened(sample.text, font, room), _INK, font)
    return np.asarray(sheet)


def _fitted(gray: np.ndarray, room: int) -> np.ndarray:
    factor = min(_TILE_HEIGHT / gray.shape[0], room / gray.shape[1], 1.5)
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


def _shortened(text: str, font: ImageFont.FreeTypeFont, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text} …") > room:
        text = text[:-1]
    return f"{text} …"
