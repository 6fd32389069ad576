"""Pictures and samples of a data set's files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from htr_model.charset import canonical_text
from htr_model.data.samples import Item, Sample, Skipped
from htr_model.printable import printable
from htr_model.readers.pictures import decode_gray

PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".avif", ".bmp", ".jp2", ".j2k")
_MAX_BYTES = 512 * 2**20
"""Larger picture files are not read."""


def file_bytes(path: Path) -> bytes:
    """Content of a picture's file; empty, and so no picture, where there is none or it is larger than 512 MB."""
    try:
        return path.read_bytes() if path.stat().st_size <= _MAX_BYTES else b""
    except (OSError, ValueError):  # a name with a NUL, which no file can have
        return b""


def collection_of(folder: Path) -> str:
    """Name of the folder that a data set lies in, however the path to it was typed: splits are drawn by it."""
    return os.path.basename(os.path.abspath(folder))


def picture_in(folders: list[Path], name: str) -> Path | None:
    """The file of a name, as a data set's table gives it, in the first of its folders that holds it; None for none.

    Raises:
        ValueError: the name would lead out of them.
    """
    if leads_out(name):
        raise ValueError("name leads out of the data set's folder")
    try:
        return next((folder / name for folder in folders if (folder / name).is_file()), None)
    except OSError:  # longer than any name may be
        return None


def name_or_none(value: object) -> str | None:
    """A writer or form as text, however a file writes it."""
    return None if value is None else str(value)


T = TypeVar("T")


def with_usable_names(item: T | Skipped, *names: str | None) -> T | Skipped:
    """The item; one with a name that no table can hold as `Skipped`, and what is skipped anyhow in printable words.

    Args:
        names: what else is written of an item that is not skipped; the first is its id.
    """
    if isinstance(item, Skipped):
        return Skipped(printable(item.id), printable(item.reason))
    if all(printable(name) == name for name in names if name):
        return item
    return Skipped(printable(names[0]), "a name is not valid UTF-8; rename the file or folder")


def leads_out(name: str) -> bool:
    """Whether a name from a file would lead out of that file's folder."""
    return Path(name).is_absolute() or ".." in Path(name).parts


def sample(identifier: str, text: str | None, data: bytes, **attributes) -> Item:
    """The sample of an encoded picture and its text; `Skipped` where either cannot be used."""
    text = canonical_text(text or "")
    if not text:
        return Skipped(identifier, "no text")
    try:
        return Sample(identifier, text, decode_gray(data), **attributes)
    except ValueError as error:
        return Skipped(identifier, str(error))
