"""Pages before and after decoding, and the limits that decoding keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PLAUSIBLE_DPI = (20.0, 3000.0)
"""Resolutions outside are placeholders (1, 0) or mistakes of unit; nobody scans pages at them."""


@dataclass(frozen=True)
class PageRef:
    """A page that may be read.

    Attributes:
        uri: where the document's bytes come from.
        page_index: 0 for a picture, the frame of a TIFF or the page of a PDF, from 0.
    """

    uri: str
    page_index: int


@dataclass(frozen=True)
class Page:
    """A decoded page.

    Attributes:
        ref: which page of which document.
        gray: uint8 (height, width), upright, 0 black … 255 white.
        source_sha256: hexadecimal checksum of the document's bytes.
        dpi: resolution that the file states, or that a PDF page was rendered at; None when not stated, implausible
            or not the same in both directions.
        rotation: 0, 90, 180 or 270 degrees clockwise by which the stored picture was turned. A mirrored picture
            was mirrored left to right first.
        colours: uint8 (height, width, 3), blue, green and red of sRGB; None where the page has none, or was not asked
            for them.
    """

    ref: PageRef
    gray: np.ndarray
    source_sha256: str
    dpi: float | None
    rotation: int
    colours: np.ndarray | None = None


@dataclass(frozen=True)
class DecodingSettings:
    """Limits of decoding.

    Attributes:
        pdf_dpi: resolution at which PDF pages are rendered, 20 … 3000; lowered for pages above ``max_pixels``.
        max_pixels: most pixels of a page. The default holds an A2 sheet at 500 dpi, and costs 0.5 GB in colour.
        max_pages: most pages of a document.
        max_bytes: most bytes of a document; all of them are held in memory while a page of it is read.
        pdf_seconds: most processor time for a page of a PDF. A scanned page takes less than a second, the densest
            drawings some.

    Raises:
        ValueError: a setting is not a whole number in its range.
    """

    pdf_dpi: int = 300
    max_pixels: int = 120_000_000
    max_pages: int = 10_000
    max_bytes: int = 2 * 2**30
    pdf_seconds: int = 30

    def __post_init__(self) -> None:
        lowest, highest = PLAUSIBLE_DPI
        if not isinstance(self.pdf_dpi, int) or not lowest <= self.pdf_dpi <= highest:
            raise ValueError(f"pdf_dpi must be a whole number from {lowest:.0f} to {highest:.0f}, got {self.pdf_dpi!r}")
        for name in ("max_pixels", "max_pages", "max_bytes", "pdf_seconds"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive whole number, got {value!r}")
