"""What can be wrong with a file or a page: the exceptions, and the messages that several modules give."""

from __future__ import annotations

from segmentation.decoding.pages import DecodingSettings, PageRef


class DecodingError(Exception):
    """A file or a page that cannot be read. The message names the file, what is wrong and what to do."""


class EmptyFile(DecodingError):
    """The file holds no bytes."""


class NotAnImage(DecodingError):
    """The content is none of the formats that are read."""


class UnsupportedImage(DecodingError):
    """A known format in a variant (bits, channels, compression) that is not read."""


class TruncatedImage(DecodingError):
    """The file is cut short or damaged, so that the page cannot be decoded whole."""


class EncryptedPdf(DecodingError):
    """The PDF asks for a password."""


class ZeroSize(DecodingError):
    """The page has no width or no height."""


class TooLarge(DecodingError):
    """The page has more pixels, or the document more pages, than the settings allow."""


class TooSlow(DecodingError):
    """A page of a PDF takes more processor time to draw than the settings allow."""


class PageOutOfRange(DecodingError):
    """The document has no page of that index."""


def unsupported(ref: PageRef, kind: str, reason: str) -> str:
    return f"{place(ref)}: this variant of {kind} is not read ({reason}). Save it anew as 8-bit grey or RGB."


def damaged(ref: PageRef, kind: str, reason: str) -> str:
    return f"{place(ref)}: the {kind} is cut short or damaged ({reason}). Copy or scan it again."


def zero_size(ref: PageRef) -> str:
    return f"{place(ref)}: the picture has no width or no height. Scan it again, or leave it out of the inputs."


def too_many_pages(uri: str, settings: DecodingSettings) -> str:
    return f"{uri}: the document has more than the {settings.max_pages:,} pages allowed. Split it."


def place(ref: PageRef) -> str:
    """The page as messages name it: its document, and its number from 1 unless it is the first."""
    return f"{ref.uri} (page {ref.page_index + 1})" if ref.page_index else ref.uri
