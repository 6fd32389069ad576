"""A digitize job: what is to be read, and the run of the pipeline until its commit."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import platform
import signal
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from htr_model.bundle import Bundle
from pipelines import digitize, inputs, sinks
from pipelines.archive import compaction, history, lease, runs, tables
from pipelines.archive.page_pictures import remove_picture
from pipelines.archive.places import commit_path
from pipelines.archive.reading import archive_of
from pipelines.archive.selection import Selection, select
from pipelines.errors import JobFailed, UsageError
from pipelines.files import absolute, is_local, matching
from pipelines.job import Job
from pipelines.logs import hold_back_native_output
from pipelines.models import load_bundle, load_language_model
from pipelines.options.outputs import writing
from pipelines.records import LOSING_STAGES, Failure
from pipelines.running import flink, interruption

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What a job would do.

    Attributes:
        selection: documents to read, and what is skipped.
        bundle: the model.
        earlier: runs that were committed when the plan was made.
    """

    job: Job
    selection: Selection
    bundle: Bundle
    earlier: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Outcome:
    """What a job did.

    Attributes:
        seconds: from start to commit.
        failed: rows of the failures table.
        failed_pages: pages and documents that have such a row.
        tried_pages: pages that were written, and pages and documents that were lost.
        failures: the rows, by document and page.
        stage_seconds: summed over workers, where the runner tells.
        mean_confidence: of the words, 0–1; None without words.
        runs: in how many runs the job was done.
    """

    run_id: str
    pages: int
    words: int
    failed: int
    failed_pages: int
    tried_pages: int
    seconds: float
    failures: tuple[Failure, ...]
    stage_seconds: dict[str, float]
    mean_confidence: float | None = None
    runs: int = 1

    @property
    def failure_rate(self) -> float:
        """Failed pages and documents among all that were tried, 0–1."""
        return self.failed_pages / self.tried_pages if self.tried_pages else 0.0


def together(outcomes: list[Outcome]) -> Outcome:
    """What several runs of one job did, under the name of the first; there is at least one."""
    stages = dict.fromkeys(name for outcome in outcomes for name in outcome.stage_seconds)
    words = sum(o.words for o in outcomes)
    confidences = [(o.mean_confidence, o.words) for o in outcomes if o.mean_confidence is not None]
    return Outcome(
        run_id=outcomes[0].run_id,
        pages=sum(o.pages for o in outcomes),
        words=words,
        failed=sum(o.failed for o in outcomes),
        failed_pages=sum(o.failed_pages for o in outcomes),
        tried_pages=sum(o.tried_pages for o in outcomes),
        seconds=sum(o.seconds for o in outcomes),
        failures=tuple(f for o in outcomes for f in o.failures),
        stage_seconds={name: sum(o.stage_seconds.get(name, 0.0) for o in outcomes) for name in stages},
        mean_confidence=sum(c * n for c, n in confidences) / words if confidences and words else None,
        runs=sum(o.runs for o in outcomes),
    )


def plan(job: Job, input_lists: tuple[str, ...]) -> Plan:
    """What there is to do.

    Raises:
        UsageError: input, output or model are unusable.
    """
    bundle = load_models(job)
    listed = inputs.listed(input_lists)
    documents = inputs.find([*job.inputs, *listed])
    named = {d.uri for d in documents}
    # Folders and patterns of the lists are inputs like others; single files, which may be many, need not be told again.
    job = replace(job, inputs=(*job.inputs, *(uri for uri in listed if absolute(uri) not in named)))
    if job.overlays:
        if is_local(job.overlays) and os.path.isfile(job.overlays):
            raise UsageError(f"--overlays {job.overlays}: is a file; name a folder")
        inputs.refuse_among_scans(job.inputs, named, job.overlays, "--overlays")
    return plan_for(job, documents, bundle)


def load_models(job: Job) -> Bundle:
    """A job's bundle; its language model is loaded too, so that what is wrong with it is found before the first page.

    Raises:
        UsageError: one of them is unusable.
    """
    bundle = load_bundle(job.model)
    if job.language_model:
        load_language_model(job.language_model, bundle)
    return bundle


