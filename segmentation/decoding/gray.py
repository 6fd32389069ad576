"""Grey of 8 bits from the pixels of any mode."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from segmentation.decoding.tiff import BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT, WHITE_IS_ZERO

_DEEP_WHITES = (2**12 - 1, 2**16 - 1, 2**32 - 1)
"""Whites of integer pictures. Scanners store 12 bits in 16 without saying so; such a page would come out black."""
_FLOAT_WHITES = (1.0, 255.0, 65535.0)
"""Whites of floating-point pictures, which state none either."""


def to_gray(image: Image.Image) -> np.ndarray:
    """Grey of a loaded picture of any mode: uint8 (height, width); transparent parts are white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_to_gray(image)
    if image.mode == "LAB":
        return np.array(image.getchannel(0))  # Lightness.
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("L", image.size, 255)
        paper.paste(image.convert("L"), mask=image.getchannel("A"))
        return np.array(paper)
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return np.array(image if image.mode == "L" else image.convert("L"))


def _deep_to_gray(image: Image.Image) -> np.ndarray:
    """Grey of a picture of 12, 16 or 32 bits: uint8 (height, width).

    White is the least of the usual whites that no pixel exceeds (Pillow's own conversion cuts all off at 255).
    """
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    values = np.array(image)
    if image.mode == "F":
        values = np.nan_to_num(values, nan=np.inf, posinf=np.inf)
        finite = values[np.isfinite(values)]
        top, whites = (float(finite.max()) if finite.size else 1.0), _FLOAT_WHITES
    else:
        if image.mode == "I" and tags.get(BITS_PER_SAMPLE) == (32,) and tags.get(SAMPLE_FORMAT, (1,)) == (1,):
            values = values.view(np.uint32)
        top, whites = int(values.max()), _DEEP_WHITES
    white = next((white for white in whites if top <= white), top)
    levels = values.astype(np.uint16) if values.dtype.itemsize == 2 else np.clip(values, 0, white).astype(np.float32)
    gray = cv2.convertScaleAbs(levels, alpha=255.0 / white)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        gray = 255 - gray  # Pillow inverts pictures of 8 bits and fewer only.
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray[values == transparent] = 255
    return gray
