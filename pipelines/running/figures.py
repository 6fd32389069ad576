"""The figures of a run for Prometheus: a text file that node_exporter's textfile collector takes."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from htr_model.bundle import BundleError
from pipelines import exit_codes
from pipelines.errors import UsageError

log = logging.getLogger(__name__)


@dataclass
class Figures:
    """What a command tells of its run, filled in as it becomes known.

    Attributes:
        exit_code: what the command is about to return.
        values: by name, with a help text each.
        stage_seconds: by stage, summed over workers.
        run: run_id and model_id.
    """

    exit_code: int = exit_codes.DONE
    values: dict[str, tuple[str, float]] = field(default_factory=dict)
    stage_seconds: dict[str, float] = field(default_factory=dict)
    run: dict[str, str] = field(default_factory=dict)

    def set(self, name: str, text: str, value: float | None) -> None:
        """Tell a figure; None leaves it out."""
        if value is not None:
            self.values[name] = (text, value)


@contextlib.contextmanager
def reported(path: str | None, output: str) -> Iterator[Figures]:
    """Figures to be filled in; written when the block is left, also when it fails, with its exit code.

    Args:
        path: the text file; None writes nothing.
        output: label of every figure, so that one machine can tell of several archives.

    Raises:
        UsageError: the file's folder is not one to write to.
    """
    # Before hours of work, not after them.
    if path and not os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
        raise UsageError(f"--metrics-file {path}: its folder is missing or cannot be written")
    if path and os.path.isdir(path):
        raise UsageError(f"--metrics-file {path}: is a folder; name a file in it")
    if path and not _may_be_replaced(path):
        raise UsageError(f"--metrics-file {path}: holds something else than figures; name another file")
    figures, started = Figures(), time.monotonic()
    code = exit_codes.FAILED
    try:
        yield figures
        code = figures.exit_code
    except (UsageError, BundleError):
        code = exit_codes.USAGE
        raise
    finally:
        if path:
            figures.exit_code = code
            figures.set("inkbeam_command_seconds", "Time from start to end", time.monotonic() - started)
            try:
                write(path, output, figures)
            except OSError as error:  # A full disk must not make a failure of a run that is committed.
                log.error("--metrics-file %s: cannot be written (%s)", path, error)


def _may_be_replaced(path: str) -> bool:
    """Whether there is no such file yet, or one that `write` may have written."""
    try:
        with open(path, "rb") as file:
            return file.read(6) in (b"", b"# HELP")
    except OSError:
        return True


def write(path: str, output: str, figures: Figures) -> None:
    """Write figures as Prometheus reads them; the file is replaced whole."""
    from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

    registry = CollectorRegistry()

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, ["output", *labels], registry=registry)

    gauge("inkbeam_exit_code", "0 done, 1 too many failures, 2 unusable, 3 failed").labels(output).set(
        figures.exit_code
    )
    gauge("inkbeam_finished_timestamp_seconds", "End of the latest command").labels(output).set(time.time())
    committed = _latest_commit(output)
    if committed is not None:
        text = "Commit of the latest run that was kept"
        gauge("inkbeam_committed_timestamp_seconds", text).labels(output).set(committed)
    for name, (text, value) in figures.values.items():
        gauge(name, text).labels(output).set(value)
    if figures.stage_seconds:
        stages = gauge("inkbeam_stage_seconds", "Time spent in a stage, summed over workers", "stage")
        for stage, value in figures.stage_seconds.items():
            stages.labels(output, stage).set(value)
    if figures.run:
        gauge("inkbeam_run_info", "The latest run", *figures.run).labels(output, *figures.run.values()).set(1)
    write_to_textfile(path, registry)
    # node_exporter is another user.
    os.chmod(path, 0o644)


def _latest_commit(output: str) -> float | None:
    from pipelines.archive import runs

    with contextlib.suppress(Exception):
        records = runs.committed(output)
        return datetime.fromisoformat(records[-1].finished_at).timestamp() if records else None
    return None
