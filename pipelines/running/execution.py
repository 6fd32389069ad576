"""What digitize and retry do with a plan: hold the output, tidy it, run, and report to people and machines."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable

from pipelines import exit_codes
from pipelines.archive import lease
from pipelines.logs import tell
from pipelines.options.waiting import wait_seconds
from pipelines.running import dataflow, launch, memory
from pipelines.running.figures import Figures
from pipelines.running.outcomes import Outcome
from pipelines.running.plans import Plan, is_stale
from pipelines.running.portions import run_in_portions
from pipelines.running.telling import tell_outcome, tell_plan
from pipelines.wording import counted

log = logging.getLogger(__name__)


def carry_out(
    planned: Plan, replan: Callable[[], Plan], beam_options: list[str], arguments: argparse.Namespace, report: Figures
) -> int:
    """The exit code of a planned job that is carried out.

    Args:
        replan: makes the plan anew, for when another run was committed since it was made.

    Raises:
        UsageError: another run is at work on the output, or Beam's options are unusable.
        JobFailed: the pipeline broke as often as ``arguments.attempts`` allows.
    """
    job = planned.job
    if dataflow.is_template(beam_options) and planned.selection.documents:
        launch.leave(planned, beam_options)
        text = f"Run {job.run_id} is left to Dataflow; it commits itself at its end"
        tell("left_to_dataflow", text, run_id=job.run_id, exit_code=exit_codes.DONE)
        return exit_codes.DONE
    memory.keep_little()
    with lease.held(job.output, job.run_id, wait_seconds(arguments)):
        launch.tidy(job.output)
        if is_stale(planned):
            planned = replan()
        tell_plan(planned, report)
        if not planned.selection.documents:
            redo = " Overlays are drawn of pages as they are read: --existing redo reads them again."
            tell("nothing_to_do", f"Nothing to do.{redo if job.overlays else ''}", exit_code=exit_codes.DONE)
            return exit_codes.DONE
        documents = counted(len(planned.selection.documents), "document")
        log.info("reading %s with model %s", documents, planned.bundle.id)

        def tell_kept(outcome: Outcome) -> None:
            report.exit_code = exit_codes.FAILED
            tell_outcome(outcome, planned, report)

        outcome = run_in_portions(planned, beam_options, arguments.attempts, tell_kept)
        launch.remove_former_overlays(job)
    too_many = outcome.failure_rate > arguments.max_failure_rate
    report.exit_code = exit_codes.TOO_MANY_FAILURES if too_many else exit_codes.DONE
    tell_outcome(outcome, planned, report)
    return report.exit_code
