"""What a training run tells of its course while it goes on."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

FIRST_SECONDS = 15
"""Until the first line of progress, so that it is seen that it goes on."""


def write_history(history: list[dict], path: Path, columns: Iterable[str] = ()) -> None:
    """Write rows as CSV; what a row lacks is left empty in it.

    Args:
        columns: first ones of the file, also where there is no row yet; those that rows have beside them follow.
    """
    # A run that is resumed may validate on other collections, whose rates are columns.
    names = list(dict.fromkeys([*columns, *(name for row in history for name in row)]))
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=names, restval="")
        writer.writeheader()
        writer.writerows(history)
