"""What ends a command, by its exit code."""

from __future__ import annotations


class UsageError(Exception):
    """The job cannot begin as it was asked for: exit code 2."""


class JobFailed(Exception):
    """The pipeline broke; the message says what was kept of the job: exit code 3."""
