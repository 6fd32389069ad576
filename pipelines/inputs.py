"""Which documents a job reads."""

from __future__ import annotations

import fnmatch
import glob
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.filesystems import FileSystems

from pipelines.errors import UsageError
from pipelines.files import absolute, check_store, is_local, matching, metadata, read_bytes

SUFFIXES = (
    *(".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".heic", ".heif", ".hif", ".bmp", ".jp2", ".j2k"),
    *(".tif", ".tiff", ".pdf"),
)
"""What counts as a scan in a folder. A file that is named itself is read whatever it is called."""
_UNREAD = (".gif", ".djvu")
"""Scans in formats that are not read: they fail by name, so that nobody takes them for done."""


@dataclass(frozen=True, slots=True)
class Document:
    """A file that holds one page or more.

    Attributes:
        uri: absolute path or URI.
        size: bytes.
        modified: seconds since 1970, UTC; None where the file system does not tell.
        left_out: indices of pages that are not to be read: a committed run holds them, or they are set aside.
        failed: runs in a row that failed so far, by page; page None stands for the document itself.
    """

    uri: str
    size: int
    modified: float | None
    left_out: frozenset[int] = frozenset()
    failed: tuple[tuple[int | None, int], ...] = ()

    def fingerprint(self) -> tuple[str, int, float | None]:
        """What must be unchanged for a page to count as the same."""
        return self.uri, self.size, self.modified

    def attempt(self, page_index: int | None) -> int:
        """Which attempt at a page this is, counted from 1."""
        return 1 + dict(self.failed).get(page_index, 0)


def listed(input_lists: Iterable[str]) -> list[str]:
    """Inputs in text files, one a line; empty lines and lines that begin with # are left out.

    Raises:
        UsageError: a list cannot be read.
    """
    inputs: list[str] = []
    for uri in input_lists:
        try:
            text = read_bytes(absolute(uri)).decode("utf-8-sig")
        except Exception as error:  # of whatever kind the file system's client has
            raise UsageError(f"--input-list {uri}: cannot be read as text ({error})") from error
        lines = (line.strip() for line in text.splitlines())
        inputs += [line for line in lines if line and not line.startswith("#")]
    return inputs


def find(inputs: Iterable[str], literally: bool = False) -> list[Document]:
    """Documents under files, folders and patterns, each once, ordered by name. Linked folders are not followed.

    Args:
        literally: no name is a pattern, as those that a run recorded: one of a file that is gone may look like one.

    Raises:
        UsageError: there is no input, or one matches nothing or cannot be listed.
    """
    wanted = list(inputs)
    if not wanted:
        raise UsageError("no input given; name files, folders or patterns with --input")
    found: dict[str, Document] = {}
    for uri in wanted:
        try:
            documents = list(_local(uri, literally) if is_local(uri) else _remote(uri, literally))
        except Exception as error:
            raise UsageError(f"{uri}: cannot be listed ({error})") from error
        if not documents:
            folder = is_local(uri) and os.path.isdir(absolute(uri))
            what = f"the folder holds nothing to read ({', '.join(SUFFIXES)})" if folder else "no such file or folder"
            raise UsageError(f"{uri}: {what}")
        found.update((d.uri, d) for d in documents)
    return [found[uri] for uri in sorted(found)]


@dataclass(frozen=True)
class PassedOver:
    """What a job leaves aside in folders of this machine.

    Attributes:
        endings: how many files that are no scans by their names have each ending, in small letters.
        links: linked folders, which are not followed.
    """

    endings: Counter[str]
    links: tuple[str, ...]


def passed_over(inputs: Iterable[str]) -> PassedOver:
    """What is left aside in those of the inputs that are folders."""
    endings: Counter[str] = Counter()
    links: list[str] = []
    for folder in (absolute(uri) for uri in inputs if is_local(uri)):
        if os.path.isdir(folder):
            names = (name for _, name in _files_below(folder, tell_link=links.append))
            endings.update(os.path.splitext(name)[1].lower() for name in names if not _is_scan(name))
    return PassedOver(endings, tuple(links))


def _is_scan(name: str) -> bool:
    return name.lower().endswith(SUFFIXES + _UNREAD)


def _files_below(
    path: str, tell_unlisted: Callable[[OSError], None] | None = None, tell_link: Callable[[str], None] | None = None
) -> Iterator[tuple[str, str]]:
    """Folder and name of the files below a folder that are not hidden.

    Args:
        tell_unlisted: told why a folder cannot be listed.
        tell_link: told of each linked folder.
    """
    for folder, subfolders, names in os.walk(path, onerror=tell_unlisted):
        subfolders[:] = sorted(s for s in subfolders if not s.startswith("."))
        if tell_link is not None:
            for place in (os.path.join(folder, s) for s in subfolders):
                if os.path.islink(place):
                    tell_link(place)
        yield from ((folder, name) for name in names if not name.startswith("."))


def _local(uri: str, literally: bool) -> Iterator[Document]:
    path = absolute(uri)
    if os.path.isdir(path):
        unlisted: list[OSError] = []
        for folder, name in _files_below(path, unlisted.append):
            if _is_scan(name):
                yield from _local_file(os.path.join(folder, name))
        # Reading the folder will fail and say why.
        yield from (Document(error.filename, 0, None) for error in unlisted)
    elif os.path.lexists(path):
        yield from _local_file(path)
    elif not literally:
        for match in _matches(path):
            yield from _local_file(match)


def _matches(pattern: str) -> Iterator[str]:
    """Paths that fit a pattern as a shell finds them: Beam's own matching takes hidden files too, and walks whole trees
    for them. As in folders, ** does not follow links, which may lead round in circles.
    """
    above, across, below = f"{pattern}/".partition("/**/")
    if not across:
        yield from glob.iglob(pattern)
        return
    for folder in glob.iglob(above or "/"):
        for match in Path(folder).glob(f"**/{below.rstrip('/') or '*'}"):
            if not any(part.startswith(".") for part in match.relative_to(folder).parts):
                yield str(match)


def _local_file(path: str) -> Iterator[Document]:
    try:
        status = os.stat(path)
    except OSError:
        # A dangling link, or a file that vanished since it was listed: reading it will say so for this file alone.
        yield Document(path, 0, None)
        return
    if os.path.isfile(path):
        yield Document(path, status.st_size, _datable(round(status.st_mtime, 6)))


def _remote(uri: str, literally: bool) -> Iterator[Document]:
    check_store(uri)
    if literally:
        if FileSystems.exists(uri):
            yield _remote_file(metadata(uri))
        return
    bucket_alone = "/" not in uri.split("://", 1)[1]
    named = [] if uri.endswith("/") or bucket_alone else _named(uri)
    in_folder = (
        [] if named else [m for m in matching(uri.rstrip("/") + "/**") if m.path.lower().endswith(SUFFIXES + _UNREAD)]
    )
    for file in named or in_folder:
        if not file.path.endswith("/"):  # what stands for a folder where there are none
            yield _remote_file(file)


def _remote_file(file: FileMetadata) -> Document:
    return Document(file.path, file.size_in_bytes, _whole_seconds(file.last_updated_in_seconds))


def _named(uri: str) -> list:
    # As it stands first: a name with brackets would else be taken for a pattern.
    return [metadata(uri)] if FileSystems.exists(uri) else matching(uri)


def _whole_seconds(modified: float | None) -> float | None:
    """A time as a store tells it whichever way it is asked: some tell fractions in a listing, and none for one file."""
    return _datable(float(int(modified))) if modified else None


_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""Of the years 1 and 9999, which the tables' timestamps can hold."""


def _datable(modified: float) -> float | None:
    """A file's time; None where it is no date, as some archives and file systems leave it."""
    return modified if _FIRST_SECOND <= modified <= _LAST_SECOND else None


def refuse_among_scans(inputs: Iterable[str], documents: Iterable[str], folder: str, option: str) -> None:
    """Refuse a folder for pictures where the next run would take them for scans.

    Args:
        documents: paths or URIs of what is read.
        folder: the folder, as given to ``option``.

    Raises:
        UsageError: the folder lies in a folder that is read, or holds a document that is.
    """
    place = os.path.realpath(folder) if is_local(folder) else folder
    places = tuple(f"{p.rstrip('/')}/" for p in {place, absolute(folder)})
    advice = "the next run would read the pictures as scans; choose a folder outside of what is read"
    for uri in inputs:
        # A pattern with ** reads the whole folder before it.
        read = absolute(uri.partition("**")[0] or ".")
        if is_local(read):
            read = os.path.realpath(read)
            if _finds(read, place):
                raise UsageError(f"{option} {folder} fits {uri}, which is read: {advice}")
        below = [] if place == read else place.removeprefix(read.rstrip("/") + "/").split("/")
        if place == read or (place.startswith(read.rstrip("/") + "/") and not _is_hidden(below, read)):
            raise UsageError(f"{option} {folder} lies in {uri}, which is read: {advice}")
    for document in documents:
        if document.startswith(places):
            raise UsageError(f"{option} {folder} holds {document}, which is to be read: {advice}")


def _finds(pattern: str, folder: str) -> bool:
    """Whether a local pattern without ** may fit a file in a folder, whatever its name is."""
    *parts, name = pattern.split("/")
    places = folder.split("/")
    if len(parts) != len(places) or not set(name) & set("*?["):
        return False
    return all(fnmatch.fnmatchcase(place, part) for place, part in zip(places, parts, strict=True))


def _is_hidden(names: list[str], folder: str) -> bool:
    """Whether a walk of the folder passes over a subfolder; remote stores have no hidden ones."""
    return is_local(folder) and any(name.startswith(".") for name in names)
