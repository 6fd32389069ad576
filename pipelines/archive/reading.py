"""An archive as commands read it: its committed runs, and the pages of it that they are about."""

from __future__ import annotations

import fnmatch
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.archive import runs, tables
from pipelines.archive.picture_names import picture_name
from pipelines.archive.places import COMPACTIONS, RUNS
from pipelines.archive.rows import TABLES
from pipelines.archive.runs import RunRecord
from pipelines.archive.transcripts import Transcript, read_pages, transcripts
from pipelines.errors import UsageError
from pipelines.files import absolute, configure, is_local, page_stem
from pipelines.inputs import refuse_among_scans


@dataclass(frozen=True)
class Archive:
    """The pages of an archive, or some of them.

    Attributes:
        output: its folder or URI.
        records: its committed runs.
        pages: rows of `transcripts.read_pages`, of each page the latest, in the order of their paths and numbers.
        of_changed_length: rows of `transcripts.read_pages`, every one of documents whose number of pages has changed.
    """

    output: str
    records: tuple[RunRecord, ...]
    pages: pa.Table
    of_changed_length: pa.Table

    def transcripts(self) -> Iterator[Transcript]:
        """The pages with their words (see `transcripts.transcripts`)."""
        return transcripts(self.output, self.pages)

    def documents(self) -> Iterator[list[Transcript]]:
        """The pages of one document after another, in their order."""
        left = dict(Counter(self.pages["document_uri"].to_pylist()))
        gathered: dict[str, list[Transcript]] = {}
        for page in self.transcripts():
            uri = page.source.ref.uri
            gathered.setdefault(uri, []).append(page)
            left[uri] -= 1
            if not left[uri]:
                yield sorted(gathered.pop(uri), key=lambda page: page.source.ref.page_index)

    def refuse_among_scans(self, folder: str, option: str) -> None:
        """Refuse a folder for pictures where the next run would take them for scans.

        Raises:
            UsageError: it lies in a folder that the runs read, or holds a document of the archive.
        """
        # Runs of earlier versions wrote down paths as they were given; from where, nobody knows.
        read = {uri for record in self.records for uri in record.options.get("inputs", ()) if uri == absolute(uri)}
        refuse_among_scans(sorted(read), self.pages["document_uri"].to_pylist(), folder, option)

    def refuse_among_tables(self, folder: str, option: str) -> None:
        """Refuse the archive itself, and the folders that are its own, for what is made of it.

        Raises:
            UsageError: the folder is one of them, or lies in one.
        """
        place, own = (os.path.realpath(x) if is_local(x) else absolute(x) for x in (folder, self.output))
        below = place.removeprefix(f"{own}/").split("/")[0] if place.startswith(f"{own}/") else ""
        if place == own or below in (*TABLES, RUNS, COMPACTIONS):
            raise UsageError(
                f"{option} {folder} is the archive itself, whose files are its tables; name another folder"
            )

    def names(self) -> list[str]:
        """Names of its pages' files (`Transcript.name`), in their order."""
        columns = (self.pages[c].to_pylist() for c in ("document_uri", "page_index", "document_pages"))
        return [page_stem(uri, index, count or 0) for uri, index, count in zip(*columns, strict=True)]

    def former(self) -> Archive:
        """The archive of all readings of pages whose names (`Transcript.name`) no page of their document has any more:
        it has become shorter, or has changed from one page to several or back."""
        now = set(replace(self, pages=tables.latest_pages(self.of_changed_length)).names())
        return replace(self, pages=self.of_changed_length).where(lambda name: name not in now)

    def pictures(self) -> dict[str, str]:
        """Names of the pictures that a review shows of its pages (`Transcript.review_picture`), by the pages' names."""
        scans = zip(*(self.pages[c].to_pylist() for c in ("source_sha256", "rotation_degrees")), strict=True)
        return {name: picture_name(name, sha, turn or 0) for name, (sha, turn) in zip(self.names(), scans, strict=True)}

    def of_documents(self, patterns: Sequence[str] | None) -> Archive:
        """Its pages of some documents.

        Args:
            patterns: of the ends of documents' paths, with ``*`` and ``?``; None for all.

        Raises:
            UsageError: there is no such document.
        """
        if patterns is None:
            return self
        uris = self.pages["document_uri"].to_pylist()
        chosen = pa.array({uri for pattern in patterns for uri in _ending(uris, pattern, self.output)})
        pages, others = (
            rows.filter(pc.is_in(rows["document_uri"], chosen)) for rows in (self.pages, self.of_changed_length)
        )
        return replace(self, pages=pages, of_changed_length=others)

    def where(self, fits: Callable[[str], bool]) -> Archive:
        """Its pages whose names fit."""
        return replace(self, pages=self.pages.filter(pa.array(map(fits, self.names()), pa.bool_())))

    def with_lowest_confidence(self, count: int) -> Archive:
        """Of its pages with words the ``count`` with the lowest mean confidence, the lowest first."""
        return replace(self, pages=tables.lowest(self.pages, count))


def open_archive(path: str) -> Archive:
    """The archive at a path or URI.

    Raises:
        UsageError: there is no archive, or a table is damaged.
    """
    configure([])
    output = absolute(path)
    return archive_of(output, runs.known(output))


def archive_of(output: str, records: Sequence[RunRecord]) -> Archive:
    """The archive of some committed runs.

    Raises:
        UsageError: a table is damaged.
    """
    read = read_pages(output, records)
    pages = tables.latest_pages(read).sort_by([("document_uri", "ascending"), ("page_index", "ascending")])
    return Archive(output, tuple(records), pages, tables.pages_of_changed_length(read))


def _ending(uris: list[str], pattern: str, output: str) -> set[str]:
    """Paths that end as a pattern says, at least one."""
    end = fnmatch.translate(pattern.replace("[", "[[]"))  # no classes of characters: names have brackets
    fits = re.compile(f"(?s:.*/)?{end}").match
    found = {uri for uri in uris if fits(uri)}
    if not found:
        raise UsageError(f"--documents {pattern}: no document in {output} has a path that ends so")
    return found
