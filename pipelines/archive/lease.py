"""The lease of an output: a run, or a compaction, announces itself, and holds the output until it ends.

While it works, ``runs/<id>.started`` names its process and is renewed every minute: an output has one run at a time,
and a later one can tell a dead one from one at work.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from pipelines.archive.places import RUNS, commit_path, table_folders
from pipelines.errors import UsageError
from pipelines.files import delete, is_local, join, matching, read_bytes, write_bytes

RENEW_SECONDS = 60
LEASE_SECONDS = 15 * 60
"""A run whose announcement was not renewed for so long is dead. Many times the renewal: a suspended machine, a slow
store and clocks that differ by minutes must not make a living run look dead."""
_LOOK_SECONDS = 10
"""How often a run that waits looks whether the output is free."""

log = logging.getLogger(__name__)


class OutputBusy(UsageError):
    """Another run is at work on the output."""


def begin(output: str, run_id: str) -> None:
    """Announce a run, and so take the output for it.

    Raises:
        UsageError: the output cannot be written or holds a run of that name.
        OutputBusy: another run is at work on it.
    """
    before = announced(output)
    if FileSystems.exists(commit_path(output, run_id)):
        raise UsageError(f"{output} holds a run {run_id!r} already; choose another --run-id")
    for name, mark in before:
        if name == run_id and at_work(mark):
            raise _name_at_work(output, run_id)
        if name == run_id:
            # A dead one of this name, which was not committed.
            delete(table_folders(output, run_id))
            end(output, run_id)
    for attempt in range(3):
        try:
            _announce(output, run_id)
        except FileExistsError as error:
            raise _name_at_work(output, run_id) from error
        except Exception as error:
            raise UsageError(f"{output}: cannot be written ({error})") from error
        # Announced first, looked round after: of two that begin at once, at least one sees the other.
        marks = announced(output)
        if not any(name == run_id and _is_own(mark) for name, mark in marks):
            raise _name_at_work(output, run_id)
        if any(_is_own(mark) and not mark.get("left") for name, mark in marks if name != run_id):
            return  # A part of a job that holds the output already: whoever waits for that steps back.
        # A run that is committed too, since further parts of its job may follow.
        others = [name for name, mark in marks if name != run_id and at_work(mark) and not mark.get("left")]
        if not others:
            return
        end(output, run_id)
        if attempt < 2:
            # Both may have seen each other, and both stepped back.
            time.sleep(random.uniform(0.1, 1.0))
    mark = next((m for name, m in announced(output) if name == others[0]), {})
    raise OutputBusy(
        f"{output}: {others[0]!r} is at work on it (process {mark.get('pid', '?')} on {mark.get('host', '?')}); wait "
        f"for its end. If it is dead, it stands in the way for at most {LEASE_SECONDS // 60} minutes"
    )


def _name_at_work(output: str, run_id: str) -> UsageError:
    """The error of a run whose name another at work has: writing beside it would mix the rows of both, and the first
    to fail would remove the other's."""
    return UsageError(f"{output}: a run {run_id!r} is at work; choose another --run-id")


@contextlib.contextmanager
def held(output: str, run_id: str, wait_seconds: float = 0.0) -> Iterator[None]:
    """Announces a run, and renews the announcement until the block is left.

    Args:
        wait_seconds: for the end, or the death, of another run.

    Raises:
        UsageError: as `begin`.
        OutputBusy: another run is at work on the output, and was to the end of the wait.
    """
    _begin_within(output, run_id, time.monotonic() + wait_seconds)
    stop = threading.Event()
    renewal = threading.Thread(target=_renew, args=(output, run_id, stop), name="inkbeam-renewal", daemon=True)
    renewal.start()
    try:
        yield
    finally:
        stop.set()
        renewal.join()
        end(output, run_id)


def _begin_within(output: str, run_id: str, deadline: float) -> None:
    told = False
    while True:
        try:
            begin(output, run_id)
            return
        except OutputBusy as error:
            left = deadline - time.monotonic()
            if left <= 0:
                raise
            if not told:
                log.info("waiting: %s", error)
                told = True
            time.sleep(min(left, _LOOK_SECONDS))


