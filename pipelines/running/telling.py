"""What people, logs and figures are told of a job: what is left out, what failed, and how it ended."""

from __future__ import annotations

import logging

from pipelines.job import Job
from pipelines.logs import logs_json, tell
from pipelines.page_text import Failure
from pipelines.running.figures import Figures
from pipelines.running.outcomes import Outcome
from pipelines.running.plans import Plan
from pipelines.wording import counted
from segmentation.decoding import PageRef
from segmentation.decoding.errors import place

FAILURES_SHOWN = 20


def tell_plan(planned: Plan, report: Figures) -> None:
    """Tell people and machines what is left out, and why."""
    selection = planned.selection
    report.run = {"run_id": planned.job.run_id, "model_id": planned.bundle.id}
    report.set("inkbeam_pages", "Pages read by the latest run", 0)
    report.set("inkbeam_done_pages", "Pages left out since earlier runs hold them", selection.done_pages)
    report.set("inkbeam_set_aside_pages", "Pages left out since they failed too often", len(selection.set_aside))
    if selection.done_pages:
        tell(
            "left_out",
            f"{counted(selection.done_pages, 'page')} done already and left out (--existing redo reads them again)",
            pages=selection.done_pages,
        )
    if selection.set_aside:
        tell(
            "set_aside",
            f"{counted(len(selection.set_aside), 'page')} set aside after failing in {planned.job.max_attempts} runs "
            f"in a row (inkbeam retry {planned.job.output} --all tries them again)",
            logging.WARNING,
            pages=len(selection.set_aside),
        )


def tell_outcome(outcome: Outcome, planned: Plan, report: Figures) -> None:
    """Tell people and machines what a job did: its failures first, then a summary."""
    _set_figures(outcome, report)
    _tell_failures(outcome)
    tell(
        "finished",
        _summary(outcome, planned.job),
        run_id=outcome.run_id,
        pages=outcome.pages,
        words=outcome.words,
        failures=outcome.failed,
        failed_pages=outcome.failed_pages,
        seconds=round(outcome.seconds, 3),
        mean_confidence=outcome.mean_confidence,
        exit_code=report.exit_code,
    )


def _set_figures(outcome: Outcome, report: Figures) -> None:
    report.run["run_id"] = outcome.run_id
    report.stage_seconds = outcome.stage_seconds
    for name, text, value in (
        ("pages", "Pages read by the latest run", outcome.pages),
        ("words", "Words read by the latest run", outcome.words),
        ("failed_pages", "Pages and documents with a failure in the latest run", outcome.failed_pages),
        ("failure_rate", "Share of the pages tried that failed, 0 to 1", outcome.failure_rate),
        ("run_seconds", "Time of the pipeline in the latest run", outcome.seconds),
        ("pages_per_second", "Speed of the latest run", outcome.pages / outcome.seconds),
        ("mean_confidence", "Mean confidence of the words of the latest run, 0 to 1", outcome.mean_confidence),
    ):
        report.set(f"inkbeam_{name}", text, value)


def _tell_failures(outcome: Outcome) -> None:
    # People are shown the first; in logs every page can be searched for.
    shown = outcome.failures if logs_json() else outcome.failures[:FAILURES_SHOWN]
    for failure in shown:
        page = "" if failure.page_index is None else f", page {failure.page_index + 1}"
        tell(
            "page_failed",
            f"failed ({failure.stage}): {failure.uri}{page}: {_without_place(failure)}",
            logging.WARNING,
            uri=failure.uri,
            page_index=failure.page_index,
            stage=failure.stage,
            error_type=failure.error_type,
            attempts=failure.attempts,
            run_id=outcome.run_id,
        )
    if outcome.failed > len(shown):
        tell("more_failed", f"… and {outcome.failed - len(shown)} more, all in the failures table")


def _without_place(failure: Failure) -> str:
    """A failure's message without the page that it begins with."""
    named = place(PageRef(failure.uri, failure.page_index or 0))
    return failure.message.removeprefix(f"{named}: ").removeprefix(f"{failure.uri}: ")


def _summary(outcome: Outcome, job: Job) -> str:
    """What people are told at the end: how much, how fast, and where it is."""
    several = f" and {outcome.runs - 1} more" if outcome.runs > 1 else ""
    lines = [
        f"\nRun {outcome.run_id}{several}: {counted(outcome.pages, 'page')}, {counted(outcome.words, 'word')}, "
        f"{counted(outcome.failed, 'failure')} "
        f"in {outcome.seconds:.1f} s ({outcome.pages / outcome.seconds:.2f} pages/s)"
    ]
    if outcome.stage_seconds:
        lines.append("  " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in outcome.stage_seconds.items()))
    lines.append(
        f"  tables: {job.output}/{{words,pages,failures}}/run={f'{job.run_id}*' if several else outcome.run_id}/"
    )
    if job.overlays:
        lines.append(f"  overlays: {job.overlays}")
    lost = outcome.tried_pages - outcome.pages
    if lost:
        lines.append(
            f"  left out: {counted(lost, 'page')} (inkbeam status {job.output} tells which, inkbeam retry {job.output} "
            "tries again)"
        )
    return "\n".join(lines)
