"""Many small files of nightly runs made few, without a moment in which a reader sees fewer rows or rows twice.

No file system switches many files at once, so the order of the steps has to do it:

1. The rows are copied to ``<table>/run=<compaction>/_part-….parquet.staged``, names that no reader takes.
2. The manifest ``compacted/<compaction>.json`` is written: from here `pipelines.archive.tables` reads the new files.
3. Every replaced file is overwritten with a stub, of which a Parquet reader says that it is no Parquet file.
4. The new files get their names. A plain glob now finds all rows once, and the stubs too: it fails.
5. After `settle_seconds`, in which listings that began earlier come to their end, the stubs are removed, the
   manifest says that the compaction is published, and the staged names go.

A plain glob therefore sees every committed row once, or it fails and names a file; between steps 3 and 5 it fails.
What is killed between two steps is finished by the next run, from the manifest on; before it, nothing has happened.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from htr_model.whole_files import written_aside
from pipelines.archive import runs, tables
from pipelines.archive.manifests import REPLACED, Compaction, compactions, write_manifest
from pipelines.archive.places import STAGED_SUFFIX, manifest_path, run_of, staged, table_folder, table_folders
from pipelines.archive.rows import TABLES
from pipelines.archive.run_names import COMPACTED
from pipelines.archive.runs import RunRecord
from pipelines.errors import UsageError
from pipelines.files import created, delete, is_local, join, matching, opened, read_bytes, write_bytes

log = logging.getLogger(__name__)

SETTLE_SECONDS = 10.0
"""Longer than a reader takes to list the folders of a table."""


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: files before and after, rows of all tables, bytes."""

    id: str
    runs: int
    files_before: int
    files_after: int
    rows: int
    bytes_before: int
    bytes_after: int


def compact(output: str, compaction_id: str, target_bytes: int, settle_seconds: float) -> Compacted | None:
    """Put small runs and small earlier compactions together; None where there are not two of them.

    The caller holds the output under the name of the compaction.

    Args:
        target_bytes: what is at least this large is left as it is; no new file grows much larger.

    Raises:
        UsageError: a table is damaged, or lacks rows.
    """
    finish(output, settle_seconds)
    listed = _listed(output)
    sources = _sources(output, listed, target_bytes)
    if len(sources) < 2:
        return None
    records = [record for members in sources.values() for record in members]
    run_ids = [record.run_id for record in records]
    old = {table: [m for m in listed[table] if run_of(m.path) in sources] for table in TABLES}
    order = {name: i for i, name in enumerate(sources)}
    files, rows = {}, {}
    try:
        for table, metadata in old.items():
            paths = sorted((m.path for m in metadata), key=lambda p: (order[run_of(p)], p))
            folder = table_folder(output, table, compaction_id)
            files[table], written = _write(paths, folder, table, run_ids, target_bytes)
            tables.check_whole(output, table, records, written)
            rows[table] = written.total()
    except BaseException:
        runs.remove(output, compaction_id)
        raise
    compaction = Compaction(compaction_id, tuple(run_ids), tuple(sources), files, rows, published=False)
    write_manifest(output, compaction)
    finish(output, settle_seconds)
    new = {table: [m for m in _listed(output)[table] if run_of(m.path) == compaction_id] for table in TABLES}
    return Compacted(
        id=compaction_id,
        runs=len(run_ids),
        files_before=sum(map(len, old.values())),
        files_after=sum(map(len, new.values())),
        rows=sum(rows.values()),
        bytes_before=sum(m.size_in_bytes for found in old.values() for m in found),
        bytes_after=sum(m.size_in_bytes for found in new.values() for m in found),
    )


def finish(output: str, settle_seconds: float = SETTLE_SECONDS) -> None:
    """Publish compactions that count but were cut short. The caller holds the output."""
    for compaction in compactions(output):
        if not compaction.published:
            _publish(output, compaction, settle_seconds)
    _remove_remains(output)


def _publish(output: str, compaction: Compaction, settle_seconds: float) -> None:
    """Steps 3 to 5; each may be repeated."""
    listed = _listed(output)
    old = [m.path for table in TABLES for m in listed[table] if run_of(m.path) in compaction.replaces]
    for path in old:
        write_bytes(path, REPLACED)
    for table, names in compaction.files.items():
        folder = table_folder(output, table, compaction.id)
        for name in names:
            _copy(join(folder, staged(name)), join(folder, name))
    log.info("waiting %g seconds for readers that listed the old files", settle_seconds)
    time.sleep(settle_seconds)
    delete([folder for name in compaction.replaces for folder in table_folders(output, name)])
    delete([manifest_path(output, name) for name in compaction.replaces])
    write_manifest(output, replace(compaction, published=True))


