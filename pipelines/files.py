"""Small file operations on any of Beam's file systems."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions, S3Options

from htr_model.printable import printable
from htr_model.whole_files import sync, written_aside
from pipelines import s3_clients


def configure(beam_options: list[str]) -> None:
    """Give Beam's file systems their options (regions, endpoints). S3 opens nothing before; a pipeline does it late."""
    s3_clients.share()
    FileSystems.set_options(PipelineOptions(beam_options))


def is_local(uri: str) -> bool:
    """Whether a path is one of this machine's: it has no scheme such as gs://."""
    return "://" not in uri


def absolute(uri: str) -> str:
    """The same place, independent of the working directory."""
    return os.path.abspath(os.path.expanduser(uri)) if is_local(uri) else uri.rstrip("/")


def safe_name(name: str) -> str:
    """A name that any file may have: all but letters, digits, ``.``, ``_`` and ``-`` becomes ``_``."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in name)


def page_stem(uri: str, page_index: int, document_pages: int) -> str:
    """Name of files about a page, without an ending: its document's name, a hash of the document's whole path that
    keeps equal names apart, and the page. It stays the same when the document changes, unless that turns from one page
    into several or back.

    Args:
        document_pages: number of pages of the document; the page is named where there are several.
    """
    safe = safe_name(uri.rstrip("/").rsplit("/", 1)[-1])[:80]
    # File systems count bytes: 255, of which endings need some.
    safe = safe.encode("utf-8", "replace")[:150].decode("utf-8", "ignore")
    path = hashlib.sha256(printable(uri).encode()).hexdigest()[:8]
    return f"{safe}-{path}" + (f"-page{page_index + 1}" if document_pages > 1 else "")


def join(folder: str, *names: str) -> str:
    """Path of something in a folder."""
    return FileSystems.join(folder, *names)


_EXTRAS = {"gs": "gcp", "s3": "aws"}
"""What inkbeam is installed with for a store."""


def check_store(uri: str) -> None:
    """Nothing, for a place on this machine or in a store whose client is installed and has credentials.

    Raises:
        OSError: it is neither; says what to do.
    """
    scheme = uri.partition("://")[0].lower()
    try:
        FileSystems.get_filesystem(uri)
        # Beam knows S3 without its client too, and then fails late.
        installed = scheme != "s3" or importlib.util.find_spec("boto3") is not None
    except ValueError:
        installed = False
    if installed:
        if scheme == "s3":
            _check_credentials()
        return
    if scheme in _EXTRAS:
        raise OSError(f"{scheme}:// needs pip install '.[{_EXTRAS[scheme]}]'")
    if scheme in ("http", "https"):
        raise OSError("files of the web are not read; download them first")
    raise OSError(f"there is no store {scheme}://; expected gs://, s3:// or a path of this machine")


@functools.cache  # of what it returns, not of what it raises
def _check_credentials() -> None:
    """Nothing, where S3's client finds credentials: without any, Beam tries each request for minutes.

    Raises:
        OSError: there are none.
    """
    from boto3.session import Session

    # Workers are not told them here, and the command that started them has looked.
    options = FileSystems._pipeline_options
    if options is None or options.view_as(S3Options).s3_access_key_id:
        return
    if Session().get_credentials() is None:
        raise OSError(
            "there are no credentials for s3://; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        )


@contextmanager
def _failing_alike(uri: str) -> Iterator[None]:
    """Whatever the client of an object store raises inside becomes an OSError that names the place."""
    try:
        check_store(uri)
        yield
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        if error.strerror is None or (missing and not is_local(uri)):
            raise
        reason = error.strerror
        if missing:
            reason = "a link that leads nowhere" if os.path.islink(uri) else "no such file"
        named = type(error)(f"{uri}: {reason}")
        named.errno = error.errno
        raise named from error
    except Exception as error:
        raise OSError(f"{uri}: {error}") from error


_AS_STORED = {"mime_type": "application/octet-stream", "compression_type": "uncompressed"}
"""How Beam opens files: without this it unpacks what is called .gz."""


def opened(uri: str) -> BinaryIO:
    """A file to be read, as stored."""
    if is_local(uri):
        return open(uri, "rb")
    s3_clients.share()
    return FileSystems.open(uri, **_AS_STORED)


def created(uri: str) -> BinaryIO:
    """A new file to be written; on a local disk its folder is made where it is missing.

    An object store shows it when it is closed.
    """
    if is_local(uri):
        Path(uri).parent.mkdir(parents=True, exist_ok=True)
    else:
        s3_clients.share()
    return FileSystems.create(uri, **_AS_STORED)


def read_bytes(uri: str, most: int = -1) -> bytes:
    """Content of a file, as stored.

    Args:
        most: bytes to read; the whole file for -1.

    Raises:
        OSError: it cannot be read.
    """
    with _failing_alike(uri), opened(uri) as file:
        return file.read(most)


def write_bytes(uri: str, data: bytes, lasting: bool = False) -> None:
    """Write a file whole: under another name first, then moved into place.

    Args:
        lasting: a local file is on the disk, content and name, before this returns; stores of objects do so themselves.

    Raises:
        OSError: it cannot be written.
    """
    if not is_local(uri):
        with _failing_alike(uri), created(uri) as file:
            file.write(data)
        return
    path = Path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_aside(path, lasting) as partial:
        partial.write_bytes(data)


def make_last(*uris: str) -> None:
    """Bring local files to the disk, content and name, and folders, their lists of names and own name, each once;
    stores of objects do so themselves.

    Raises:
        OSError: one did not get there.
    """
    for path in dict.fromkeys(path for uri in uris if is_local(uri) for path in (uri, os.path.dirname(uri))):
        sync(Path(path))


def exists(uri: str) -> bool:
    """Whether there is a file of this name.

    Raises:
        OSError: the place cannot be asked.
    """
    if is_local(uri):
        return os.path.exists(uri)
    with _failing_alike(uri):
        return FileSystems.exists(uri)


def matching(pattern: str) -> list:
    """Beam's metadata (path, size_in_bytes, last_updated_in_seconds) of the files that match; empty for none."""
    return FileSystems.match([pattern])[0].metadata_list


def metadata(uri: str):
    """Beam's metadata (path, size_in_bytes, last_updated_in_seconds) of one file, its name taken as it is.

    Raises:
        OSError: it cannot be read.
    """
    with _failing_alike(uri):
        return FileSystems.get_filesystem(uri).metadata(uri)


def delete(uris: list[str]) -> None:
    """Remove files, or folders with all that is in them; those already gone are no error."""
    present = []
    for uri in uris:
        if not is_local(uri):
            # Object stores have no folders, only names that begin alike: asked for a folder, they say there is none.
            present += [m.path for m in matching(f"{uri}/**")]
        if FileSystems.exists(uri):
            present.append(uri)
    if present:
        FileSystems.delete(present)
