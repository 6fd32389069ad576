"""What the header of a picture states: which way is up, resolution, size."""

from __future__ import annotations

import math

import cv2
from PIL import ExifTags, Image, ImageFile
from PIL.JpegImagePlugin import JpegImageFile

from segmentation.decoding.pages import PLAUSIBLE_DPI

ROTATIONS = {1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}
"""Degrees clockwise that make a picture of an EXIF orientation upright; 2, 4, 5 and 7 are mirrored first."""
TURNS = {
    1: lambda pixels: pixels,
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation 1 … 8; 1 where there is none or it cannot be read, since the pixels still can."""
    value = _exif(image).get(ExifTags.Base.Orientation, 1)
    return value if isinstance(value, int) and value in ROTATIONS else 1


def _exif(image: Image.Image) -> Image.Exif | dict:
    try:
        return image.getexif()
    except MemoryError:
        raise
    except Exception:  # Untrusted bytes; a page is worth more than its EXIF.
        return {}


def dpi_of(image: ImageFile.ImageFile) -> float | None:
    """Plausible resolution that the file states in its own header, else in its EXIF; otherwise None."""
    if isinstance(image, JpegImageFile):
        # Pillow's "dpi" of a JPEG is 72 when nothing is stated.
        unit, stated = image.info.get("jfif_unit"), image.info.get("jfif_density")
        per_inch = {1: 1.0, 2: 2.54}.get(unit)
    else:
        per_inch, stated = 1.0, image.info.get("dpi")
    if stated is None or per_inch is None:
        exif = _exif(image)
        stated = exif.get(ExifTags.Base.XResolution), exif.get(ExifTags.Base.YResolution)
        per_inch = {2: 1.0, 3: 2.54}.get(exif.get(ExifTags.Base.ResolutionUnit, 2))
    try:
        across, down = (float(value) * per_inch for value in stated)
    except (TypeError, ValueError, ArithmeticError):
        return None
    lowest, highest = PLAUSIBLE_DPI
    # Resolutions are stored per metre or as fractions: 300 dpi comes back as 299.9994.
    same = math.isclose(across, down, rel_tol=0.02)
    return round(across, 2) if same and lowest <= across <= highest else None


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in a WebP's header (RFC 9649, sections 2.5 to 2.7); (1, 1) where that is broken."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return 1, 1
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        sides = int.from_bytes(body[1:5], "little")
        return 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        sides = int.from_bytes(body[6:10], "little")
        return sides & 0x3FFF, sides >> 16 & 0x3FFF
    return 1, 1
