"""What digitize and retry do with a plan: hold the output, tidy it, run, and report to people and machines."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.logs import FORMATS, logs_json, tell
from pipelines.options.waiting import add_wait_option, wait_seconds
from pipelines.running import memory
from pipelines.running.figures import Figures
from pipelines.wording import counted
from segmentation.decoding import PageRef
from segmentation.decoding.errors import place

FAILURES_SHOWN = 20

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """Options that say how a job ends and what it tells; the group they are in."""
    ends = parser.add_argument_group("how it ends")
    ends.add_argument(
        "--max-failure-rate",
        type=float,
        default=0.0,
        metavar="R",
        help="exit with 1 when more pages failed (default: 0)",
    )
    ends.add_argument("--attempts", type=int, default=1, metavar="N", help="tries of a job that breaks (default: 1)")
    add_wait_option(ends)
    ends.add_argument("--metrics-file", metavar="FILE", help="also write the run's figures for Prometheus")
    ends.add_argument(
        "--log-format", choices=FORMATS, default="text", metavar="FORMAT", help="text, or json: an object a line"
    )
    return ends


def check(arguments: argparse.Namespace) -> None:
    """Nothing, for options that can be used.

    Raises:
        UsageError: one lies outside of its range.
    """
    if not 0 <= arguments.max_failure_rate <= 1:
        raise UsageError(f"--max-failure-rate must lie between 0 and 1, got {arguments.max_failure_rate!r}")
    wait_seconds(arguments)
    for name in ("workers", "attempts"):
        if getattr(arguments, name) < 1:
            raise UsageError(f"--{name} must be at least 1, got {getattr(arguments, name)!r}")


def carry_out(
    planned, replan: Callable, beam_options: list[str], arguments: argparse.Namespace, report: Figures
) -> int:
    """The exit code of a planned job that is carried out.

    Args:
        planned: `launch.Plan`.
        replan: makes the plan anew, for when another run was committed since it was made.

    Raises:
        UsageError: another run is at work on the output, or Beam's options are unusable.
        JobFailed: the pipeline broke as often as ``arguments.attempts`` allows.
    """
    from pipelines.archive import lease
    from pipelines.running import dataflow, launch, portions

    job = planned.job
    if dataflow.is_template(beam_options) and planned.selection.documents:
        launch.leave(planned, beam_options)
        text = f"Run {job.run_id} is left to Dataflow; it commits itself at its end"
        tell("left_to_dataflow", text, run_id=job.run_id, exit_code=exit_codes.DONE)
        return exit_codes.DONE
    memory.keep_little()
    with lease.held(job.output, job.run_id, wait_seconds(arguments)):
        launch.tidy(job.output)
        if launch.is_stale(planned):
            planned = replan()
        _tell_plan(planned, report)
        if not planned.selection.documents:
            redo = " Overlays are drawn of pages as they are read: --existing redo reads them again."
            tell("nothing_to_do", f"Nothing to do.{redo if job.overlays else ''}", exit_code=exit_codes.DONE)
            return exit_codes.DONE
        documents = counted(len(planned.selection.documents), "document")
        log.info("reading %s with model %s", documents, planned.bundle.id)

        def tell_kept(outcome: launch.Outcome) -> None:
            report.exit_code = exit_codes.FAILED
            _tell_outcome(outcome, planned, report)

        outcome = portions.carry_out(planned, beam_options, arguments.attempts, tell_kept)
        launch.remove_former_overlays(job)
    too_many = outcome.failure_rate > arguments.max_failure_rate
    report.exit_code = exit_codes.TOO_MANY_FAILURES if too_many else exit_codes.DONE
    _tell_outcome(outcome, planned, report)
    return report.exit_code


def _tell_plan(planned, report: Figures) -> None:
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


def _without_place(failure) -> str:
    """A failure's message without the page that it begins with."""
    named = place(PageRef(failure.uri, failure.page_index or 0))
    return failure.message.removeprefix(f"{named}: ").removeprefix(f"{failure.uri}: ")


def _tell_outcome(outcome, planned, report: Figures) -> None:
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


def _set_figures(outcome, report: Figures) -> None:
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


def _tell_failures(outcome) -> None:
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


def _summary(outcome, job) -> str:
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
