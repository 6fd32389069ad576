"""What earlier runs made of each document: which pages are done, and which failed how many times in a row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.compute as pc

from htr_model.printable import printable
from pipelines.archive import tables
from pipelines.archive.rows import LOSING_STAGES, timestamp
from pipelines.archive.runs import RunRecord

_NO_TIME = "-"
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NEVER = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True)
class DonePages:
    """Pages of a document that need not be read again, and how many pages it has."""

    indices: frozenset[int] = frozenset()
    document_pages: int = 0

    @property
    def whole(self) -> bool:
        """Whether that is all of the document."""
        return 0 < self.document_pages <= len(self.indices)


_NOTHING = DonePages()


@dataclass
class FailedPages:
    """Pages of a document that were tried without success, page None standing for the document itself.

    Attributes:
        attempts: how many runs in a row failed, by page.
        document_pages: number of pages of the document; 0 where they could not be counted.
    """

    attempts: dict[int | None, int] = field(default_factory=dict)
    document_pages: int = 0


@dataclass(frozen=True)
class History:
    """What earlier runs with the same model and the same result-changing options made of documents.

    Attributes:
        done: a row for each document with done pages: key, page_index_distinct (a list), document_pages_max. A page
            that was read, and failed when it was read again, is not done.
        failed: by key.
    """

    done: pa.Table
    failed: dict[str, FailedPages]

    def done_of(self, documents: Sequence[tuple[str, int, float | None]]) -> Iterator[DonePages]:
        """Done pages of each of the documents, which are given by URI, size and time (seconds since 1970)."""
        uris, sizes, times = zip(*documents, strict=True) if documents else ((), (), ())
        keys = _keys(
            pa.array([printable(u) for u in uris], pa.string()),
            pa.array(sizes, pa.int64()),
            pa.array(map(_microseconds, times), pa.int64()),
        )
        indices, pages = self.done["page_index_distinct"], self.done["document_pages_max"]
        for position in pc.index_in(keys, value_set=self.done["key"]).to_pylist():
            if position is None:
                yield _NOTHING
            else:
                yield DonePages(frozenset(indices[position].as_py()), pages[position].as_py() or 0)

    def failed_of(self, uri: str, size: int, modified: float | None) -> FailedPages:
        """Failures of a document with this size and time; none where it has changed since."""
        if not self.failed:
            return _NO_FAILURES
        return self.failed.get(_key(printable(uri), size, modified), _NO_FAILURES)


_NO_FAILURES = FailedPages()


def load(output: str, records: Iterable[RunRecord], model_id: str, fingerprint: str) -> History:
    """The history of documents under a model and options.

    Raises:
        UsageError: a table is damaged, or lacks rows.
    """
    records = [r for r in records if r.model_id == model_id and r.fingerprint == fingerprint]
    read, failures = _read(output, records), _failures(output, records)
    lost = lost_since(read, failures)
    return History(_done(read, lost), _failed(lost))


def _read(output: str, records: Sequence[RunRecord]) -> pa.Table:
    """A row for each time that a page was read: key of its document, page_index, document_pages, processed_at."""
    columns = ["document_uri", "source_size", "source_modified", "page_index", "document_pages", "processed_at"]
    rows = tables.read_whole(output, "pages", records, columns)
    keys = _keys(rows["document_uri"], rows["source_size"], rows["source_modified"].cast(pa.int64()))
    names = columns[3:]
    return pa.table([keys, *(rows[name] for name in names)], ["key", *names])


def _failures(output: str, records: Sequence[RunRecord]) -> list[tuple[str, dict]]:
    """Rows of the failures table that lost a page or a document, each with the key of its document."""
    columns = [
        "document_uri", "page_index", "stage", "attempts", "source_size", "source_modified", "document_pages",
        "failed_at",
    ]  # fmt: skip
    rows = tables.read_whole(output, "failures", records, columns)
    # Files of the first version do not tell which state of the file failed; such failures do not count.
    rows = rows.filter(pc.and_(pc.is_in(rows["stage"], pa.array(LOSING_STAGES)), pc.is_valid(rows["source_size"])))
    keys = _keys(rows["document_uri"], rows["source_size"], rows["source_modified"].cast(pa.int64()))
    return list(zip(keys.to_pylist(), rows.to_pylist(), strict=True))


def lost_since(read: pa.Table, failures: list[tuple[str, dict]]) -> list[tuple[str, dict]]:
    """Failures that still stand: the page has not been read since and its document still has it, or the document has
    not been opened since.

    Args:
        read: a row for each time that a page was read: key of its document, page_index, document_pages, processed_at.
        failures: rows that lost a page or a document, each with the key of its document.
    """
    concerned = pa.array(sorted({key for key, _ in failures}), pa.string())
    passed: dict[tuple[str, int | None], datetime] = {}
    length: dict[str, tuple[datetime, int]] = {}

    def note(key: str, page: int | None, time: datetime) -> None:
        passed[key, page] = max(passed.get((key, page), time), time)

    def note_opened(key: str, time: datetime, pages: int | None) -> None:
        note(key, None, time)
        if pages:
            length[key] = max(length.get(key, (time, pages)), (time, pages))

    for row in read.filter(pc.is_in(read["key"], value_set=concerned)).to_pylist():
        note(row["key"], row["page_index"], row["processed_at"])
        note_opened(row["key"], row["processed_at"], row["document_pages"])
    for key, row in failures:
        if row["page_index"] is not None:  # A page that fails by itself: its document could be opened.
            note_opened(key, row["failed_at"], row["document_pages"])

    def is_lost(key: str, row: dict) -> bool:
        page, time = row["page_index"], row["failed_at"]
        is_there = page is None or key not in length or page < length[key][1]
        return is_there and passed.get((key, page), _NEVER) < time

    return [(key, row) for key, row in failures if is_lost(key, row)]


def _done(read: pa.Table, lost: list[tuple[str, dict]]) -> pa.Table:
    """The pages that were read and have not failed since, as in `History`."""
    failed = sorted({f"{key}\n{row['page_index']}" for key, row in lost if row["page_index"] is not None})
    if failed:
        places = pc.binary_join_element_wise(read["key"], pc.cast(read["page_index"], pa.string()), "\n")
        read = read.filter(pc.invert(pc.is_in(places, value_set=pa.array(failed))))
    figures = [("page_index", "distinct"), ("document_pages", "max")]
    return read.group_by("key").aggregate(figures).combine_chunks()


def _failed(lost: list[tuple[str, dict]]) -> dict[str, FailedPages]:
    failed: dict[str, FailedPages] = {}
    for key, row in lost:
        pages = failed.setdefault(key, FailedPages())
        page = row["page_index"]
        pages.attempts[page] = max(pages.attempts.get(page, 0), row["attempts"])
        pages.document_pages = max(pages.document_pages, row["document_pages"] or 0)
    return failed


def _key(uri: str, size: int, modified: float | None) -> str:
    """URI, size and time (microseconds) of a document as one text: while it is the same, so are its pages."""
    return f"{uri}\n{size}\n{_NO_TIME if modified is None else _microseconds(modified)}"


def _microseconds(modified: float | None) -> int | None:
    """Microseconds since 1970 of a time in seconds, as the tables hold it: of times centuries away a product would be
    inexact."""
    return None if modified is None else (timestamp(modified) - _EPOCH) // timedelta(microseconds=1)


def _keys(uris, sizes, microseconds):
    """`_key` of columns."""
    times = pc.fill_null(pc.cast(microseconds, pa.string()), _NO_TIME)
    return pc.binary_join_element_wise(uris, pc.cast(sizes, pa.string()), times, "\n")
