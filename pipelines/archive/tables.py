"""Rows of committed runs, wherever they lie: in the runs' own folders, or in the larger files of a compaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from pipelines.archive.manifests import REPLACED, compactions
from pipelines.archive.places import run_of
from pipelines.archive.rows import TABLES
from pipelines.archive.runs import RunRecord
from pipelines.errors import UsageError
from pipelines.files import is_local, join, matching, metadata, opened
from pipelines.wording import counted

ROWS = 20_000
"""Of a part of a table: 30 MB as Python's objects."""
_TRIES = 5
_READERS = 8
"""Files read at a time: a remote store answers slowly, but many at once."""


def paths(output: str, table: str, run_ids: Iterable[str]) -> list[str]:
    """Files that hold the rows of some committed runs; those of compactions hold rows of other runs too."""
    left, found = set(run_ids), []
    for compaction in compactions(output):
        if left.intersection(compaction.runs):
            found += compaction.paths(output, table)
            left.difference_update(compaction.runs)
    if left:
        listed = (file.path for file in matching(join(output, table, "run=*", "*.parquet")))
        found += [path for path in listed if run_of(path) in left]
    return found


def read(output: str, table: str, run_ids: Iterable[str], columns: Sequence[str]) -> pa.Table:
    """Rows of some committed runs, in no order; columns that a file is too old to have are null.

    Raises:
        UsageError: a file is damaged, or a compaction's file is missing.
    """
    wanted = sorted(set(run_ids))
    schema = pa.schema([TABLES[table].field(name) for name in dict.fromkeys([*columns, "run_id"])])
    for attempt in range(_TRIES):
        try:
            found = paths(output, table, wanted)
            with ThreadPoolExecutor(_READERS) as pool:
                parts = list(pool.map(lambda path: _read(path, schema), found))
            rows = pa.concat_tables([schema.empty_table(), *parts])
            return rows.filter(pc.is_in(rows["run_id"], pa.array(wanted, pa.string()))).select(columns)
        except FileNotFoundError as error:
            # A compaction took the file away between the listing and the reading; the next listing knows its own.
            if attempt == _TRIES - 1:
                raise UsageError(f"{output}: a table's file is missing or empty ({error}); restore it") from error
    raise AssertionError("unreachable")


def read_whole(output: str, table: str, records: Iterable[RunRecord], columns: Sequence[str]) -> pa.Table:
    """The rows that `read` gives, as many of each run as it counted when it was committed.

    Raises:
        UsageError: also where rows of a run are missing.
    """
    records = list(records)

    def whole() -> pa.Table:
        rows = read(output, table, [record.run_id for record in records], list(dict.fromkeys([*columns, "run_id"])))
        check_whole(output, table, records, rows_of_runs(rows))
        return rows.select(columns)

    try:
        return whole()
    except UsageError:
        return whole()  # A compaction may have moved them after its manifest was looked for.


def rows_of_runs(rows: pa.Table) -> Counter[str]:
    """How many rows are of each run."""
    return Counter({each["values"]: each["counts"] for each in pc.value_counts(rows["run_id"]).to_pylist()})


def check_whole(output: str, table: str, records: Iterable[RunRecord], found: Counter[str]) -> None:
    """Nothing, where a table has as many rows of each run as the run counted when it was committed. Files that were
    removed, or cannot be listed, would go unnoticed otherwise.

    Args:
        found: how many rows the table has of each run.

    Raises:
        UsageError: rows of a run are missing.
    """
    for record in records:
        missing = record.counts.get(table, 0) - found[record.run_id]
        if missing > 0:
            raise UsageError(
                f"{join(output, table)}: lacks {counted(missing, 'row')} of the committed run {record.run_id}; "
                f"restore the files, or the leave to read them, or remove {record.run_id}.json from the output's "
                "folder runs/ to drop the run"
            )


def parts(output: str, table: str, run_ids: Iterable[str], columns: Sequence[str]) -> Iterator[pa.Table]:
    """The same rows as `read` gives, at most `ROWS` at a time, for tables that are too large to be held. ``columns``
    must have ``run_id``.

    Raises:
        UsageError: a file is damaged, or was taken away by a compaction since it was listed.
    """
    wanted = pa.array(sorted(set(run_ids)), pa.string())
    schema = pa.schema([TABLES[table].field(name) for name in columns])
    for path in paths(output, table, wanted.to_pylist()):
        try:
            with _opened(path) as file:
                yield from portions(file, schema, wanted)
        except FileNotFoundError as error:
            raise UsageError(f"{path}: was taken away while the table was read; try again") from error


