"""Files of this machine that are still there, and whole, when its power fails a moment later."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from pipelines.files import is_local, write_bytes

_NOT_KNOWN = (errno.EINVAL, errno.ENOTSUP)
"""What file systems say that cannot be told to do so, as some of other machines and for folders."""


def make_last(uri: str) -> None:
    """Bring a local file, or a folder's list of names, and its own name to the disk; stores of objects do so
    themselves."""
    if is_local(uri):
        for path in (uri, os.path.dirname(uri)):
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
    partial = path.with_name(f".{path.name}.{os.getpid()}.lasting")
    try:
        write_bytes(str(partial), data)
        make_last(str(partial))
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    make_last(uri)
