"""The command line's choice of how long to wait for another run on the same output."""

from __future__ import annotations

import argparse

from pipelines.errors import UsageError


def add_wait_option(group: argparse._ActionsContainer) -> None:
    """Add ``--wait``, which `wait_seconds` reads."""
    group.add_argument(
        "--wait", type=float, default=0, metavar="MINUTES", help="for another run on this output (default: 0)"
    )


def wait_seconds(arguments: argparse.Namespace) -> float:
    """How long to wait for the end of another run (`archive.lease.held`).

    Raises:
        UsageError: the time is none.
    """
    if not 0 <= arguments.wait < float("inf"):
        raise UsageError(f"--wait must be at least 0, got {arguments.wait!r}")
    return 60 * arguments.wait
