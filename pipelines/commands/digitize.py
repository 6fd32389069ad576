"""``inkbeam digitize``: pages in, tables out."""

from __future__ import annotations

import argparse
import datetime
import logging
import secrets

from pipelines import exit_codes
from pipelines.logs import hold_back_native_output
from pipelines.options import DEFAULT_MODEL, EXISTING, UNITS, Job, UsageError
from segmentation.decoding import DecodingSettings

SUMMARY = "read pages and write tables of words, pages and failures"
TAKES_BEAM_OPTIONS = True

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "inkbeam digitize --input PATH --output DIR [options] [Beam's options]"
    parser.epilog = "Beam's own options pass through, such as --runner."
    what = parser.add_argument_group("what to read")
    what.add_argument(
        "--input", action="extend", nargs="+", default=[], metavar="PATH", help="files, folders, globs or URIs"
    )
    what.add_argument(
        "--input-list", action="append", default=[], metavar="FILE", help="text file with an input a line"
    )
    what.add_argument(
        "--existing",
        choices=EXISTING,
        default="skip",
        help="pages done in earlier runs: leave out, read again, or refuse (default: skip)",
    )
    what.add_argument("--pdf-dpi", type=int, default=300, metavar="N", help="resolution for PDF pages (default: 300)")
    what.add_argument(
        "--max-megapixels", type=float, default=120, metavar="N", help="larger pages are refused (default: 120)"
    )
    how = parser.add_argument_group("how to read")
    how.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="DIR", help="model bundle, at any URI (default: the one inside)"
    )
    how.add_argument("--unit", choices=UNITS, default="line", help="what the recogniser is given (default: line)")
    how.add_argument(
        "--batch-size", type=int, default=64, metavar="N", help="most pictures a call of the network (default: 64)"
    )
    how.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine (default: 1)")
    where = parser.add_argument_group("where to write")
    where.add_argument("--output", required=True, metavar="DIR", help="folder of the tables, at any URI")
    where.add_argument("--overlays", metavar="DIR", help="also draw every page with what was read")
    where.add_argument("--run-id", metavar="NAME", help="name of this run (default: time and a random part)")
    ends = parser.add_argument_group("how it ends")
    ends.add_argument("--dry-run", action="store_true", help="list what would be read, and stop")
    ends.add_argument(
        "--max-failure-rate",
        type=float,
        default=0.0,
        metavar="R",
        help="exit with 1 when a larger share of the pages failed (default: 0)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Read what is to be read and print a summary."""
    with hold_back_native_output():
        from pipelines import launch

    if not 0 <= arguments.max_failure_rate <= 1:
        raise UsageError(f"--max-failure-rate must lie between 0 and 1, got {arguments.max_failure_rate!r}")
    if arguments.workers < 1:
        raise UsageError(f"--workers must be at least 1, got {arguments.workers!r}")
    options = launch.beam_options(arguments.beam_options, arguments.workers)
    planned = launch.plan(_job(arguments), tuple(arguments.input_list))
    if arguments.dry_run:
        return _print_plan(planned)
    launch.remove_dead_runs(planned.job.output)
    selection = planned.selection
    if selection.done_pages:
        print(f"{selection.done_pages} pages are done already and left out (--existing redo reads them again)")
    if not selection.documents:
        print("Nothing to do.")
        return exit_codes.DONE
    log.info("reading %d documents with model %s", len(selection.documents), planned.bundle.id)
    outcome = launch.run(planned, options)
    _print_summary(outcome, planned.job)
    return exit_codes.TOO_MANY_FAILURES if outcome.failure_rate > arguments.max_failure_rate else exit_codes.DONE


def _job(arguments: argparse.Namespace) -> Job:
    from pipelines import launch
    from pipelines.files import absolute

    try:
        decoding = DecodingSettings(pdf_dpi=arguments.pdf_dpi, max_pixels=round(arguments.max_megapixels * 1_000_000))
    except (ValueError, OverflowError) as error:
        raise UsageError(str(error)) from error
    model = arguments.model if arguments.model == DEFAULT_MODEL else absolute(arguments.model)
    return Job(
        inputs=tuple(arguments.input),
        output=absolute(arguments.output),
        run_id=arguments.run_id or _new_run_id(),
        model=model,
        unit=arguments.unit,
        existing=arguments.existing,
        batch_size=arguments.batch_size,
        overlays=absolute(arguments.overlays) if arguments.overlays else None,
        redistribute=launch.runner_of(arguments.beam_options) not in (None, *launch.LOCAL_RUNNERS),
        threads=launch.threads_per_worker(arguments.workers),
        decoding=decoding,
    )


def _new_run_id() -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def _print_plan(planned) -> int:
    from pipelines.files import printable

    selection = planned.selection
    for document in selection.documents:
        note = f"  ({len(document.done)} pages of it are done)" if document.done else ""
        print(f"{printable(document.uri)}{note}")
    print(f"{len(selection.documents)} documents would be read; {selection.done_pages} pages are done and left out")
    return exit_codes.DONE


def _print_summary(outcome, job: Job) -> None:
    for failure in outcome.failures:
        page = "" if failure.page_index is None else f", page {failure.page_index + 1}"
        print(f"failed ({failure.stage}): {failure.uri}{page}: {failure.message}")
    if outcome.failed > len(outcome.failures):
        print(f"… and {outcome.failed - len(outcome.failures)} more, all in the failures table")
    rate = outcome.pages / outcome.seconds
    print(
        f"\nRun {outcome.run_id}: {outcome.pages} pages, {outcome.words} words, {outcome.failed} failures "
        f"in {outcome.seconds:.1f} s ({rate:.2f} pages/s)"
    )
    if outcome.stage_seconds:
        print("  " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in outcome.stage_seconds.items()))
    print(f"  tables: {job.output}/{{words,pages,failures}}/run={outcome.run_id}/")
    if job.overlays:
        print(f"  overlays: {job.overlays}")
