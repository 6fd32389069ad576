"""From the bytes of a file to upright grey pages.

The files come from strangers: they may be cut short, mislabelled, locked or made to exhaust memory. What a file is
gets decided by its content, its size is checked in its header before any pixel is decoded, and whatever goes wrong
inside a decoder leaves this package as a `DecodingError` that names the file and what to do about it.
"""

from segmentation.decoding.documents import count_pages, decode_page
from segmentation.decoding.errors import (
    DecodingError,
    EmptyFile,
    EncryptedPdf,
    NotAnImage,
    PageOutOfRange,
    TooLarge,
    TooSlow,
    TruncatedImage,
    UnsupportedImage,
    ZeroSize,
)
from segmentation.decoding.kinds import FORMATS
from segmentation.decoding.limits import check_bytes
from segmentation.decoding.pages import DecodingSettings, Page, PageRef

__all__ = [
    "DecodingError",
    "DecodingSettings",
    "EmptyFile",
    "EncryptedPdf",
    "FORMATS",
    "NotAnImage",
    "Page",
    "PageOutOfRange",
    "PageRef",
    "TooLarge",
    "TooSlow",
    "TruncatedImage",
    "UnsupportedImage",
    "ZeroSize",
    "check_bytes",
    "count_pages",
    "decode_page",
]
