"""The letters that are written on pictures."""

from __future__ import annotations

import functools

from PIL import ImageFont


def font_file() -> str:
    """DejaVu Sans, which matplotlib brings: Pillow's own font has no letters with accents."""
    import matplotlib  # takes a while, and most jobs write on no picture

    return f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"


@functools.cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The font of `font_file`.

    Args:
        size: of an em, pixels.
    """
    return ImageFont.truetype(font_file(), size)
