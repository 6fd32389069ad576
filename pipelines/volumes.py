"""Documents of many pages, read once and not for each of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable
from dataclasses import replace

from pipelines.files import read_bytes
from segmentation.decoding import DecodingSettings, Page, PageRef, decode_page
from segmentation.ink.preparation import turned


class LastVolume:
    """The bytes of the document of several pages that was asked for last, for all threads of a worker.

    A bound volume of some hundred megabytes would be fetched and summed up again for each of its pages else.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._held: tuple[Hashable, bytes, str] | None = None

    def content(self, uri: str, pages: int, version: Hashable = None) -> tuple[bytes, str | None]:
        """A document's bytes, and their SHA-256 where that is known.

        Args:
            pages: of the document; the bytes of one with a single page are not kept.
            version: is another one when the document was changed.

        Raises:
            OSError: it cannot be read.
        """
        if pages == 1:
            return read_bytes(uri), None
        with self._lock:
            if self._held is None or self._held[0] != (uri, version):
                self._held = None  # before the next one is read: two would need twice the memory
                data = read_bytes(uri)
                self._held = (uri, version), data, hashlib.sha256(data).hexdigest()
            return self._held[1:]


def upright_page(
    ref: PageRef,
    pages: int,
    rotation: int,
    settings: DecodingSettings,
    volume: LastVolume,
    in_colour: bool = False,
) -> Page:
    """A page read again, turned as the pages table says that it was.

    Args:
        pages: its ``document_pages``, 0 where that is not known.
        rotation: its ``rotation_degrees``.
        in_colour: also with its colours.

    Raises:
        OSError, DecodingError: it can no longer be read.
    """
    data, sha256 = volume.content(ref.uri, pages)
    page = decode_page(data, ref, settings, sha256, in_colour)
    turn = rotation - page.rotation
    colours = None if page.colours is None else turned(page.colours, turn)
    return replace(page, gray=turned(page.gray, turn), colours=colours, rotation=rotation)
