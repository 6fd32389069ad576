"""Where rows go: Parquet files that only the commit puts into place, and the commit file after all of them.

A cluster may do a piece of work twice: when a worker dies, and when it has ended but its end is not heard of. Every
attempt writes files of its own names, which no reader takes. The commit, the graph's last step, renames those of the
attempts that count, removes what others left, and may itself be done again. (Beam's own sink renames in a step that,
done again, first deletes what it had renamed.)
"""

from __future__ import annotations

import datetime
import uuid
from dataclasses import replace

import apache_beam as beam
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.windowed_value import WindowedValue

from pipelines.archive import runs
from pipelines.archive.places import staged, table_folder
from pipelines.archive.rows import TABLES
from pipelines.files import created, delete, join, matching

_ROWS_PER_GROUP = 10_000
"""Rows that are held as Python objects at a time."""


class WriteTable(beam.PTransform):
    """Rows (dicts) of one table → its files, each a name that it has once it is in place and its number of rows."""

    def __init__(self, output: str, table: str, run_id: str):
        super().__init__()
        self._write = WriteRows(table_folder(output, table, run_id), table)

    def expand(self, rows):
        return rows | beam.ParDo(self._write).with_output_types(tuple[str, int])


class WriteRows(beam.DoFn):
    """Rows of a bundle → one staged file; gives its name once it is in place, and its number of rows."""

    def __init__(self, folder: str, table: str):
        self._folder = folder
        self._table = table

    def start_bundle(self):
        self._rows: list[dict] = []
        self._writer = self._name = None
        self._written = 0

    def process(self, row: dict):
        self._rows.append(row)
        if len(self._rows) >= _ROWS_PER_GROUP:
            self._flush()

    def finish_bundle(self):
        if self._rows:
            self._flush()
        if self._writer is not None:
            self._writer.close()
            self._file.close()
            file = (self._name, self._written)
            yield WindowedValue(file, GlobalWindow().max_timestamp(), [GlobalWindow()])

    def _flush(self) -> None:
        if self._writer is None:
            self._name = f"part-{uuid.uuid4().hex}.parquet"
            self._file = created(join(self._folder, staged(self._name)))
            self._writer = pq.ParquetWriter(self._file, TABLES[self._table], compression="zstd")
        self._writer.write_table(pa.Table.from_pylist(self._rows, TABLES[self._table]))
        self._written += len(self._rows)
        self._rows = []


def publish(folder: str, table: str, names: list[str]) -> None:
    """Put staged files of a table into place, so that the folder holds them and nothing else; may be done again.

    A table without rows gets a file without rows, so that patterns over one run's folder find something.
    """
    if not names:
        names = ["part-none.parquet"]
        with created(join(folder, staged(names[0]))) as file:
            pq.write_table(TABLES[table].empty_table(), file, compression="zstd")
    present = {m.path for m in matching(join(folder, "*"))}
    moves = [(join(folder, staged(name)), join(folder, name)) for name in sorted(names)]
    moves = [(source, target) for source, target in moves if source in present or target not in present]
    if moves:
        FileSystems.rename(*map(list, zip(*moves, strict=True)))
    wanted = {join(folder, name) for name in names}
    delete([m.path for m in matching(join(folder, "*")) if m.path not in wanted])


def add_commit(pipeline: beam.Pipeline, output: str, record: runs.RunRecord, files: dict) -> None:
    """Add the commit to ``pipeline``: written when every table is.

    Args:
        record: the run, its counts and end still open.
        files: table → what `WriteTable` gives for it.
    """
    # Side inputs are whole before the step that takes them runs: that is what makes the commit the last step.
    written = {table: beam.pvalue.AsList(names) for table, names in files.items()}
    once = pipeline | "CommitOnce" >> beam.Create([record])
    _ = once | "Commit" >> beam.Map(commit, output, **written)


def commit(record: runs.RunRecord, output: str, **written: list[tuple[str, int]]) -> str:
    """Put the files of a run into place and make it count; gives its name. Done again, it changes nothing.

    Args:
        written: table → its files, each a name and a number of rows.
    """
    if runs.counts(output, record.run_id):
        # The commit was written, but the worker died before it could say so.
        remove_staged(output, record.run_id)
        return record.run_id
    for name in TABLES:
        publish(table_folder(output, name, record.run_id), name, [file for file, _ in written[name]])
    counts = {name: sum(rows for _, rows in written[name]) for name in TABLES}
    finished = datetime.datetime.now(datetime.timezone.utc).isoformat()
    runs.commit_if_announced(output, replace(record, counts=counts, finished_at=finished))
    return record.run_id


def remove_staged(output: str, run_id: str) -> None:
    """Remove what work that was done again has left beside the files of a committed run.

    The run's own files are no concern of it: they may by now be part of a compaction.
    """
    folders = (table_folder(output, name, run_id) for name in TABLES)
    delete([m.path for folder in folders for m in matching(join(folder, staged("*")))])
