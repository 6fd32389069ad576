"""``inkbeam evaluate-pages``: how well whole pages are found and read."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.job import DEFAULT_MODEL, UNITS
from pipelines.logs import hold_back_native_output
from pipelines.options.decoder import add_decoder_options, chosen_decoder, described
from pipelines.options.lines import add_lines_option, segmentation_settings
from pipelines.options.outputs import path_ending_in, refuse_unwritable, write_figures, writing
from pipelines.wording import counted

SUMMARY = "measure lines, words, reading order and text of pages with known lines"

log = logging.getLogger(__name__)
_REPORT_SECONDS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what to measure on")
    what.add_argument(
        "--pages",
        action="append",
        required=True,
        metavar="PATH",
        help="pages.jsonl, PAGE or ALTO files, or their folder; or a folder of page pictures with their text in .txt "
        "files of the same name, of which text alone is measured; again for more",
    )
    what.add_argument(
        "--split",
        choices=("validation", "train", "test", "all"),
        default="validation",
        help="part of data that names its splits; other data is read whole (default: validation)",
    )
    what.add_argument("--limit", type=int, metavar="N", help="at most N pages of each collection, evenly chosen")
    how = parser.add_argument_group("how to read")
    how.add_argument("--layout-only", action="store_true", help="find lines and words, read no text")
    how.add_argument("--model", default=DEFAULT_MODEL, metavar="DIR", help="model bundle (default: the one inside)")
    how.add_argument("--unit", choices=UNITS, default="line", help="what the recogniser is given (default: line)")
    add_lines_option(how)
    add_decoder_options(how)
    how.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes; seconds a page are right for one (default: 1)"
    )
    where = parser.add_argument_group("where to write")
    where.add_argument("--json", type=path_ending_in(".json"), metavar="FILE", help="also write the figures here")
    where.add_argument(
        "--report", metavar="DIR", help="also write a table of all pages and pictures of the worst ones here"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print a table of the collections; 1 when a page could not be measured."""
    for option in ("limit", "workers"):
        value = getattr(arguments, option)
        if value is not None and value < 1:
            raise UsageError(f"--{option} must be at least 1, got {value!r}")
    if arguments.json:
        refuse_unwritable("--json", arguments.json)
    if arguments.report:
        refuse_unwritable("--report", arguments.report, folder=True)
    settings = segmentation_settings(arguments.lines)
    pages, skipped = _pages(arguments)
    if arguments.layout_only and not any(page.is_placed for page in pages):
        raise UsageError("--layout-only: no page says where its lines stand; leave it out to measure their text")
    report = _folder(arguments.report)
    with hold_back_native_output():
        from pipelines import files
        from pipelines.evaluation.page_results import evaluate_pages
        from pipelines.evaluation.report import figures_by_collection, print_tables, write_report
        from pipelines.models import bundle_address, load_bundle
        from pipelines.steps.recognising import RecognizerHandler
    files.configure([])
    handler = decoder = language_model = None
    if not arguments.layout_only:
        model = bundle_address(arguments.model)
        decoder, language_model = chosen_decoder(arguments, model)
        threads = 1 if arguments.workers > 1 else 0
        handler = RecognizerHandler(model, 1, threads, decoder, language_model)
        print(f"model {load_bundle(model).id}, unit {arguments.unit}, {described(decoder, language_model)}")
    results, failures = _measured(
        evaluate_pages(pages, handler, arguments.unit, arguments.workers, settings), len(pages)
    )
    print_tables(results)
    if failures or skipped:
        left_out = counted(len(failures) + len(skipped), "page")
        print(f"{left_out} left out of these figures; mend or remove what is named above", file=sys.stderr)
    if arguments.json:
        figures = {
            "lines": arguments.lines,
            "unit": arguments.unit if handler else None,
            "decoder": asdict(decoder) if decoder else None,
            "language_model": asdict(language_model) if language_model else None,
            "split": arguments.split,
        }
        figures |= {"failed_pages": len(failures) + len(skipped), "by_collection": figures_by_collection(results)}
        write_figures(arguments.json, figures)
    if report:
        for path in write_report(report, results, pages, settings):
            print(path)
    return exit_codes.TOO_MANY_FAILURES if failures or skipped else exit_codes.DONE


def _measured(outcomes: Iterator, pages: int) -> tuple[list, list]:
    """Results and failures of ``pages`` pages; progress and failures are told.

    Raises:
        UsageError: there is no result.
    """
    from pipelines.evaluation.page_results import PageFailure

    results, failures = [], []
    reported = time.monotonic()
    for done, outcome in enumerate(outcomes, start=1):
        (failures if isinstance(outcome, PageFailure) else results).append(outcome)
        if time.monotonic() - reported > _REPORT_SECONDS:
            reported = time.monotonic()
            log.info("%d of %d pages measured", done, pages)
    for failure in failures:
        print(f"failed, left out: {failure.picture}: {failure.message}", file=sys.stderr)
    if not results:
        raise UsageError(f"none of {counted(pages, 'page')} could be measured")
    return results, failures


def _pages(arguments: argparse.Namespace) -> tuple[list, list]:
    """Pages to measure, and what of the data is no page."""
    from htr_model.data.samples import Skipped

    pages, skipped = [], []
    for path in arguments.pages:
        items = _described(path)
        skipped += [item for item in items if isinstance(item, Skipped)]
        chosen = [
            p
            for p in items
            if not isinstance(p, Skipped) and (arguments.split == "all" or p.split in (None, arguments.split))
        ]
        count = min(len(chosen), arguments.limit or len(chosen))
        pages += [chosen[i * len(chosen) // count] for i in range(count)]
    for item in skipped:
        print(f"left out: {item.id}: {item.reason}", file=sys.stderr)
    if not pages:
        raise UsageError(f"no usable page in split {arguments.split!r}; {len(skipped)} were skipped")
    return pages, skipped


def _described(path: str) -> list:
    """Pages with known lines, else those with their text beside them."""
    from htr_model.data.samples import DatasetError
    from htr_model.readers.page_truth import transcribed_pages, true_pages

    try:
        return list(true_pages(path))
    except DatasetError as error:
        transcribed = list(transcribed_pages(Path(path)))
        if not transcribed:
            beside = ", nor .txt files beside page pictures" if Path(path).is_dir() else ""
            raise DatasetError(f"{error}{beside}") from error
        return transcribed


def _folder(name: str | None) -> Path | None:
    if name is None:
        return None
    folder = Path(name)
    with writing(f"--report {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
