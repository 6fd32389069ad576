"""Runs of the pipeline, until their commit or until what they left is removed."""

from __future__ import annotations

import contextlib
import datetime
import logging
import platform
import signal
import time
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines import digitize
from pipelines.archive import compaction, lease, runs
from pipelines.archive.page_pictures import remove_picture
from pipelines.archive.places import commit_path
from pipelines.archive.reading import archive_of
from pipelines.errors import JobFailed, UsageError
from pipelines.files import absolute, is_local, matching
from pipelines.job import Job
from pipelines.logs import hold_back_native_output
from pipelines.running import flink, interruption
from pipelines.running.outcomes import Outcome, outcome_of
from pipelines.running.plans import Plan
from pipelines.steps.writing import remove_staged

log = logging.getLogger(__name__)


def remove_former_overlays(job: Job) -> None:
    """Remove overlays of pages that their documents no longer have from a folder on this machine."""
    if not job.overlays or not is_local(job.overlays):
        return
    try:
        for name in archive_of(job.output, runs.committed(job.output)).former().names():
            remove_picture(Path(job.overlays), name)
    except (UsageError, OSError) as error:
        log.warning("overlays of pages that are no more are left: %s", error)


def tidy(output: str, settle_seconds: float = compaction.SETTLE_SECONDS) -> None:
    """Remove the rows that killed runs left behind and finish a compaction that was cut short.

    After it a plain read of the tables shows committed rows only, each once. The caller holds the output.

    Args:
        settle_seconds: longer than a reader takes to list the files (see `compaction`).
    """
    for run_id in runs.remove_dead(output):
        log.info("removed what the unfinished run %s had left", run_id)
    compaction.finish(output, settle_seconds)


def run_with_attempts(planned: Plan, beam_options: list[str], attempts: int) -> Outcome:
    """Run the pipeline, again when it breaks, with a run id and folders of its own each time.

    The caller holds the output for the plan's run.

    Raises:
        UsageError: the output or Beam's options are unusable.
        JobFailed: the last attempt broke, or one that had been committed.
    """
    job = planned.job
    for attempt in range(1, attempts + 1):
        run_id = job.run_id if attempt == 1 else f"{job.run_id[:120]}-try{attempt}"
        again = replace(planned, job=replace(job, run_id=run_id))
        try:
            with lease.held(job.output, run_id) if attempt > 1 else contextlib.nullcontext():
                return run(again, beam_options)
        except JobFailed as error:
            if attempt == attempts or _is_committed(again.job):
                raise
            log.warning("attempt %d of %d failed: %s", attempt, attempts, error)
    raise AssertionError("unreachable")


def run(planned: Plan, beam_options: list[str]) -> Outcome:
    """Run the pipeline; the caller holds the output for the plan's run.

    Raises:
        UsageError: the output or Beam's options are unusable.
        JobFailed: the pipeline broke.
    """
    job = planned.job
    pipeline = _pipeline(flink.with_job_name(beam_options, job.run_id))
    started = time.monotonic()
    result = None
    try:
        record = _record(planned)
        digitize.build(pipeline, list(planned.selection.documents), job, record, planned.bundle.normalization)
        with _quiet_workers(beam_options):
            interrupt = signal.getsignal(signal.SIGINT)
            result = pipeline.run()
            if signal.getsignal(signal.SIGINT) is not interrupt:
                # A job server's own handler would end the server first, and with it the means to cancel the job.
                signal.signal(signal.SIGINT, interrupt)
            result.wait_until_finish()
        if not _is_committed(job):
            raise JobFailed(f"the runner ended in state {result.state} without a commit")
    except BaseException as error:
        _cancel(result, beam_options, job.run_id)
        _after_failure(job, error)
    return outcome_of(job, time.monotonic() - started, result)


def _cancel(result, beam_options: list[str], run_id: str) -> None:
    """End what a cluster would else work on without its launcher; a job that has ended stays as it is."""
    if result is not None:
        with contextlib.suppress(Exception):
            result.cancel()
    flink.cancel(beam_options, run_id)


def _after_failure(job: Job, error: BaseException) -> None:
    """Leave the output as it must be when a run breaks; return where the run is committed and whole all the same.

    Raises:
        JobFailed: the run is not committed, or somebody has asked it to end.
        BaseException: ``error``, where it says so already.
    """
    try:
        committed = _is_committed(job)
    except Exception as unknown:
        raise JobFailed(
            f"{type(error).__name__}: {error}. Whether run {job.run_id} was committed cannot be told ({unknown}); "
            "its files are left as they are, and the next run finds out"
        ) from error
    if not committed:
        runs.remove(job.output, job.run_id)
        if interruption.asked():
            raise KeyboardInterrupt from error
        if isinstance(error, JobFailed) or not isinstance(error, Exception):
            raise error
        raise JobFailed(f"nothing of the run was kept: {type(error).__name__}: {error}") from error
    if interruption.asked() or not isinstance(error, Exception):
        raise JobFailed(f"run {job.run_id} was committed and is kept, but then the job was stopped") from error
    # Nothing comes after the commit: what broke then has lost nothing of the run.
    log.warning("run %s is committed and whole, but then: %s", job.run_id, error)
    remove_staged(job.output, job.run_id)


def leave(planned: Plan, beam_options: list[str]) -> None:
    """Describe the job to a service that runs it later, without this process.

    Raises:
        UsageError: the output or Beam's options are unusable.
        JobFailed: the service did not take it.
    """
    job = planned.job
    pipeline = _pipeline(beam_options)
    lease.leave(job.output, job.run_id)
    try:
        record = _record(planned)
        digitize.build(pipeline, list(planned.selection.documents), job, record, planned.bundle.normalization)
        pipeline.run()
    except BaseException as error:
        runs.remove(job.output, job.run_id)
        if isinstance(error, KeyboardInterrupt):
            raise
        raise JobFailed(f"the job was not taken: {type(error).__name__}: {error}") from error


def _pipeline(beam_options: list[str]) -> beam.Pipeline:
    try:
        return beam.Pipeline(options=PipelineOptions(beam_options))
    except (ValueError, ImportError) as error:
        raise UsageError(f"Beam refuses its options: {error}") from error


def _quiet_workers(beam_options: list[str]) -> contextlib.AbstractContextManager:
    """Holds back what local worker processes print: Beam gives them no log level, and they tell every step."""
    processes = "--direct_running_mode=multi_processing" in beam_options
    if processes and not log.isEnabledFor(logging.DEBUG):
        return hold_back_native_output()
    return contextlib.nullcontext()


def _is_committed(job: Job) -> bool:
    return bool(matching(commit_path(job.output, job.run_id)))


def _record(planned: Plan) -> runs.RunRecord:
    job = planned.job
    libraries = ("inkbeam", "apache-beam", "keras", "tensorflow", "opencv-python-headless", "pyarrow")
    versions = {name: _version(name) for name in libraries}
    return runs.RunRecord(
        run_id=job.run_id,
        started_at=datetime.datetime.now(datetime.timezone.utc).isoformat(),
        finished_at="",
        model_id=planned.bundle.id,
        fingerprint=job.fingerprint,
        counts={},
        options={**asdict(job), "inputs": [absolute(uri) for uri in job.inputs]},
        versions={"python": platform.python_version(), **versions},
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except Exception:
        return "unknown"
