"""A digitize job from start to end: what is to be read, the pipeline's run, the summary, the exit code."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import logging
import os
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version

import apache_beam as beam
import pyarrow.parquet as pq
from apache_beam.options.pipeline_options import PipelineOptions

from htr_model.bundle import Bundle
from pipelines import digitize, inputs, runs
from pipelines.files import join, matching, read_bytes
from pipelines.logs import hold_back_native_output
from pipelines.model_handler import load_bundle
from pipelines.options import Job, JobFailed, UsageError
from pipelines.records import Failure

log = logging.getLogger(__name__)

LOSING_STAGES = ("list", "read", "segment")
"""Stages at which a failure costs a page or a document; later it costs some writing, or an overlay."""

LOCAL_RUNNERS = ("FnApiRunner", "DirectRunner", "BundleBasedDirectRunner")
DEFAULT_RUNNER = "FnApiRunner"
"""Beam's in-process runner. `DirectRunner` would first try to download another one."""


@dataclass(frozen=True)
class Plan:
    """What a job would do.

    Attributes:
        selection: documents to read, and what is skipped.
        bundle: the model.
    """

    job: Job
    selection: inputs.Selection
    bundle: Bundle


@dataclass(frozen=True)
class Outcome:
    """What a job did.

    Attributes:
        seconds: from start to commit.
        failed: rows of the failures table.
        failed_pages: pages and documents that have such a row.
        tried_pages: pages that were written, and pages and documents that were lost.
        failures: the first rows.
        stage_seconds: summed over workers, where the runner tells.
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

    @property
    def failure_rate(self) -> float:
        """Failed pages and documents among all that were tried, 0–1."""
        return self.failed_pages / self.tried_pages if self.tried_pages else 0.0


def plan(job: Job, input_lists: tuple[str, ...]) -> Plan:
    """What there is to do.

    Raises:
        UsageError: input, output or model are unusable.
    """
    bundle = load_bundle(job.model)
    documents = inputs.find(job.inputs, input_lists)
    try:
        done = runs.done_pages(job.output, runs.committed(job.output), bundle.id, job.fingerprint)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"--output {job.output}: cannot be read ({error})") from error
    return Plan(job, inputs.select(documents, done, job.existing), bundle)


def remove_dead_runs(output: str) -> None:
    """Remove the rows that killed runs left behind, so that a plain read of the tables shows committed ones only."""
    for run_id in runs.remove_dead(output):
        log.info("removed what the unfinished run %s had left", run_id)


def run(planned: Plan, beam_options: list[str]) -> Outcome:
    """Run the pipeline.

    Raises:
        UsageError: the output or Beam's options are unusable.
        JobFailed: the pipeline broke.
    """
    job = planned.job
    try:
        pipeline = beam.Pipeline(options=PipelineOptions(beam_options))
    except (ValueError, ImportError) as error:
        raise UsageError(f"Beam refuses its options: {error}") from error
    runs.begin(job.output, job.run_id)
    started = time.monotonic()
    try:
        record = _record(planned)
        digitize.build(pipeline, list(planned.selection.documents), job, record, planned.bundle.normalization)
        with _quiet_workers(beam_options):
            result = pipeline.run()
            result.wait_until_finish()
        if not _is_committed(job):
            raise JobFailed(f"the runner ended in state {result.state} without a commit")
    except BaseException as error:
        if _is_committed(job):
            raise JobFailed(f"run {job.run_id} was committed and is kept, but then: {error}") from error
        runs.remove(job.output, job.run_id)
        if isinstance(error, (KeyboardInterrupt, JobFailed)):
            raise
        raise JobFailed(f"nothing of the run was kept: {type(error).__name__}: {error}") from error
    runs.end(job.output, job.run_id)
    failures = _failures(job)
    lost = {(f.uri, f.page_index) for f in failures if f.stage in LOSING_STAGES}
    committed = next(r for r in runs.committed(job.output) if r.run_id == job.run_id)
    return Outcome(
        run_id=job.run_id,
        pages=committed.counts["pages"],
        words=committed.counts["words"],
        failed=committed.counts["failures"],
        failed_pages=len({(f.uri, f.page_index) for f in failures}),
        tried_pages=committed.counts["pages"] + len(lost),
        seconds=time.monotonic() - started,
        failures=tuple(failures[:20]),
        stage_seconds=_stage_seconds(result),
    )


def _quiet_workers(beam_options: list[str]) -> contextlib.AbstractContextManager:
    """Holds back what local worker processes print: Beam gives them no log level, and they tell every step."""
    processes = "--direct_running_mode=multi_processing" in beam_options
    if processes and not log.isEnabledFor(logging.DEBUG):
        return hold_back_native_output()
    return contextlib.nullcontext()


def _is_committed(job: Job) -> bool:
    return bool(matching(runs.commit_path(job.output, job.run_id)))


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
        options=asdict(job),
        versions={"python": platform.python_version(), **versions},
    )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except Exception:
        return "unknown"


def _failures(job: Job) -> list[Failure]:
    found: list[Failure] = []
    columns = ["stage", "document_uri", "page_index", "error_type", "message", "traceback"]
    for metadata in matching(join(runs.table_folder(job.output, "failures", job.run_id), "*.parquet")):
        table = pq.read_table(io.BytesIO(read_bytes(metadata.path)), columns=columns)
        found += [Failure(*row) for row in zip(*(table[c].to_pylist() for c in columns), strict=True)]
    return sorted(found, key=lambda f: (f.uri, f.page_index or 0))


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


def beam_options(flags: list[str], workers: int) -> list[str]:
    """Beam's options of a job: the user's, and ours where the user said nothing.

    Raises:
        UsageError: ``flags`` holds something that neither inkbeam nor Beam knows, or a value that Beam refuses.
    """
    unknown = _unknown(flags)
    if unknown:
        raise UsageError(f"unknown option {unknown[0]}; see inkbeam digitize --help (Beam's own options pass through)")
    runner = runner_of(flags)
    options = list(flags)
    if runner is None:
        options.append(f"--runner={DEFAULT_RUNNER}")
    if workers > 1:
        if runner not in (None, *LOCAL_RUNNERS):
            raise UsageError(f"--workers is for one machine; give {runner} its own option for parallel work")
        options += [f"--direct_num_workers={workers}", "--direct_running_mode=multi_processing"]
    return options


def runner_of(flags: list[str]) -> str | None:
    """The runner named in Beam's options, or None."""
    return PipelineOptions(flags).get_all_options(drop_default=True).get("runner") if flags else None


class _BeamOptionsParser(argparse.ArgumentParser):
    """Raises where argparse would print the usage of all of Beam's options and exit."""

    def error(self, message: str):
        raise UsageError(f"{message} (one of Beam's options)")


def _unknown(flags: list[str]) -> list[str]:
    parser = _BeamOptionsParser(add_help=False, allow_abbrev=False)
    add: list[Callable] = [
        c._add_argparse_args for c in PipelineOptions.__subclasses__() if "_add_argparse_args" in vars(c)
    ]
    for add_arguments in add:
        try:
            add_arguments(parser)
        except argparse.ArgumentError:
            continue
    return parser.parse_known_args(flags)[1]


def threads_per_worker(workers: int) -> int:
    """Threads of numeric libraries in each of several workers; 0, their default, for one."""
    return max(1, (os.cpu_count() or 1) // workers) if workers > 1 else 0
