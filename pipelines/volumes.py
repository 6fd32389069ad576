"""Documents of many pages, read once and not for each of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Hashable

from pipelines.files import read_bytes


class LastVolume:
    """The bytes of the document of several pages that was asked for last, for all threads of a worker.

    A bound volume of some hundred megabytes would be fetched and summed up again for each of its pages else.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._held: tuple[Hashable, bytes, str] | None = None

    def content(self, uri: str, pages: int | None = None, version: Hashable = None) -> tuple[bytes, str | None]:
        """A document's bytes, and their SHA-256 where that is known.

        Args:
            pages: of the document; the bytes of one with a single page are not kept. None where that is not known.
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