def plan_for(job: Job, documents: list[inputs.Document], bundle: Bundle, max_attempts: int | None = None) -> Plan:
    """What there is to do about some documents.

    Args:
        max_attempts: in the place of the job's, for this time only.

    Raises:
        UsageError: the output is unusable.
    """
    try:
        records = runs.committed(job.output)
        known = history.load(job.output, records, bundle.id, job.fingerprint)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"--output {job.output}: cannot be read ({error})") from error
    attempts = job.max_attempts if max_attempts is None else max_attempts
    selection = select(documents, known, job.existing, attempts)
    return Plan(job, selection, bundle, frozenset(r.run_id for r in records))


def check_overlays(job: Job) -> None:
    """Make the folder for overlays, where it lies on this machine, and try to write there: before hours of work.

    Raises:
        UsageError: it cannot be written.
    """
    if job.overlays and is_local(job.overlays):
        with writing(f"--overlays {job.overlays}"):
            os.makedirs(job.overlays, exist_ok=True)
            tempfile.TemporaryFile(dir=job.overlays).close()


def remove_former_overlays(job: Job) -> None:
    """Remove overlays of pages that their documents no longer have from a folder on this machine."""
    if not job.overlays or not is_local(job.overlays):
        return
    try:
        for name in archive_of(job.output, runs.committed(job.output)).former().names():
            remove_picture(Path(job.overlays), name)
    except (UsageError, OSError) as error:
        log.warning("overlays of pages that are no more are left: %s", error)


def is_stale(planned: Plan) -> bool:
    """Whether another run was committed since the plan was made."""
    return runs.committed_ids(planned.job.output) != planned.earlier


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
    return _outcome(job, time.monotonic() - started, _stage_seconds(result))


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
    sinks.remove_staged(job.output, job.run_id)


def _outcome(job: Job, seconds: float, stage_seconds: dict[str, float]) -> Outcome:
    """What a committed run did."""
    failures = _failures(job)
    lost = {(f.uri, f.page_index) for f in failures if f.stage in LOSING_STAGES}
    committed = runs.committed_run(job.output, job.run_id)
    return Outcome(
        run_id=job.run_id,
        pages=committed.counts["pages"],
        words=committed.counts["words"],
        failed=committed.counts["failures"],
        failed_pages=len({(f.uri, f.page_index) for f in failures}),
        tried_pages=committed.counts["pages"] + len(lost),
        seconds=seconds,
        failures=tuple(failures),
        stage_seconds=stage_seconds,
        mean_confidence=_mean_confidence(job),
    )


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


def _failures(job: Job) -> list[Failure]:
    columns = ["stage", "document_uri", "page_index", "error_type", "message", "traceback", "attempts"]
    table = tables.read(job.output, "failures", [job.run_id], columns)
    found = [Failure(*row) for row in zip(*(table[c].to_pylist() for c in columns), strict=True)]
    return sorted(found, key=lambda f: (f.uri, f.page_index or 0))


def _mean_confidence(job: Job) -> float | None:
    table = tables.read(job.output, "pages", [job.run_id], ["mean_confidence", "word_count"])
    pages = [(c, n) for c, n in zip(*(column.to_pylist() for column in table.columns), strict=True) if n]
    return sum(c * n for c, n in pages) / sum(n for _, n in pages) if pages else None


def _stage_seconds(result) -> dict[str, float]:
    names = {
        "read_milliseconds": ("read", 1e3),
        "segment_milliseconds": ("segment", 1e3),
        "inference_batch_latency_micro_secs": ("recognise", 1e6),
    }
    seconds: dict[str, float] = {}
    try:
        for metric in result.metrics().query()["distributions"]:
            if metric.key.metric.name in names:
                name, unit = names[metric.key.metric.name]
                seconds[name] = seconds.get(name, 0.0) + metric.result.sum / unit
    except Exception as error:
        log.debug("the runner has no metrics: %s", error)
    return seconds
