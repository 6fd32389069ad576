"""Files of this machine that are still there, and whole, when its power fails a moment later."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from htr_model.whole_files import write_whole
from pipelines.files import is_local, write_bytes

_NOT_KNOWN = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)
"""What file systems say that cannot be told to do so, as some of other machines and for folders; SMB refuses it for
files that are opened to be read."""


def make_last(*uris: str) -> None:
    """Bring local files, or folders' lists of names, and their own names to the disk, each once; stores of objects do
    so themselves."""
    for path in dict.fromkeys(path for uri in uris if is_local(uri) for path in (uri, os.path.dirname(uri))):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in _NOT_KNOWN:
                raise
        finally:
            os.close(handle)


def write_lasting(uri: str, data: bytes) -> None:
    """Write a file whole, as `write_bytes` does: its content is on the disk before its name is.

    Raises:
        OSError: it cannot be written.
    """
    if not is_local(uri):
        write_bytes(uri, data)
        return
    path = Path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, data)
    make_last(uri)
