"""Files that are there whole or as they were before, and on the disk before its power fails."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOT_KNOWN = (errno.EINVAL, errno.ENOTSUP, errno.EACCES)
"""What file systems say that cannot be told to do so, as some of other machines and for folders; SMB refuses it for
files that are opened to be read."""


def sync(path: Path) -> None:
    """Bring a file, or a folder's list of names, to the disk; nothing where the file system cannot be told to do so.

    Raises:
        OSError: it did not get there.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _NOT_KNOWN:
            raise


@contextmanager
def written_aside(path: Path, lasting: bool = True) -> Iterator[Path]:
    """Another name beside ``path``; what the block writes there takes its place when the block ends.

    When the block fails, or leaves no file there, ``path`` stays as it was. Nothing remains under the other name.

    Args:
        lasting: the content is on the disk before its name is, and that when the block is left, which takes a moment.
            Else a machine whose power fails may keep the new name and not what it stands for.

    Raises:
        OSError: the file cannot be put in its place.
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
    try:
        yield partial
        if partial.exists():
            if lasting:
                with open(partial, "rb+") as file:
                    os.fsync(file.fileno())
            partial.replace(path)
            if lasting:
                sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under another name first, then move it into place.

    Raises:
        OSError: it cannot be written.
    """
    with written_aside(path) as partial:
        partial.write_bytes(data)
