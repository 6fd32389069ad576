"""``pages.jsonl``: a JSON object a line, a page each: image, split, writer, and lines with text, bbox [x, y, w, h] and
where known polygon, baseline and words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from htr_model.data.samples import Skipped
from htr_model.data.splits import canonical_split
from htr_model.readers.files import collection_of, leads_out

NOT_AS_DESCRIBED = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError, cv2.error,
)  # fmt: skip
"""What a description that is none can lead to."""


@dataclass(frozen=True)
class PageRow:
    """A page as a file describes it.

    Attributes:
        place: file and line of the description, for messages.
        picture: file of its picture, which need not exist.
        collection: name of the folder that the file lies in.
        description: of the page; ``lines`` is a list, ``split`` as `canonical_split` says it.
    """

    place: str
    picture: Path
    collection: str
    description: dict = field(repr=False)


def page_rows(path: Path) -> Iterator[PageRow | Skipped]:
    """The pages of a file; lines that describe none or name an unknown split are `Skipped`, empty ones left out."""
    with open(path, encoding="utf-8", errors="replace") as rows:
        for number, row in enumerate(rows, start=1):
            if not row.strip():
                continue
            place = f"{path.name}:{number}"
            try:
                page = json.loads(row)
                name = str(page["image"])
                if not isinstance(page["lines"], list):
                    raise TypeError("lines is no list")
                if leads_out(name):
                    raise ValueError(f"the name {name!r:.60} leads out of the data set's folder")
            except NOT_AS_DESCRIBED as error:
                yield Skipped(place, f"not a page: {error!r}")
                continue
            try:
                page["split"] = canonical_split(page.get("split"))
            except ValueError as error:
                yield Skipped(place, str(error))
            else:
                yield PageRow(place, path.parent / name, collection_of(path.parent), page)


def typical_height(lines: list[dict]) -> float:
    """Median height of some lines' boxes, pixels; 0 where none has one.

    Raises:
        TypeError, ValueError, AttributeError, IndexError: a line or a box is none.
    """
    heights = [float(line["bbox"][3]) for line in lines if line.get("bbox")]
    return float(np.median(heights)) if heights else 0.0
