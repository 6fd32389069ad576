"""The command line's options of how a job ends and what it tells."""

from __future__ import annotations

import argparse

from pipelines.errors import UsageError
from pipelines.logs import FORMATS
from pipelines.options.waiting import add_wait_option, wait_seconds


def add_ending_options(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """The group of the options that say how a job ends and what it tells."""
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


def check_ending(arguments: argparse.Namespace) -> None:
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
