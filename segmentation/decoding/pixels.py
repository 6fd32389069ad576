"""Grey and colours of 8 bits from the pixels of any mode."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import TiffImageFile

from segmentation.decoding.tiff import BITS_PER_SAMPLE, PHOTOMETRIC, SAMPLE_FORMAT, WHITE_IS_ZERO

_DEEP_WHITES = (2**12 - 1, 2**16 - 1, 2**32 - 1)
"""Whites of integer pictures. Scanners store 12 bits in 16 without saying so; such a page would come out black."""
_EIGHT_BITS = 2**8 - 1
_LEAST_PAPER = 0.1
"""Least share of a page of 8 bits in 16 that is brighter than half of white, as paper is. What is darker is grain."""
_TWELVE_BITS = 2**4 - 1
"""White of colours of 12 bits in 16, of which Pillow keeps the upper 8."""
_FLOAT_WHITES = (1.0, 255.0, 65535.0)
"""Whites of floating-point pictures, which state none either."""
_COLOURED = ("RGB", "RGBA", "RGBX", "P", "PA", "CMYK", "YCbCr")
_EVERY = 3
"""Every so many pixels, in both directions, colours are looked for."""
_COLOURLESS = 16
"""Greatest difference between red, green and blue of a grey pixel, in levels: the compression of grey scans makes
it."""
_LEAST_COLOURED = 1e-3
"""A page is in colour if more than this share of its pixels is: a stamp, or a line in red ink."""


def to_gray(image: Image.Image) -> np.ndarray:
    """Grey of a loaded picture of any mode: uint8 (height, width); transparent parts are white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_to_gray(image)
    if image.mode == "LAB":
        return np.array(image.getchannel(0))  # Lightness.
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return np.array(_on_paper(image.convert("L"), image.getchannel("A")))
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return np.array(image if image.mode == "L" else image.convert("L"))


def to_colour(image: Image.Image) -> np.ndarray:
    """Colours of a loaded picture of any mode, by its colour profile if it has one.

    Returns:
        uint8 (height, width, 3), blue, green and red of sRGB, transparent parts white; grey, (height, width), of a
        picture that has no colours.
    """
    if image.mode not in _COLOURED:
        return to_gray(image)
    opaque = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        opaque = image.getchannel("A")
    colours = _srgb(image)
    if opaque is not None:
        colours = _on_paper(colours, opaque)
    return gray_unless_coloured(cv2.cvtColor(np.array(colours), cv2.COLOR_RGB2BGR))


def whiten_twelve_bits(image: Image.Image) -> None:
    """Give a loaded RGB picture, stored with 16 bits a channel, the white of 12 where no channel exceeds it."""
    if max(top for _, top in image.getextrema()) <= _TWELVE_BITS:
        image.im = image.point([min(255, level * 255 // _TWELVE_BITS) for level in range(256)] * 3).im


def _on_paper(image: Image.Image, opaque: Image.Image) -> Image.Image:
    """A picture on white paper, which is seen where the mask ``opaque`` is not."""
    paper = Image.new(image.mode, image.size, "white")
    paper.paste(image, mask=opaque)
    return paper


def _srgb(image: Image.Image) -> Image.Image:
    """The picture in the colours that its profile means; as its numbers are where there is none that can be used."""
    plain = image if image.mode == "CMYK" else image.convert("RGB")
    profile = image.info.get("icc_profile")
    if profile:
        try:
            meant = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(plain, meant, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # A page is worth more than its exact colours.
    return plain.convert("RGB")


def gray_unless_coloured(colours: np.ndarray) -> np.ndarray:
    """Blue, green and red, uint8 (height, width, 3), as they are; grey, (height, width), where they hardly differ."""
    sample = colours[::_EVERY, ::_EVERY]
    apart = sample.max(axis=2) - sample.min(axis=2)
    coloured = np.mean(apart > _COLOURLESS) > _LEAST_COLOURED
    return colours if coloured else cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)


def _deep_to_gray(image: Image.Image) -> np.ndarray:
    """Grey of a picture of 12, 16 or 32 bits: uint8 (height, width).

    White is the least of the usual whites that no pixel exceeds (Pillow's own conversion cuts all off at 255);
    that of 8 bits only where there is paper.
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
        if top <= _EIGHT_BITS and np.mean(values > _EIGHT_BITS // 2) >= _LEAST_PAPER:
            whites = (_EIGHT_BITS,)
    white = next((white for white in whites if top <= white), top)
    levels = values.astype(np.uint16) if values.dtype.itemsize == 2 else np.clip(values, 0, white).astype(np.float32)
    gray = cv2.convertScaleAbs(levels, alpha=255.0 / white)
    if tags.get(PHOTOMETRIC) == WHITE_IS_ZERO:
        gray = 255 - gray  # Pillow inverts pictures of 8 bits and fewer only.
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray[values == transparent] = 255
    return gray