def leave(output: str, run_id: str) -> None:
    """Announce a run that some service runs later, without this process: it holds up no other run.

    Raises:
        UsageError: as `begin`.
    """
    begin(output, run_id)
    _write_mark(output, run_id, left=True)


def _renew(output: str, run_id: str, stop: threading.Event) -> None:
    while not stop.wait(RENEW_SECONDS):
        try:
            # Taken away by a run that held this one for dead: it must not come back.
            if is_announced(output, run_id):
                _write_mark(output, run_id)
        except Exception as error:
            log.warning("the announcement of run %s was not renewed: %s", run_id, error)


def is_announced(output: str, run_id: str) -> bool:
    """Whether a run's announcement stands."""
    return FileSystems.exists(_started_path(output, run_id))


def end(output: str, run_id: str) -> None:
    """Take the announcement away: the run is committed, or its files are removed."""
    delete([_started_path(output, run_id)])


def _announce(output: str, run_id: str) -> None:
    """Write the mark of a run that begins.

    Raises:
        FileExistsError: one of this name was faster, on a disk; an object store keeps the mark that is written last.
    """
    path, mark = _started_path(output, run_id), _mark()
    if not is_local(path):
        write_bytes(path, mark.encode())
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "x") as file:
        try:
            file.write(mark)
            file.flush()
        except OSError:
            Path(path).unlink()
            raise


def _write_mark(output: str, run_id: str, left: bool = False) -> None:
    write_bytes(_started_path(output, run_id), _mark(left).encode())


def _mark(left: bool = False) -> str:
    return json.dumps({**_identity(), "renewed_at": time.time(), "left": left})


def _identity() -> dict:
    """What names this process among those of all machines; ``machine`` and ``pids`` tell apart machines, and
    containers, of one host name."""
    try:
        pids = os.readlink("/proc/self/ns/pid")
    except OSError:
        pids = ""
    pid = os.getpid()
    host = {"host": socket.gethostname(), "machine": _machine(), "pids": pids}
    return {**host, "pid": pid, "process_started": _process_start(pid)}


def _machine() -> str:
    """An id of this machine: its installation's; in containers without one, its kernel's since the start; empty where
    there is neither."""
    for path in ("/etc/machine-id", "/proc/sys/kernel/random/boot_id"):
        with contextlib.suppress(OSError):
            if found := Path(path).read_text().strip():
                return found
    return ""


def announced(output: str) -> list[tuple[str, dict]]:
    """Names of the announced runs, each with its announcement. One that cannot be read counts as renewed when its file
    was written."""
    marks = []
    for metadata in matching(join(output, RUNS, "*.started")):
        mark: dict = {}
        try:
            content = json.loads(read_bytes(metadata.path))
            if isinstance(content, dict):
                mark = content
        except ValueError:
            pass
        except OSError:
            continue  # ended since it was listed
        if not isinstance(mark.get("renewed_at"), (int, float)):
            mark["renewed_at"] = metadata.last_updated_in_seconds or time.time()
        marks.append((os.path.basename(metadata.path).removesuffix(".started"), mark))
    return marks


def _is_own(mark: dict) -> bool:
    return all(mark.get(name) == value for name, value in _identity().items())


def at_work(mark: dict) -> bool:
    """Whether the run of an announcement must be taken for alive."""
    if mark.get("left"):
        return True
    own = _identity()
    pid = mark.get("pid")
    # Of earlier versions the mark names the host alone.
    here = all(mark.get(name, own[name]) == own[name] for name in ("machine", "pids"))
    if isinstance(pid, int) and mark.get("host") == own["host"] and here:
        return "process_started" not in mark or _process_start(pid) == mark["process_started"]
    return time.time() - mark["renewed_at"] < LEASE_SECONDS


def _started_path(output: str, run_id: str) -> str:
    return join(output, RUNS, f"{run_id}.started")


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
