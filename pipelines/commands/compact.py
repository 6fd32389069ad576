"""``inkbeam compact``: many small nightly files made few."""

from __future__ import annotations

import argparse

from pipelines import exit_codes
from pipelines.archive.run_names import COMPACTED, dated_name
from pipelines.errors import UsageError
from pipelines.logs import FORMATS, hold_back_native_output, tell
from pipelines.options.waiting import add_wait_option, wait_seconds
from pipelines.wording import counted

SUMMARY = "put the small files of many runs together"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "inkbeam's own commands can go on reading. A plain glob sees all rows once, or for the seconds of --settle "
        "fails and names a file; it never sees fewer rows or rows twice."
    )
    parser.add_argument("output", metavar="OUTPUT", help="folder of the tables, at any URI")
    parser.add_argument(
        "--target-megabytes",
        type=float,
        default=256,
        metavar="N",
        help="runs of this size are left as they are, and files split at it (default: 256)",
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=10,
        metavar="SECONDS",
        help="longer than any reader takes to list the files (default: 10)",
    )
    add_wait_option(parser)
    parser.add_argument(
        "--log-format", choices=FORMATS, default="text", metavar="FORMAT", help="text, or json: an object a line"
    )


def run(arguments: argparse.Namespace) -> int:
    """Compact the output and say how many files are left."""
    with hold_back_native_output():
        from pipelines.archive import compaction, lease, runs
        from pipelines.files import absolute, configure
        from pipelines.running import launch

    for name in ("target_megabytes", "settle"):
        if not 0 < getattr(arguments, name) < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} must be above 0, got {getattr(arguments, name)!r}")
    wait = wait_seconds(arguments)
    configure([])
    output = absolute(arguments.output)
    runs.known(output)
    compaction_id = dated_name(COMPACTED)
    with lease.held(output, compaction_id, wait):
        launch.tidy(output, arguments.settle)
        target = round(arguments.target_megabytes * 1_000_000)
        done = compaction.compact(output, compaction_id, target, arguments.settle)
    if done is None:
        tell("nothing_to_do", "Nothing to do: there are not two small runs.", exit_code=exit_codes.DONE)
        return exit_codes.DONE
    tell(
        "compacted",
        f"{done.runs} runs, {counted(done.rows, 'row')}: {counted(done.files_before, 'file')} of "
        f"{_size(done.bytes_before)} became {done.files_after} of {_size(done.bytes_after)}, {output}/*/run={done.id}/",
        runs=done.runs,
        rows=done.rows,
        files_before=done.files_before,
        files_after=done.files_after,
        exit_code=exit_codes.DONE,
    )
    return exit_codes.DONE


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
