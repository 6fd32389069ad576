"""The runs of an output folder: which are committed, which pages they hold, and what is left of dead ones.

A run writes its rows under ``words/run=<id>/`` and so on, and last of all ``runs/<id>.json``. Without that file it
never happened. While it works, ``runs/<id>.started`` names its process, so that a later run can tell a dead one from
one at work.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from pipelines.files import delete, join, matching, read_bytes, write_bytes
from pipelines.options import UsageError
from pipelines.records import TABLES


@dataclass(frozen=True)
class RunRecord:
    """A committed run.

    Attributes:
        fingerprint: of the options that change results (`options.Job.fingerprint`).
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


def commit_path(output: str, run_id: str) -> str:
    """The file that makes a run count."""
    return join(output, "runs", f"{run_id}.json")


def table_folder(output: str, table: str, run_id: str) -> str:
    """Where a run writes its rows of a table."""
    return join(output, table, f"run={run_id}")


def commit(output: str, record: RunRecord) -> None:
    """Make a run count."""
    write_bytes(commit_path(output, record.run_id), json.dumps(asdict(record), indent=1).encode())


def committed(output: str) -> list[RunRecord]:
    """Committed runs by time of commit.

    Raises:
        UsageError: a commit file is damaged.
    """
    records = []
    for metadata in matching(join(output, "runs", "*.json")):
        try:
            records.append(RunRecord(**json.loads(read_bytes(metadata.path))))
        except (ValueError, TypeError) as error:
            raise UsageError(
                f"{metadata.path}: damaged commit file ({error}); restore it, or remove it to drop its run"
            ) from error
    return sorted(records, key=lambda r: (r.finished_at, r.run_id))


def done_pages(output: str, runs: list[RunRecord], model_id: str, fingerprint: str) -> dict[tuple, dict[int, int]]:
    """Pages that need not be read again: document fingerprint → page index → number of pages of the document.

    Only runs with the same model and the same result-changing options count.

    Raises:
        UsageError: a pages table is damaged.
    """
    done: dict[tuple, dict[int, int]] = {}
    columns = ["document_uri", "source_size", "source_modified", "page_index", "document_pages"]
    for run in runs:
        if run.model_id != model_id or run.fingerprint != fingerprint:
            continue
        for metadata in matching(join(table_folder(output, "pages", run.run_id), "*.parquet")):
            try:
                table = pq.read_table(io.BytesIO(read_bytes(metadata.path)), columns=columns)
            except pa.ArrowException as error:
                raise UsageError(
                    f"{metadata.path}: damaged table of the committed run {run.run_id} ({error}); restore it, or "
                    f"remove {commit_path(output, run.run_id)} to drop the run"
                ) from error
            for uri, size, modified, index, pages in zip(*(table[c].to_pylist() for c in columns), strict=True):
                key = (uri, size, None if modified is None else round(modified.timestamp(), 6))
                done.setdefault(key, {})[index] = pages
    return done


def begin(output: str, run_id: str) -> None:
    """Announce a run.

    Raises:
        UsageError: the output cannot be written, or holds a run of that name.
    """
    if FileSystems.exists(commit_path(output, run_id)):
        raise UsageError(f"{output} holds a run {run_id!r} already; choose another --run-id")
    if FileSystems.exists(_started_path(output, run_id)):
        # Writing beside it would mix the rows of both, and the first to fail would remove the other's.
        raise UsageError(
            f"{output}: a run {run_id!r} is at work, or was lost on another machine; choose another --run-id, or "
            f"remove {_started_path(output, run_id)} and the files of the run if it is dead"
        )
    mark = {"host": socket.gethostname(), "pid": os.getpid(), "process_started": _process_start(os.getpid())}
    try:
        write_bytes(_started_path(output, run_id), json.dumps(mark).encode())
    except Exception as error:
        raise UsageError(f"{output}: cannot be written ({error})") from error


def end(output: str, run_id: str) -> None:
    """Take the announcement away: the run is committed, or its files are removed."""
    delete([_started_path(output, run_id)])


def remove(output: str, run_id: str) -> None:
    """Remove the files of a run that was not committed."""
    if FileSystems.exists(commit_path(output, run_id)):
        end(output, run_id)
        return
    delete([table_folder(output, table, run_id) for table in TABLES])
    end(output, run_id)


def remove_dead(output: str) -> list[str]:
    """Remove what uncommitted runs left whose process on this machine is provably gone; their ids."""
    removed = []
    for metadata in matching(join(output, "runs", "*.started")):
        run_id = os.path.basename(metadata.path).removesuffix(".started")
        if FileSystems.exists(commit_path(output, run_id)):
            end(output, run_id)
            continue
        with contextlib.suppress(ValueError, KeyError, OSError):
            mark = json.loads(read_bytes(metadata.path))
            here = mark["host"] == socket.gethostname()
            if here and _process_start(int(mark["pid"])) != mark["process_started"]:
                remove(output, run_id)
                removed.append(run_id)
    return removed


def _started_path(output: str, run_id: str) -> str:
    return join(output, "runs", f"{run_id}.started")


def _process_start(pid: int) -> str | None:
    """What tells a living process from a later one with the same number; None for no such process.

    On Linux the boot's id and the process's start time; elsewhere only whether the number is in use.
    """
    try:
        with open(f"/proc/{pid}/stat") as stat, open("/proc/sys/kernel/random/boot_id") as boot:
            fields = stat.read().rpartition(")")[2].split()
            # A zombie has ended; its parent merely has not asked yet.
            return None if fields[0] in "ZX" else f"{boot.read().strip()} {fields[19]}"
    except OSError:
        pass
    if os.path.isdir("/proc/self"):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return "running"
