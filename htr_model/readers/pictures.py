"""Encoded pictures of training data, decoded as pages are: what the network learns from is what it will see."""

from __future__ import annotations

import numpy as np

from segmentation.decoding import (
    DecodingError,
    DecodingSettings,
    PageRef,
    TooLarge,
    UnsupportedImage,
    count_pages,
    decode_page,
)

_NAME = "picture"
"""What decoding calls a picture in its messages, which tell samples by their ids."""


def decode_gray(data: bytes) -> np.ndarray:
    """Grey pixels of an encoded picture, of a TIFF's first page: uint8 (h, w), upright.

    Raises:
        ValueError: not a picture that can be decoded, or one of too many pixels.
    """
    try:
        return decode_page(data, PageRef(_NAME, 0), DecodingSettings()).gray
    except (TooLarge, UnsupportedImage) as error:
        raise ValueError(str(error).removeprefix(f"{_NAME}: ")) from error
    except DecodingError as error:
        raise ValueError("not a readable picture") from error


def has_more_pages(data: bytes) -> bool:
    """Whether an encoded picture is a document of several pages, of which `decode_gray` gives the first."""
    try:
        return count_pages(data, _NAME, DecodingSettings()) > 1
    except DecodingError:  # which decoding it will tell
        return False
