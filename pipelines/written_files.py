"""Files that a command writes for who called it: what cannot be written is wrong usage."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import UsageError


@contextmanager
def writing(named: str) -> Iterator[None]:
    """What is done inside writes what ``named`` says, an option and its path.

    Raises:
        UsageError: it could not be written.
    """
    try:
        yield
    except OSError as error:
        raise UsageError(f"{named}: cannot be written ({error})") from error


def write_figures(path: str, figures: dict) -> None:
    """Write the file of ``--json``.

    Raises:
        UsageError: it could not be written.
    """
    with writing(f"--json {path}"):
        Path(path).write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")
