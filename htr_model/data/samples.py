"""Pictures of writing with their text, and what could not be used."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image, ImageOps

MAX_PIXELS = 120_000_000
"""Larger pictures are refused before they are decoded."""


_SUBFILE_TYPE, _NOT_A_PAGE = 254, 1 | 4
"""TIFF's tag, and its bits of a reduced copy of another frame and of a mask (TIFF 6.0, page 36)."""
_MOST_FRAMES = 64


class DatasetError(Exception):
    """A path that cannot be read as a data set: it is missing, damaged or in no known layout."""


@dataclass(frozen=True)
class Sample:
    """One picture of a word or a line, and what is written there.

    Attributes:
        id: unique in its collection.
        text: canonical text (`charset.canonical_text`).
        gray: uint8 (h, w).
        collection: name of the folder it was read from.
        writer: who wrote it, where known: splits never divide a writer.
        group: what else must stay together (a form, a page).
        split: ``train``, ``validation`` or ``test`` where the data says so.
        gaps: where the spaces of the text lie, as shares of the picture's width; NaN where that is not known
            (`htr_model.data.word_gaps`). Empty where nobody looked for them.
    """

    id: str
    text: str
    gray: np.ndarray = field(repr=False, compare=False)
    collection: str = ""
    writer: str | None = None
    group: str | None = None
    split: str | None = None
    gaps: tuple[float, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A sample that was left out, and why."""

    id: str
    reason: str


Item = Sample | Skipped


def decode_gray(data: bytes) -> np.ndarray:
    """Grey pixels of an encoded picture: uint8 (h, w).

    Raises:
        ValueError: not a picture that can be decoded, or one of more than `MAX_PIXELS`.
    """
    try:
        # Pillow reads only the header here; OpenCV would decode whatever size the header claims.
        with Image.open(io.BytesIO(data)) as header:
            width, height = header.size
            transparent = header.has_transparency_data
            deep, kind = header.mode.startswith("I"), header.format
    except Image.DecompressionBombError as error:
        raise ValueError(f"its pixels are more than the {MAX_PIXELS:,} that are read") from error
    except MemoryError:
        raise
    except Exception as error:  # Untrusted bytes make Pillow raise nearly any type.
        raise ValueError("not a readable picture") from error
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} × {height} pixels are more than the {MAX_PIXELS:,} that are read")
    if transparent or kind == "AVIF":  # which OpenCV need not know
        return _on_white(data)
    # Where levels have more than 8 bits they are seen as they are, else OpenCV keeps the upper eight.
    flags = cv2.IMREAD_GRAYSCALE | (cv2.IMREAD_ANYDEPTH if deep else 0)
    try:
        gray = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ValueError(f"not a readable picture ({error.err})") from error
    if gray is None:
        raise ValueError("not a readable picture")
    return _eight_bits(gray) if gray.dtype == np.uint16 else gray


_TWELVE_BITS = 2**12 - 1


def _eight_bits(levels: np.ndarray) -> np.ndarray:
    """Grey of 8 bits from 16. Scanners store 12 bits in 16 without saying so; such a page would come out black."""
    white = _TWELVE_BITS if levels.max() <= _TWELVE_BITS else 2**16 - 1
    return cv2.convertScaleAbs(levels, alpha=255 / white)


def _on_white(data: bytes) -> np.ndarray:
    """Grey pixels of a picture whose transparent parts, if any, are paper."""
    try:
        with Image.open(io.BytesIO(data)) as picture:
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise ValueError(f"not a readable picture ({error})") from error
    paper = Image.new("L", upright.size, 255)
    paper.paste(upright.convert("L"), mask=upright.getchannel("A"))
    return np.array(paper)


def has_more_frames(data: bytes) -> bool:
    """Whether an encoded picture is a TIFF of several pages, of which `decode_gray` gives the first.

    Reduced copies of a page and masks, as pyramids have them, are no pages.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["TIFF"]) as picture:
            for frame in range(1, _MOST_FRAMES):
                picture.seek(frame)
                if not picture.tag_v2.get(_SUBFILE_TYPE, 0) & _NOT_A_PAGE:
                    return True
    except MemoryError:
        raise
    except Exception:  # the end of the frames, or of what can be read of them
        return False
    return True
