"""Options that name a file or folder to be written: what cannot be written is wrong usage."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterable, Iterator
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


def path_ending_in(ending: str) -> Callable[[str], str]:
    """For argparse, the path of a file to be written. It must end as files of its kind do: what else stands there, as a
    scan, is not to be replaced by mistake."""

    def checked(path: str) -> str:
        if not path.lower().endswith(ending):
            raise argparse.ArgumentTypeError(f"{path}: its name must end in {ending}")
        return path

    return checked


def refuse_input(option: str, path: str, inputs: Iterable[str], what: str) -> None:
    """Refuse a file to be written that is one of those that are read.

    Args:
        what: the message calls it.

    Raises:
        UsageError: it is.
    """
    if os.path.realpath(path) in map(os.path.realpath, inputs):
        raise UsageError(f"{option} {path}: is {what}; name another file")


def refuse_unwritable(option: str, path: str, *, folder: bool = False) -> None:
    """Refuse what could not be written once the work is done. Nothing is made yet: work that fails leaves nothing.

    Args:
        folder: it is a folder to write into, else a file; folders that are missing will be made.

    Raises:
        UsageError: it is the other of the two, or it or the folder that it is made in may not be written to.
    """
    wanted = os.path.abspath(path)
    there = wanted
    while not os.path.exists(there):
        there = os.path.dirname(there)
    is_folder = os.path.isdir(there)
    if there == wanted and is_folder != folder:
        raise UsageError(f"{option} {path}: is a {'folder; name a file' if is_folder else 'file; name a folder'}")
    if there != wanted and not is_folder:
        raise UsageError(f"{option} {path}: cannot be written ({there} is a file); name another place")
    if not os.access(there, os.W_OK | os.X_OK if is_folder else os.W_OK):
        raise UsageError(f"{option} {path}: cannot be written (no permission to write to {there}); name another place")


def write_figures(path: str, figures: dict) -> None:
    """Write the file of ``--json``.

    Raises:
        UsageError: it could not be written.
    """
    with writing(f"--json {path}"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(figures, indent=1, ensure_ascii=False), encoding="utf-8")
