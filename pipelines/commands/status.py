"""``inkbeam status``: how an archive stands."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.wording import counted

SUMMARY = "tell what an archive holds, what failed and what is waiting"
RUNS_SHOWN = 15
FAILING_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("output", metavar="OUTPUT", help="folder of the tables, at any URI")
    parser.add_argument(
        "--input",
        action="extend",
        nargs="+",
        default=[],
        metavar="PATH",
        help="files, folders, globs or URIs: count what of them waits to be read",
    )
    parser.add_argument(
        "--input-list", action="append", default=[], metavar="FILE", help="text file with an input a line"
    )
    parser.add_argument(
        "--lowest", type=int, default=5, metavar="N", help="name the N pages with the lowest confidence (default: 5)"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print runs, pages done, failed and waiting, and pages to look at."""
    with hold_back_native_output():
        from pipelines.archive import runs
        from pipelines.archive.status import status
        from pipelines.files import absolute, configure

    if arguments.lowest < 0:
        raise UsageError(f"--lowest must be at least 0, got {arguments.lowest!r}")
    configure([])
    output = absolute(arguments.output)
    records = runs.known(output)
    found = status(output, records, arguments.lowest, _max_attempts(records[-1]))
    if arguments.input or arguments.input_list:
        found = replace(found, waiting=_waiting(arguments, output, records))
    if arguments.json:
        runs_ = [{**asdict(r), "pages_per_second": r.pages_per_second} for r in found.runs]
        print(json.dumps({**asdict(found), "runs": runs_}, ensure_ascii=False, indent=1))
    else:
        _print(found)
    return exit_codes.DONE


def _max_attempts(record) -> int:
    return record.options.get("max_attempts", 0)


def _waiting(arguments: argparse.Namespace, output: str, records: list) -> int:
    """Documents that a run with the latest run's model and options would read."""
    from pipelines import inputs
    from pipelines.archive import history
    from pipelines.archive.selection import select

    last = records[-1]
    documents = inputs.find([*arguments.input, *inputs.listed(arguments.input_list)])
    known = history.load(output, records, last.model_id, last.fingerprint)
    return len(select(documents, known, "skip", _max_attempts(last)).documents)


def _print(found) -> None:
    print(f"{'run':30}{'pages':>8}{'words':>10}{'failed':>8}{'pages/s':>9}{'confidence':>12}")
    for run in found.runs[-RUNS_SHOWN:]:
        confidence = "–" if run.confidence is None else f"{run.confidence:.3f}"
        note = "  lower than before: look at its scans" if run.dropped else ""
        print(
            f"{run.run_id:30}{run.pages:8,}{run.words:10,}{run.lost:8,}{run.pages_per_second:9.2f}{confidence:>12}{note}"
        )
    if len(found.runs) > RUNS_SHOWN:
        print(f"({len(found.runs) - RUNS_SHOWN} earlier runs: --json)")
    waiting = "" if found.waiting is None else f"; {counted(found.waiting, 'document')} waiting"
    done = f"{counted(found.pages, 'page')} done, {counted(found.words, 'word')}"
    print(f"\n{done}; {len(found.failing):,} failed{waiting}")
    if found.set_aside:
        print(f"{found.set_aside:,} of the failed are set aside until their files change, or inkbeam retry --all")
    gone = set(found.gone)
    if gone:
        print(f"{sum(page.document_uri in gone for page in found.failing):,} of the failed are of files that are gone")
    for page in found.failing[:FAILING_SHOWN]:
        number = "" if page.page_index is None else f", page {page.page_index + 1}"
        tries = counted(page.attempts, "run")
        note = "  (gone)" if page.document_uri in gone else ""
        print(f"  failed in {tries} ({page.stage}, {page.error_type}): {page.document_uri}{number}{note}")
    if len(found.failing) > FAILING_SHOWN:
        print(f"  … and {len(found.failing) - FAILING_SHOWN:,} more: --json")
    if found.lowest:
        print("\nlowest confidence:")
    for page in found.lowest:
        words = counted(page.word_count, "word")
        print(f"  {page.mean_confidence:.3f}  {page.document_uri}, page {page.page_index + 1}, {words}")
