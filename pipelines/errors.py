"""What ends a command, by its exit code."""

from __future__ import annotations


class UsageError(Exception):
    """The job cannot begin as it was asked for: exit code 2."""


class JobFailed(Exception):
    """The pipeline broke; the message says what was kept of the job: exit code 3.

    Attributes:
        kept: the outcome of the portions that had been committed (`launch.Outcome`); None where there is none.
    """

    def __init__(self, message: str, kept=None):
        super().__init__(message)
        self.kept = kept
