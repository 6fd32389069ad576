"""Documents of many pages, read once and not for each of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable
from dataclasses import replace

from pipelines.files import read_bytes
from segmentation.decoding import DecodingSettings, Page, PageRef, decode_page
from segmentation.scaling import turned

_MOST_BYTES = 256_000_000
"""Of volumes that are held at a time; a single one may be larger."""


class RecentVolumes:
    """The bytes of the documents of several pages that were asked for last, for all threads of a worker.

    A bound volume of some hundred megabytes would be fetched and summed up again for each of its pages else. Pages of
    several volumes may come in turns: a runner promises no order.
    """

    def __init__(self):
        self._lock = threading.Lock()
        # By address and version, that which was asked for last at the end.
        self._held: dict[Hashable, tuple[bytes, str]] = {}

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
            found = self._held.pop((uri, version), None)
            if found is None:
                self._drop_oldest(0)  # a large one before the next is read: two would need twice the memory
                data = read_bytes(uri)
                found = data, hashlib.sha256(data).hexdigest()
            self._held[uri, version] = found
            self._drop_oldest(1)
            return found

    def _drop_oldest(self, fewest: int) -> None:
        """Let go of what was not asked for longest, as long as there is too much and more than ``fewest`` of them."""
        while len(self._held) > fewest and sum(len(data) for data, _ in self._held.values()) > _MOST_BYTES:
            del self._held[next(iter(self._held))]


def upright_page(
    ref: PageRef,
    pages: int,
    rotation: int,
    settings: DecodingSettings,
    volumes: RecentVolumes,
    in_colour: bool = False,
    version: Hashable = None,
) -> Page:
    """A page read again, turned as the pages table says that it was.

    Args:
        pages: its ``document_pages``, 0 where that is not known.
        rotation: its ``rotation_degrees``.
        in_colour: also with its colours.
        version: of its document, as for `RecentVolumes.content`.

    Raises:
        OSError, DecodingError: it can no longer be read.
    """
    data, sha256 = volumes.content(ref.uri, pages, version)
    page = decode_page(data, ref, settings, sha256, in_colour)
    turn = rotation - page.rotation
    colours = None if page.colours is None else turned(page.colours, turn)
    return replace(page, gray=turned(page.gray, turn), colours=colours, rotation=rotation)
