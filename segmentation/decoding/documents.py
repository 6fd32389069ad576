"""From the bytes of a file of any format to its pages."""

from __future__ import annotations

import hashlib

from segmentation.decoding.kinds import kind_of
from segmentation.decoding.pages import DecodingSettings, Page, PageRef
from segmentation.decoding.pdf import count_pdf_pages, decode_pdf_page
from segmentation.decoding.pictures import decode_picture
from segmentation.decoding.tiff import page_offsets


def count_pages(data: bytes, uri: str, settings: DecodingSettings) -> int:
    """Number of pages of a document: frames of a TIFF, pages of a PDF, otherwise 1. Decodes no pixels.

    Reduced copies and masks among a TIFF's frames (pyramids, thumbnails) are not pages. A TIFF whose list of frames
    breaks off counts one page more than can be read, so that the loss shows when that page is decoded.

    Raises:
        DecodingError: the file is empty, of no known format, cut short, locked, or has too many pages.
    """
    kind = kind_of(data, uri)
    if kind == "TIFF":
        return len(page_offsets(data, uri, settings))
    if kind == "PDF":
        return count_pdf_pages(data, uri, settings)
    return 1


def decode_page(data: bytes, ref: PageRef, settings: DecodingSettings, sha256: str | None = None) -> Page:
    """The page ``ref`` of the document whose bytes are ``data``.

    Transparent parts come out as white paper; of an animation the first picture is taken; 16-bit and floating-point
    pictures are scaled to 0 … 255.

    Args:
        sha256: of the bytes, where it is known.

    Raises:
        DecodingError: the page cannot be read; which subclass says why. Nothing else is raised but MemoryError.
    """
    kind = kind_of(data, ref.uri)
    if kind == "PDF":
        gray, dpi, rotation = decode_pdf_page(data, ref, settings)
    else:
        gray, dpi, rotation = decode_picture(data, kind, ref, settings)
    return Page(ref, gray, sha256 or hashlib.sha256(data).hexdigest(), dpi, rotation)
