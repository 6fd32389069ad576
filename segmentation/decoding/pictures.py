"""The picture formats, read with Pillow."""

from __future__ import annotations

import io
from contextlib import closing

import numpy as np
from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from segmentation.decoding.errors import (
    DecodingError,
    TruncatedImage,
    UnsupportedImage,
    ZeroSize,
    damaged,
    unsupported,
    zero_size,
)
from segmentation.decoding.headers import ROTATIONS, TURNS, dpi_of, orientation_of, webp_size
from segmentation.decoding.limits import check_index, check_size
from segmentation.decoding.pages import DecodingSettings, PageRef
from segmentation.decoding.pixels import to_colour, to_gray, whiten_twelve_bits
from segmentation.decoding.tiff import LENGTH, WIDTH, with_page_first

_READERS = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WebP": WebPImageFile,
    "AVIF": AvifImageFile,
    "BMP": BmpImageFile,
    "JPEG 2000": Jpeg2KImageFile,
    "TIFF": TiffImageFile,
}
"""Pillow's readers are called directly: `Image.open` would try others, and apply limits that are global settings."""

_UNSUPPORTED = ("unknown pixel mode", "unknown data organization", "cannot handle", "Unsupported BMP")
"""What Pillow says of files that are whole but of a kind that it cannot decode."""


def decode_picture(data: bytes, kind: str, ref: PageRef, settings: DecodingSettings, in_colour: bool) -> tuple:
    """Grey pixels, or those of `to_colour`, dpi and rotation of one picture or TIFF frame."""
    if kind == "TIFF":
        data = with_page_first(data, ref, settings)
    else:
        check_index(ref, 1)
    if kind == "WebP":
        # Pillow's reader allocates the canvas as soon as it opens the file, so this size must be known earlier.
        check_size(webp_size(data), ref, settings)
    try:
        reader = _heic_reader(ref) if kind == "HEIC" else _READERS[kind]
        with closing(reader(io.BytesIO(data))) as image:
            check_size(image.size, ref, settings)
            deep = image.mode == "RGB" and ";16" in str(image.tile[:1])
            orientation = _load_tiff(image) if kind == "TIFF" else _load(image, in_colour)
            if deep:
                whiten_twelve_bits(image)
            pixels = to_colour(image) if in_colour else to_gray(image)
            dpi = dpi_of(image)
    except (DecodingError, MemoryError):
        raise
    except Exception as error:  # Untrusted bytes make Pillow raise nearly any type.
        raise _decoding_error(error, kind, ref) from error
    if kind != "TIFF":  # Pillow has turned those while it loaded them.
        pixels = TURNS[orientation](pixels)
    return np.ascontiguousarray(pixels), dpi, ROTATIONS[orientation]


def _heic_reader(ref: PageRef) -> type[ImageFile.ImageFile]:
    """Pillow's reader of HEIC, which turns pictures while it loads them; a package of its own."""
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise UnsupportedImage(
            f"{ref.uri}: HEIC is read where the package pillow-heif is installed (the extra inkbeam[heic]). "
            "Install it with pip, or convert the picture to JPEG."
        ) from error
    return HeifImageFile


def _load(image: ImageFile.ImageFile, in_colour: bool) -> int:
    """Decodes the pixels of ``image`` in place; returns its orientation, 1 … 8."""
    if isinstance(image, JpegImageFile) and not in_colour:
        # The luma of a JPEG is its grey picture: decoding it alone saves the chroma and a conversion.
        image.draft("L", None)
    image.load()
    return orientation_of(image)  # Not before: in a PNG the tag may follow the pixels.


def _load_tiff(image: TiffImageFile) -> int:
    """Decodes and turns the pixels of ``image`` in place; returns the orientation that it had."""
    orientation = orientation_of(image)
    # Pixels that exist already pass by Pillow's own limit on size, a global setting; ours has been checked.
    image.im = Image.new(image.mode, (image.tag_v2[WIDTH], image.tag_v2[LENGTH])).im
    image.load()
    return orientation


def _decoding_error(error: Exception, kind: str, ref: PageRef) -> DecodingError:
    """The typed error for what one of Pillow's readers raised."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if reason == "not identified by this driver":  # Pillow: the header is sound but a side is 0.
        return ZeroSize(zero_size(ref))
    if kind == "TIFF" and reason.isdigit():  # Pillow: the number of a compression that it does not know.
        return UnsupportedImage(unsupported(ref, kind, f"compression {reason}"))
    if any(phrase in reason for phrase in _UNSUPPORTED):
        return UnsupportedImage(unsupported(ref, kind, reason))
    return TruncatedImage(damaged(ref, kind, reason))
