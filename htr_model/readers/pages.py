"""How the description of a page becomes samples of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from htr_model.charset import canonical_text
from htr_model.data.pictures import decode_gray
from htr_model.data.samples import Item, Sample, Skipped
from htr_model.readers.files import file_bytes, name_or_none
from htr_model.readers.line_crops import line_crop, outlined
from htr_model.readers.page_rows import NOT_AS_DESCRIBED, page_rows, typical_height
from htr_model.readers.tokens import running_text


def read_pages(path: Path) -> Iterator[Item]:
    """Lines of the pages of a ``pages.jsonl`` (`htr_model.readers.page_rows`)."""
    for row in page_rows(path):
        if isinstance(row, Skipped):
            yield row
            continue
        try:
            gray = decode_gray(file_bytes(row.picture))
        except ValueError as error:
            yield Skipped(str(row.description["image"]), str(error))
            continue
        yield from page_lines(row.description, gray, row.collection)


def page_lines(page: dict, gray: np.ndarray, collection: str) -> Iterator[Item]:
    """Samples of a page's lines.

    Args:
        page: as `htr_model.readers.page_rows` describes it; a line with an ``error`` is skipped with it.
        gray: uint8 (height, width), its picture.
    """
    try:
        typical = typical_height([line for line in page["lines"] if isinstance(line, dict)])
    except NOT_AS_DESCRIBED as error:
        yield Skipped(str(page["image"]), f"not a page: {error!r}")
        return
    for index, line in enumerate(page["lines"]):
        identifier = f"{page['image']}#{index}"
        try:
            text = canonical_text(running_text(line))
            line = outlined(line, typical)
            reason = "no text" if not text else _unusable(line)
            crop = None if reason else line_crop(gray, line, typical)
        except NOT_AS_DESCRIBED as error:
            yield Skipped(identifier, f"not a line: {error!r}")
            continue
        if reason:
            yield Skipped(identifier, reason)
        elif crop is None:
            yield Skipped(identifier, "the line lies outside the page")
        else:
            yield Sample(
                identifier,
                text,
                crop,
                collection=collection,
                writer=name_or_none(page.get("writer")),
                group=Path(str(page["image"])).name,
                split=page.get("split"),
            )


def _unusable(line: dict) -> str | None:
    """Why a line cannot be cut out, where that is plain before it is tried."""
    if line.get("error"):
        return str(line["error"])
    if not any(line.get(key) for key in ("polygon", "bbox", "words")):
        return "no coordinates of its outline"
    return None
