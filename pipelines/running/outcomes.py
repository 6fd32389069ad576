"""What runs of a job did, from their tables and from the runner."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from pipelines.archive import runs, tables
from pipelines.archive.rows import LOSING_STAGES
from pipelines.job import Job
from pipelines.page_text import Failure

log = logging.getLogger(__name__)


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


def outcome_of(job: Job, seconds: float, result) -> Outcome:
    """What a committed run did.

    Args:
        seconds: that it took, from start to commit.
        result: Beam's, which tells the time of the stages where the runner has metrics.
    """
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
        stage_seconds=_stage_seconds(result),
        mean_confidence=_mean_confidence(job),
    )


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
