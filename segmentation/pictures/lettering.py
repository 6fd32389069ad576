"""The letters that are written on pictures."""

from __future__ import annotations

import functools

from PIL import ImageFont


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which matplotlib brings: Pillow's own font has no letters with accents.

    Args:
        size: of an em, pixels.
    """
    import matplotlib  # takes a while, and most jobs write on no picture

    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
