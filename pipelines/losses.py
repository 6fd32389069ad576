"""What a command goes on without: a scan that is gone, a correction that cannot be used."""

from __future__ import annotations

import sys

from pipelines import exit_codes


class Losses:
    """Tells people of each loss when it comes, and the exit code of all of them."""

    def __init__(self):
        self._count = 0

    def __call__(self, error: object) -> None:
        """Tell of a loss."""
        self._count += 1
        print(f"failed: {error}", file=sys.stderr)

    @property
    def exit_code(self) -> int:
        return exit_codes.TOO_MANY_FAILURES if self._count else exit_codes.DONE
