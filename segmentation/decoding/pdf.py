"""The pages of a PDF, rendered with pdfium."""

from __future__ import annotations

import math
import threading
from contextlib import closing

import pypdfium2
import pypdfium2.raw as pdfium

from segmentation.decoding.errors import (
    DecodingError,
    EncryptedPdf,
    TooLarge,
    TruncatedImage,
    ZeroSize,
    damaged,
    too_many_pages,
    zero_size,
)
from segmentation.decoding.limits import check_index
from segmentation.decoding.pages import DecodingSettings, PageRef

_END_MARK_REACH = 4096
"""The end mark of a PDF lies in so many last bytes: where pdfium looks too, more than the 1024 that Acrobat asks."""

_LOCK = threading.Lock()
"""pdfium may be called by one thread of a process at a time."""


def count_pdf_pages(data: bytes, uri: str, settings: DecodingSettings) -> int:
    """Number of pages of a PDF. Renders none."""
    with _LOCK, _open(data, uri) as document:
        return _page_count(document, uri, settings)


def decode_pdf_page(data: bytes, ref: PageRef, settings: DecodingSettings) -> tuple:
    """Grey pixels, dpi and rotation of one page of a PDF."""
    with _LOCK, _open(data, ref.uri) as document:
        check_index(ref, _page_count(document, ref.uri, settings))
        try:
            with closing(document[ref.page_index]) as page:
                scale = _scale(page.get_size(), ref, settings)
                with closing(page.render(scale=scale, grayscale=True)) as bitmap:
                    gray = bitmap.to_numpy().copy()  # The bitmap's memory goes when it is closed.
                return gray, round(scale * 72, 2), page.get_rotation()
        except (DecodingError, MemoryError):
            raise
        except Exception as error:
            raise TruncatedImage(damaged(ref, "PDF", str(error))) from error


def _open(data: bytes, uri: str) -> pypdfium2.PdfDocument:
    """The PDF, to be used and closed under `_LOCK`."""
    ref = PageRef(uri, 0)
    if b"%%EOF" not in data.rstrip(b"\0\r\n\t ")[-_END_MARK_REACH:]:
        # pdfium repairs what it can and would silently show a part of the pages, or half of one.
        raise TruncatedImage(damaged(ref, "PDF", "it has no end mark"))
    try:
        return pypdfium2.PdfDocument(data)
    except MemoryError:
        raise
    except Exception as error:
        if getattr(error, "err_code", None) in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise EncryptedPdf(f"{uri}: the PDF asks for a password. Save it without one.") from error
        raise TruncatedImage(damaged(ref, "PDF", str(error))) from error


def _page_count(document: pypdfium2.PdfDocument, uri: str, settings: DecodingSettings) -> int:
    pages = len(document)
    if pages > settings.max_pages:
        raise TooLarge(too_many_pages(uri, settings))
    return pages


def _scale(size: tuple[float, float], ref: PageRef, settings: DecodingSettings) -> float:
    """Pixels per point (1/72 inch) of a page: those of ``pdf_dpi``, or so few that ``max_pixels`` holds."""
    width, height = size
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise ZeroSize(zero_size(ref))
    scale = min(settings.pdf_dpi / 72, math.sqrt(settings.max_pixels / width / height))
    while math.ceil(width * scale) * math.ceil(height * scale) > settings.max_pixels:
        scale *= 0.999  # Sides are rounded up to whole pixels.
    return scale
