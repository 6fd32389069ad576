"""Which documents a job reads."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from pipelines.files import absolute, is_local, matching, read_bytes
from pipelines.options import UsageError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".jp2", ".j2k", ".tif", ".tiff", ".pdf")
"""What counts as a scan in a folder. A file that is named itself is read whatever it is called."""


@dataclass(frozen=True)
class Document:
    """A file that holds one page or more.

    Attributes:
        uri: absolute path or URI.
        size: bytes.
        modified: seconds since 1970, UTC; None where the file system does not tell.
        done: indices of pages that a committed run holds already.
    """

    uri: str
    size: int
    modified: float | None
    done: frozenset[int] = frozenset()

    def fingerprint(self) -> tuple[str, int, float | None]:
        """What must be unchanged for a page to count as the same."""
        return self.uri, self.size, self.modified


@dataclass(frozen=True)
class Selection:
    """Documents to read, and how many pages of them are skipped since they are done.

    Attributes:
        documents: with what is left to do.
        done_documents: files of which every page is done.
        done_pages: pages already done, in files left out and in files that are read for their other pages.
    """

    documents: tuple[Document, ...]
    done_documents: int
    done_pages: int


def find(inputs: Iterable[str], input_lists: Iterable[str] = ()) -> list[Document]:
    """Documents under files, folders and patterns, each once, ordered by name.

    Args:
        input_lists: text files with one input a line; empty lines and lines that begin with # are left out.

    Raises:
        UsageError: an input matches nothing or cannot be listed, or a list cannot be read.
    """
    wanted = list(inputs)
    for uri in input_lists:
        try:
            lines = read_bytes(absolute(uri)).decode("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--input-list {uri}: cannot be read as text ({error})") from error
        wanted += [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not wanted:
        raise UsageError("no input given; name files, folders or patterns with --input")
    found: dict[str, Document] = {}
    for uri in wanted:
        try:
            documents = list(_local(uri) if is_local(uri) else _remote(uri))
        except Exception as error:
            raise UsageError(f"--input {uri}: cannot be listed ({error})") from error
        if not documents:
            raise UsageError(
                f"--input {uri}: no such file, or nothing in it to read (in folders: {', '.join(SUFFIXES)})"
            )
        found.update((d.uri, d) for d in documents)
    return [found[uri] for uri in sorted(found)]


def _local(uri: str) -> Iterator[Document]:
    path = absolute(uri)
    if os.path.isdir(path):
        for folder, subfolders, names in os.walk(path):
            subfolders[:] = sorted(s for s in subfolders if not s.startswith("."))
            for name in names:
                if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                    yield from _local_file(os.path.join(folder, name))
    elif os.path.lexists(path):
        yield from _local_file(path)
    else:
        # As a shell does it: Beam's own matching takes hidden files too, and walks whole trees for them.
        for match in glob.iglob(path, recursive=True):
            yield from _local_file(match)


def _local_file(path: str) -> Iterator[Document]:
    try:
        status = os.stat(path)
    except OSError:
        # A dangling link, or a file that vanished since it was listed: reading it will say so for this file alone.
        yield Document(path, 0, None)
        return
    if os.path.isfile(path):
        yield Document(path, status.st_size, round(status.st_mtime, 6))


def _remote(uri: str) -> Iterator[Document]:
    exact = matching(uri) if not uri.endswith("/") else []
    in_folder = [] if exact else [m for m in matching(uri.rstrip("/") + "/**") if m.path.lower().endswith(SUFFIXES)]
    for metadata in exact or in_folder:
        yield Document(metadata.path, metadata.size_in_bytes, metadata.last_updated_in_seconds or None)


def select(documents: list[Document], done: dict[tuple, dict[int, int]], existing: str) -> Selection:
    """What is left to read.

    Args:
        done: fingerprint of a document → index of each page that is done → number of pages of the document.
        existing: ``skip`` leaves done pages out, ``redo`` reads them again, ``abort`` refuses.

    Raises:
        UsageError: ``existing`` is ``abort`` and a page is done.
    """
    if existing == "redo":
        return Selection(tuple(documents), 0, 0)
    left, whole, pages = [], 0, 0
    for document in documents:
        indices = done.get(document.fingerprint(), {})
        if indices and existing == "abort":
            raise UsageError(
                f"{document.uri} was read by an earlier run, and --existing abort was given; "
                "use --existing skip to read only what is new, or redo to read it again"
            )
        pages += len(indices)
        if indices and len(indices) >= max(indices.values()):
            whole += 1
        else:
            left.append(replace(document, done=frozenset(indices)))
    return Selection(tuple(left), whole, pages)
