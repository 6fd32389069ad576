"""How an archive stands: its runs, and what is done, failed and waiting."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from statistics import median

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.archive import tables
from pipelines.archive.history import lost_since
from pipelines.archive.rows import LOSING_STAGES
from pipelines.archive.runs import RunRecord
from pipelines.files import exists, is_local

_READ = ["document_pages", "processed_at"]
"""Columns that tell what of an archive is the latest."""
_RUNS_COMPARED = 10
_LEAST_WORDS = 200
"""Words of a run, a few pages, without which its confidence says nothing of the scans of that night."""
_NOTABLE_DROP = 0.05
"""Fall of a run's confidence against the median of the runs before it that is worth a look at its scans."""


@dataclass(frozen=True)
class RunStatus:
    """A committed run.

    Attributes:
        lost: pages and documents that failed.
        seconds: from start to commit.
        confidence: mean of its words, 0–1; None without words.
        dropped: its confidence is lower than that of the runs before with the same model, by more than 0.05. Runs of a
            few words are neither judged nor compared with.
    """

    run_id: str
    finished_at: str
    model_id: str
    pages: int
    words: int
    lost: int
    seconds: float
    confidence: float | None
    dropped: bool

    @property
    def pages_per_second(self) -> float:
        """Speed, start-up included."""
        return self.pages / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True)
class FailingPage:
    """A page, or a document (page_index None), whose latest attempt failed."""

    document_uri: str
    page_index: int | None
    stage: str
    error_type: str
    message: str
    attempts: int


@dataclass(frozen=True)
class ReadPage:
    """A page that was read, as its latest run found it."""

    document_uri: str
    page_index: int
    mean_confidence: float
    word_count: int
    run_id: str


@dataclass(frozen=True)
class Status:
    """How an archive stands.

    Attributes:
        runs: by time of commit.
        pages: different pages that were read.
        words: on those pages, as read last.
        failing: pages and documents whose latest attempt failed.
        gone: documents of ``failing`` that are no longer there.
        set_aside: how many of ``failing``, without those, are not tried again until their file changes.
        lowest: the pages with the lowest mean confidence, the lowest first.
        waiting: documents with pages that the next run would read; None when no input was named.
    """

    runs: tuple[RunStatus, ...]
    pages: int
    words: int
    failing: tuple[FailingPage, ...]
    gone: tuple[str, ...]
    set_aside: int
    lowest: tuple[ReadPage, ...]
    waiting: int | None = None


def status(output: str, records: Sequence[RunRecord], lowest: int, max_attempts: int) -> Status:
    """How an archive stands by its committed runs.

    Args:
        lowest: how many pages to name.
        max_attempts: as given to the runs; 0 for no limit.

    Raises:
        UsageError: a table is damaged, or lacks rows.
    """
    columns = ["document_uri", "page_index", "mean_confidence", "word_count", "run_id", *_READ]
    pages = tables.read_whole(output, "pages", records, columns)
    failures = _failures(output, records)
    latest = tables.latest_pages(pages)
    shown = tables.lowest(latest, lowest)
    failing = tuple(
        FailingPage(**{field.name: row[field.name] for field in fields(FailingPage)})
        for row in _failing(latest, failures)
    )
    # A name that is no text stands otherwise in the tables than in its folder.
    named = {f.document_uri for f in failing if f.error_type != "UnusableName"}
    gone = tuple(sorted(filter(_is_gone, named)))
    return Status(
        runs=_runs(records, pages, failures),
        pages=len(latest),
        words=pc.sum(latest["word_count"]).as_py() or 0,
        failing=failing,
        gone=gone,
        set_aside=sum(0 < max_attempts <= f.attempts for f in failing if f.document_uri not in gone),
        lowest=tuple(ReadPage(**row) for row in shown.drop_columns(_READ).to_pylist()),
    )


def _is_gone(uri: str) -> bool:
    """Whether a document is known not to be there; False where its place cannot be asked."""
    try:
        if not is_local(uri):
            return not exists(uri)
        os.lstat(uri)
    except OSError as error:
        return isinstance(error, (FileNotFoundError, NotADirectoryError))
    return False


def failing(output: str, records: Sequence[RunRecord]) -> list[dict]:
    """Rows of the failures table, one for each page or document whose latest attempt failed, by URI and page: the
    columns of `FailingPage`, failed_at, source_size, source_modified, document_pages and run_id.

    Raises:
        UsageError: a table is damaged, or lacks rows.
    """
    pages = tables.read_whole(output, "pages", records, ["document_uri", "page_index", *_READ])
    return _failing(tables.latest_pages(pages), _failures(output, records))


def _failures(output: str, records: Sequence[RunRecord]) -> pa.Table:
    """Rows of the failures table that lost a page or a document."""
    names = (field.name for field in fields(FailingPage))
    columns = [*names, "failed_at", "source_size", "source_modified", "document_pages", "run_id"]
    rows = tables.read_whole(output, "failures", records, columns)
    return rows.filter(pc.is_in(rows["stage"], pa.array(LOSING_STAGES)))


def _failing(latest: pa.Table, failures: pa.Table) -> list[dict]:
    rows = tables.latest(failures, "failed_at").to_pylist()
    read = pa.table({"key": latest["document_uri"], **{name: latest[name] for name in ("page_index", *_READ)}})
    lost = (row for _, row in lost_since(read, [(row["document_uri"], row) for row in rows]))
    return sorted(lost, key=lambda f: (f["document_uri"], -1 if f["page_index"] is None else f["page_index"]))


def _runs(records: Sequence[RunRecord], pages: pa.Table, failures: pa.Table) -> tuple[RunStatus, ...]:
    weight = pages["word_count"].cast(pa.float64())
    weighed = pc.multiply(pages["mean_confidence"].cast(pa.float64()), weight)
    sums = pa.table({"run_id": pages["run_id"], "weighed": weighed, "words": weight}).group_by("run_id")
    confidences, judged = {}, set()
    for row in sums.aggregate([("weighed", "sum"), ("words", "sum")]).to_pylist():
        if row["words_sum"]:
            confidences[row["run_id"]] = row["weighed_sum"] / row["words_sum"]
        if row["words_sum"] >= _LEAST_WORDS:
            judged.add(row["run_id"])
    lost: dict[str, int] = {}
    for row in failures.group_by(["run_id", "document_uri", "page_index"]).aggregate([]).to_pylist():
        lost[row["run_id"]] = lost.get(row["run_id"], 0) + 1
    found: list[RunStatus] = []
    for record in records:
        confidence = confidences.get(record.run_id)
        before = [r.confidence for r in found if r.model_id == record.model_id and r.run_id in judged]
        dropped = bool(before) and record.run_id in judged
        found.append(
            RunStatus(
                run_id=record.run_id,
                finished_at=record.finished_at,
                model_id=record.model_id,
                pages=record.counts.get("pages", 0),
                words=record.counts.get("words", 0),
                lost=lost.get(record.run_id, 0),
                seconds=_seconds(record),
                confidence=confidence,
                dropped=dropped and confidence < median(before[-_RUNS_COMPARED:]) - _NOTABLE_DROP,
            )
        )
    return tuple(found)


def _seconds(record: RunRecord) -> float:
    try:
        return (datetime.fromisoformat(record.finished_at) - datetime.fromisoformat(record.started_at)).total_seconds()
    except ValueError:
        return 0.0
