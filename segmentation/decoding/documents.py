"""From the bytes of a file of any format to its pages."""

from __future__ import annotations

import hashlib

import cv2

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


def decode_page(
    data: bytes, ref: PageRef, settings: DecodingSettings, sha256: str | None = None, in_colour: bool = False
) -> Page:
    """The page ``ref`` of the document whose bytes are ``data``.

    Transparent parts come out as white paper; of an animation the first picture is taken; 16-bit and floating-point
    pictures are scaled to 0 … 255.

    Args:
        sha256: of the bytes, where it is known. A PDF of which it is told stays open for its other pages.
        in_colour: also with its colours; takes three times the memory.

    Raises:
        DecodingError: the page cannot be read; which subclass says why.
        MemoryError, OSError: of the machine, which lacks memory, or cannot start the process that draws PDFs.
    """
    kind = kind_of(data, ref.uri)
    if kind == "PDF":
        pixels, dpi, rotation = decode_pdf_page(data, ref, settings, sha256, in_colour)
    else:
        pixels, dpi, rotation = decode_picture(data, kind, ref, settings, in_colour)
    sha256 = sha256 or hashlib.sha256(data).hexdigest()
    if pixels.ndim == 2:
        return Page(ref, pixels, sha256, dpi, rotation)
    return Page(ref, cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), sha256, dpi, rotation, colours=pixels)