def portions(file: pq.ParquetFile, schema: pa.Schema, run_ids: pa.Array) -> Iterator[pa.Table]:
    """A file's rows of some runs, at most `ROWS` at a time, with the columns of ``schema``, which has ``run_id``."""
    for batch in file.iter_batches(ROWS, columns=_present(file, schema)):
        rows = completed(pa.Table.from_batches([batch]), schema)
        yield rows.filter(pc.is_in(rows["run_id"], run_ids))


def latest(rows: pa.Table, time: str) -> pa.Table:
    """The last row of each page, by a column with the time."""
    return _last(rows, time, ["document_uri", "page_index"])


def latest_pages(rows: pa.Table) -> pa.Table:
    """Of rows of the pages table the last one of each page, without the pages that their document no longer had when it
    was read last."""
    pages = latest(rows, "processed_at")
    documents = _last(pages, "processed_at", ["document_uri"])
    place = pc.index_in(pages["document_uri"], value_set=documents["document_uri"].combine_chunks())
    # Tables of earlier versions do not tell how many pages a document has.
    is_there = pc.less(pages["page_index"], documents["document_pages"].take(place))
    return pages.filter(pc.fill_null(is_there, True))


def pages_of_changed_length(rows: pa.Table) -> pa.Table:
    """Of rows of the pages table those of documents whose number of pages has changed."""
    lengths = rows.group_by("document_uri").aggregate([("document_pages", "count_distinct")])
    changed = lengths.filter(pc.greater(lengths["document_pages_count_distinct"], 1))
    return rows.filter(pc.is_in(rows["document_uri"], changed["document_uri"].combine_chunks()))


def _last(rows: pa.Table, time: str, keys: list[str]) -> pa.Table:
    """The last row of each key, by a column with the time."""
    ordered = rows.sort_by([(time, "descending")])
    ordered = ordered.append_column("position", pa.array(range(len(ordered)), pa.int64()))
    first = ordered.group_by(keys).aggregate([("position", "min")])
    return ordered.take(first["position_min"]).drop_columns("position")


def lowest(pages: pa.Table, count: int) -> pa.Table:
    """Of pages with words the ``count`` with the lowest mean confidence, the lowest first."""
    rows = pages.filter(pc.is_valid(pages["mean_confidence"]))
    order = [("mean_confidence", "ascending"), ("document_uri", "ascending"), ("page_index", "ascending")]
    return rows.take(pc.select_k_unstable(rows, min(count, len(rows)), order)) if count and len(rows) else rows[:0]


def _read(path: str, schema: pa.Schema) -> pa.Table:
    with _opened(path) as file:
        return completed(file.read(columns=_present(file, schema)), schema)


def _present(file: pq.ParquetFile, schema: pa.Schema) -> list[str]:
    """Names of the columns of ``schema`` that a file has: files of earlier versions lack some."""
    return [name for name in schema.names if name in file.schema_arrow.names]


@contextmanager
def _opened(path: str) -> Iterator[pq.ParquetFile]:
    """A table's file, to be read inside.

    Raises:
        FileNotFoundError: it is not there, or a compaction replaced it.
        UsageError: it cannot be read, or is damaged.
    """
    try:
        if is_local(path):
            with pq.ParquetFile(path) as file:
                yield file
            return
        if not FileSystems.exists(path):
            raise FileNotFoundError(path)
        with opened(path) as stored:
            yield pq.ParquetFile(stored)
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError) as error:
        if _is_gone(path):
            raise FileNotFoundError(path) from error
        # Arrow tells some damage by OSErrors too, which have no number.
        if not isinstance(error, pa.ArrowException) and (error.errno is not None or type(error) is not OSError):
            raise UsageError(f"{path}: cannot be read ({error}); try again") from error
        run_id = run_of(path)
        raise UsageError(
            f"{path}: damaged table of the committed run {run_id} ({error}); restore it, or remove "
            f"{run_id}.json from the output's folder runs/ to drop the run"
        ) from error


def _is_gone(path: str) -> bool:
    """Whether a file is missing, or a compaction has put a stub into its place."""
    try:
        return metadata(path).size_in_bytes <= len(REPLACED)
    except Exception:
        return True


def completed(part: pa.Table, schema: pa.Schema) -> pa.Table:
    """A part of a table with all columns of ``schema`` in their order and types."""
    columns = [
        part[field.name].cast(field.type) if field.name in part.schema.names else pa.nulls(len(part), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
