"""Checks of a page against its document and the settings."""

from __future__ import annotations

from segmentation.decoding.errors import PageOutOfRange, TooLarge, ZeroSize, place, zero_size
from segmentation.decoding.pages import DecodingSettings, PageRef


def check_index(ref: PageRef, pages: int) -> None:
    if not 0 <= ref.page_index < pages:
        raise PageOutOfRange(
            f"{ref.uri}: there is no page with index {ref.page_index}, the document has {pages} (indices count from "
            "0). List the inputs again if the file has changed since."
        )


def check_size(size: tuple[int, int], ref: PageRef, settings: DecodingSettings) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ZeroSize(zero_size(ref))
    if width * height > settings.max_pixels:
        raise TooLarge(
            f"{place(ref)}: {width} x {height} pixels are more than the {settings.max_pixels:,} allowed. Scale the "
            "picture down, or allow more (--max-megapixels) if the file is to be trusted and memory suffices."
        )


def check_bytes(size: int, uri: str, settings: DecodingSettings) -> None:
    """Nothing, for a document that may be read into memory.

    Raises:
        TooLarge: it has more than ``settings.max_bytes``.
    """
    if size > settings.max_bytes:
        raise TooLarge(f"{uri}: {size:,} bytes are more than the {settings.max_bytes:,} allowed. Split the document.")