def _remove_remains(output: str) -> None:
    """Remove the staged files of published compactions, and those of compactions that died before they counted."""
    known = {compaction.id for compaction in compactions(output)}
    for table in TABLES:
        left = [m.path for m in matching(join(output, table, f"run={COMPACTED}*", f"*{STAGED_SUFFIX}"))]
        dead = {run_of(path) for path in left} - known
        delete([path for path in left if run_of(path) in known])
        delete([table_folder(output, table, name) for name in sorted(dead)])


def _listed(output: str) -> dict[str, list]:
    """Metadata of the files of each table."""
    return {table: matching(join(output, table, "run=*", "*.parquet")) for table in TABLES}


def _sources(output: str, listed: dict[str, list], target_bytes: int) -> dict[str, list[RunRecord]]:
    """What is to be put together, oldest first: a run or an earlier compaction → the committed runs in it."""
    sizes: dict[str, int] = {}
    for found in listed.values():
        for metadata in found:
            name = run_of(metadata.path)
            sizes[name] = sizes.get(name, 0) + metadata.size_in_bytes
    holder = {run_id: c.id for c in compactions(output) for run_id in c.runs}
    sources: dict[str, list[RunRecord]] = {}
    for record in runs.committed(output):
        name = holder.get(record.run_id, record.run_id)
        if sizes.get(name, 0) < target_bytes:
            sources.setdefault(name, []).append(record)
    return sources


def _write(
    paths: list[str], folder: str, table: str, run_ids: list[str], target_bytes: int
) -> tuple[tuple, Counter[str]]:
    """Names, as published, of the staged files into which the rows of other files are written, and how many rows they
    hold of each run.

    Raises:
        UsageError: a file is damaged.
    """
    names: list[str] = []
    rows: Counter[str] = Counter()
    batches = _batches(paths, table, run_ids)
    with tempfile.TemporaryDirectory() as scratch:
        local = Path(scratch) / "part"
        left: pa.Table | None = next(batches, TABLES[table].empty_table())
        while left is not None:
            with pq.ParquetWriter(local, TABLES[table], compression="zstd") as writer:
                full = False
                while left is not None and not full:
                    writer.write_table(left)
                    rows += tables.rows_of_runs(left)
                    left = next(batches, None)
                    full = local.stat().st_size >= target_bytes
            names.append(f"part-{len(names):05}.parquet")
            _put(local, join(folder, staged(names[-1])))
    written = sum(_rows(join(folder, staged(name))) for name in names)
    if written != rows.total():
        raise OSError(f"{folder}: {written} rows arrived of {rows.total()}; nothing was replaced")
    return tuple(names), rows


def _batches(paths: list[str], table: str, run_ids: list[str]) -> Iterator[pa.Table]:
    """Rows of committed runs, gathered to row groups of some size."""
    schema, wanted = TABLES[table], pa.array(run_ids, pa.string())
    waiting: list[pa.Table] = []
    for path in paths:
        try:
            with opened(path) as source:
                for rows in tables.portions(pq.ParquetFile(source), schema, wanted):
                    waiting.append(rows)
                    if sum(map(len, waiting)) >= tables.ROWS:
                        yield pa.concat_tables(waiting)
                        waiting = []
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path}: damaged table ({error}); restore it. Nothing was changed") from error
    if sum(map(len, waiting)):
        yield pa.concat_tables(waiting)


def _rows(path: str) -> int:
    with opened(path) as file:
        return pq.ParquetFile(file).metadata.num_rows


def _put(local: Path, uri: str) -> None:
    """Copy a local file to a URI, complete or not at all."""
    if is_local(uri):
        target = Path(uri)
        target.parent.mkdir(parents=True, exist_ok=True)
        # On the disk with its name: what it replaces is removed seconds later, power or no power.
        with written_aside(target) as partial:
            shutil.copyfile(local, partial)
        return
    with open(local, "rb") as source, created(uri) as file:
        shutil.copyfileobj(source, file)


def _copy(source: str, target: str) -> None:
    """Copy a file to another name, complete or not at all; a target that is there already is left."""
    if FileSystems.exists(target):
        return
    if not is_local(target):
        FileSystems.copy([source], [target])
        return
    try:
        os.link(source, target)
    except OSError:
        # File systems without links.
        write_bytes(target, read_bytes(source))
