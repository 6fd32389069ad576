"""``pages.jsonl``: a JSON object a line, a page each: image, split, writer, and lines with text, bbox [x, y, w, h] and
where known polygon, baseline and words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from htr_model.data.samples import Skipped
from htr_model.data.splits import canonical_split
from htr_model.readers.described import DescribedLine, DescribedPage, DescribedWord, believed
from htr_model.readers.files import collection_of, leads_out, name_or_none

_NOT_AS_DESCRIBED = (ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError)
"""What JSON that describes something else can lead to."""


def page_rows(path: Path) -> Iterator[DescribedPage | Skipped]:
    """The pages of a file; lines that describe none or name an unknown split are `Skipped`, empty ones left out."""
    with open(path, encoding="utf-8", errors="replace") as rows:
        for number, row in enumerate(rows, start=1):
            if row.strip():
                yield page_of(row, f"{path.name}:{number}", path.parent)


def page_of(row: str, place: str, folder: Path) -> DescribedPage | Skipped:
    """The page that a row describes.

    Args:
        place: file and line of the row.
        folder: of the file.
    """
    try:
        page = json.loads(row)
        name, lines = str(page["image"]), page["lines"]
        if not isinstance(lines, list):
            raise TypeError("lines is no list")
        if leads_out(name):
            raise ValueError(f"the name {name!r:.60} leads out of the data set's folder")
        size = (int(page["width"]), int(page["height"])) if page.get("width") and page.get("height") else None
    except _NOT_AS_DESCRIBED as error:
        return Skipped(place, f"not a page: {error!r}")
    try:
        split = canonical_split(page.get("split"))
    except ValueError as error:
        return Skipped(place, str(error))
    described, writer = tuple(map(line_of, lines)), name_or_none(page.get("writer"))
    return DescribedPage(place, name, folder / name, collection_of(folder), described, size, split, writer)


def line_of(line: dict) -> DescribedLine:
    """The line that an object of a row describes; with an ``error`` where it describes none."""
    try:
        return DescribedLine(
            str(line.get("text") or ""),
            _points(line.get("polygon")),
            _points(line.get("baseline")),
            _box(line["bbox"]) if line.get("bbox") else None,
            tuple(DescribedWord(_text(word["text"]), _box(word["bbox"])) for word in line.get("words") or []),
        )
    except _NOT_AS_DESCRIBED as error:
        return DescribedLine("", error=f"not a line: {error!r}")


def _points(pairs: list[list[float]] | None) -> np.ndarray:
    return believed(np.array(pairs or [], float).reshape(-1, 2))


def _box(sides: list[float]) -> np.ndarray:
    left, top, width, height = map(float, sides)
    return believed(np.array([left, top, width, height]))


def _text(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError("a word's text is no string")
    return text
