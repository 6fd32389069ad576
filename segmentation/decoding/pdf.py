"""The pages of a PDF, rendered with pdfium."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from segmentation.decoding.errors import (
    EncryptedPdf,
    TooLarge,
    TooSlow,
    TruncatedImage,
    ZeroSize,
    damaged,
    place,
    too_many_pages,
    zero_size,
)
from segmentation.decoding.limits import check_index
from segmentation.decoding.pages import DecodingSettings, PageRef
from segmentation.decoding.pixels import gray_unless_coloured
from segmentation.decoding.rendering.process import Broken, OutOfTime, Refused, Renderer, borrowed

_END_MARK_REACH = 4096
"""The end mark of a PDF is looked for in its last bytes, so many of them: where pdfium looks too, more than the 1024
that Acrobat asks."""

T = TypeVar("T")


def count_pdf_pages(data: bytes, uri: str, settings: DecodingSettings) -> int:
    """Number of pages of a PDF. Renders none."""
    return _within_limits(lambda renderer: _open(renderer, data, uri, settings, None), PageRef(uri, 0), settings, None)


def decode_pdf_page(
    data: bytes, ref: PageRef, settings: DecodingSettings, sha256: str | None, in_colour: bool
) -> tuple[np.ndarray, float, int]:
    """Grey pixels, or those of `gray_unless_coloured`, dpi and rotation of one page of a PDF.

    Args:
        sha256: of the bytes, where it is known: then the file is opened once for its pages.
    """

    def draw(renderer: Renderer) -> tuple[np.ndarray, float, int]:
        check_index(ref, _open(renderer, data, ref.uri, settings, sha256))
        return _draw(renderer, ref, settings, in_colour)

    return _within_limits(draw, ref, settings, sha256)


def _within_limits(work: Callable[[Renderer], T], ref: PageRef, settings: DecodingSettings, sha256: str | None) -> T:
    """What ``work`` gives, done by a process that is ended when it takes too long."""
    try:
        try:
            with borrowed(sha256) as renderer:
                return work(renderer)
        except Broken:
            # An earlier document may have done it: this one is held to be guilty only if it breaks another process.
            with borrowed(fresh=True) as renderer:
                return work(renderer)
    except OutOfTime as error:
        raise TooSlow(
            f"{place(ref)}: to draw the page took more than the {settings.pdf_seconds} seconds of processor time "
            "allowed. Save the PDF's pages as pictures."
        ) from error
    except Refused as error:
        if error.locked:
            raise EncryptedPdf(f"{ref.uri}: the PDF asks for a password. Save it without one.") from error
        raise TruncatedImage(damaged(ref, "PDF", str(error))) from error
    except Broken as error:
        raise TruncatedImage(damaged(ref, "PDF", str(error))) from error


def _open(renderer: Renderer, data: bytes, uri: str, settings: DecodingSettings, sha256: str | None) -> int:
    """Number of pages of a PDF, which the renderer holds afterwards."""
    if not renderer.holds(sha256) and b"%%EOF" not in data.rstrip(b"\0\r\n\t ")[-_END_MARK_REACH:]:
        # pdfium repairs what it can and would silently show a part of the pages, or half of one.
        raise TruncatedImage(damaged(PageRef(uri, 0), "PDF", "it has no end mark"))
    pages = renderer.open(data, sha256, settings.pdf_seconds)
    if pages > settings.max_pages:
        raise TooLarge(too_many_pages(uri, settings))
    return pages


def _draw(
    renderer: Renderer, ref: PageRef, settings: DecodingSettings, in_colour: bool
) -> tuple[np.ndarray, float, int]:
    page, _ = renderer.ask("measure", page=ref.page_index)
    scale = _scale(page["size"], ref, settings)
    shape, pixels = renderer.ask("draw", page=ref.page_index, scale=scale, gray=not in_colour)
    rows = np.frombuffer(pixels, np.uint8).reshape(shape["height"], shape["stride"])
    drawn = rows[:, : shape["width"] * shape["n_channels"]].copy()
    if in_colour:
        drawn = gray_unless_coloured(drawn.reshape(shape["height"], shape["width"], shape["n_channels"]))
    return drawn, round(scale * 72, 2), page["rotation"]


def _scale(size: tuple[float, float], ref: PageRef, settings: DecodingSettings) -> float:
    """Pixels per point (1/72 inch) of a page: those of ``pdf_dpi``, or so few that ``max_pixels`` holds."""
    width, height = size
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise ZeroSize(zero_size(ref))
    scale = min(settings.pdf_dpi / 72, math.sqrt(settings.max_pixels / width / height))
    while math.ceil(width * scale) * math.ceil(height * scale) > settings.max_pixels:
        scale *= 0.999  # Sides are rounded up to whole pixels.
    return scale
