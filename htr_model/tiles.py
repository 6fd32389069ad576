"""Pictures of writing on sheets for the eye, and the letters beside them."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from PIL import ImageFont

_MOST_ENLARGED = 1.5


def fitted(gray: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture, uint8 (h, w), as large as fits into some pixels, its proportions kept; enlarged a little at most."""
    factor = min(height / gray.shape[0], width / gray.shape[1], _MOST_ENLARGED)
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which Matplotlib brings: Pillow's own font has no letters with accents.

    Args:
        size: of an em, pixels.
    """
    from matplotlib import get_data_path  # takes a while

    return ImageFont.truetype(f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
