"""The committed runs of an output folder, and what is left of dead ones.

A run writes its rows under ``words/run=<id>/`` and so on, and last of all ``runs/<id>.json``. Without that file it
never happened. While it works it holds the output (`pipelines.archive.lease`).
"""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from pipelines.archive import lease
from pipelines.archive.places import RUNS, commit_path, manifest_path, table_folders
from pipelines.errors import JobFailed, UsageError
from pipelines.files import check_store, delete, is_local, join, make_last, matching, read_bytes, write_bytes

_READERS = 8
"""Files read at a time: a remote store answers slowly, but many at once."""


@dataclass(frozen=True)
class RunRecord:
    """A committed run.

    Attributes:
        fingerprint: of the options that change results (`job.Job.fingerprint`).
        counts: pages, words, failures.
        options: what the job was told.
        versions: of inkbeam and of what it stands on.
    """

    run_id: str
    started_at: str
    finished_at: str
    model_id: str
    fingerprint: str
    counts: dict[str, int]
    options: dict
    versions: dict[str, str]


def counts(output: str, run_id: str) -> bool:
    """Whether a name is that of a committed run, or of a compaction whose manifest is written."""
    return FileSystems.exists(commit_path(output, run_id)) or FileSystems.exists(manifest_path(output, run_id))


def commit(output: str, record: RunRecord) -> None:
    """Make a run count: its files are on the disk before the one that says so."""
    if is_local(output):
        folders = map(Path, table_folders(output, record.run_id))
        written = (path for folder in folders for path in (*folder.glob("*"), folder, folder.parent) if path.exists())
        make_last(*map(str, written))
    write_bytes(commit_path(output, record.run_id), json.dumps(asdict(record), indent=1).encode(), lasting=True)


def commit_if_announced(output: str, record: RunRecord) -> None:
    """Make a run count, unless another has meanwhile held it for dead and taken the output.

    Raises:
        JobFailed: it has; the rows of this run are removed.
    """
    if not lease.is_announced(output, record.run_id):
        remove(output, record.run_id)
        raise JobFailed(
            f"run {record.run_id} was not heard of for {lease.LEASE_SECONDS // 60} minutes, and another took {output} "
            "over"
        )
    commit(output, record)


def committed(output: str) -> list[RunRecord]:
    """Committed runs by time of commit.

    Raises:
        UsageError: a commit file is damaged.
        OSError: there is no such store.
    """
    check_store(output)
    paths = [metadata.path for metadata in matching(join(output, RUNS, "*.json"))]
    with ThreadPoolExecutor(_READERS) as pool:
        return sorted(pool.map(_record, paths), key=lambda r: (r.finished_at, r.run_id))


def committed_run(output: str, run_id: str) -> RunRecord:
    """The record of one run, which must be committed; the commit files of others are not read.

    Raises:
        UsageError: its commit file is damaged.
        OSError: it cannot be read.
    """
    return _record(commit_path(output, run_id))


def known(output: str) -> list[RunRecord]:
    """Committed runs by time of commit, at least one.

    Raises:
        UsageError: there is none, or a commit file is damaged.
    """
    try:
        records = committed(output)
    except OSError as error:
        raise UsageError(f"{output}: cannot be read ({error})") from error
    if not records:
        at_work = [name for name, mark in lease.announced(output) if lease.at_work(mark)]
        raise UsageError(
            f"{output}: no committed run is there; "
            + (f"{at_work[0]!r} is at work" if at_work else "name the folder given to digitize --output")
        )
    return records


def committed_ids(output: str) -> frozenset[str]:
    """Names of the committed runs."""
    paths = (metadata.path for metadata in matching(join(output, RUNS, "*.json")))
    return frozenset(os.path.basename(path).removesuffix(".json") for path in paths)


def _record(path: str) -> RunRecord:
    try:
        record = RunRecord(**json.loads(read_bytes(path)))
        for name, value in vars(record).items():
            if not isinstance(value, dict if name in ("counts", "options", "versions") else str):
                raise TypeError(f"its {name} cannot be {value!r:.60}")
        if f"{record.run_id}.json" != os.path.basename(path):
            raise ValueError(f"it is that of run {record.run_id!r}")
        return record
    except (ValueError, TypeError, RecursionError) as error:
        raise UsageError(f"{path}: damaged commit file ({error}); restore it, or remove it to drop its run") from error


def remove(output: str, run_id: str) -> None:
    """Remove a run's announcement, and its files unless it was committed."""
    if not counts(output, run_id):
        delete(table_folders(output, run_id))
    lease.end(output, run_id)


def remove_dead(output: str) -> list[str]:
    """Ids of the dead runs that were not committed; their files are removed, and the announcements of all dead runs.

    A run of this machine is dead when its process is gone, any run when it was not heard of for `lease.LEASE_SECONDS`.
    """
    removed = []
    for run_id, mark in lease.announced(output):
        left = mark.get("left") and counts(output, run_id)
        if left or not lease.at_work(mark):
            if not counts(output, run_id):
                removed.append(run_id)
            remove(output, run_id)
    return removed
