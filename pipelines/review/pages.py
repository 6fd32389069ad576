"""Pages that were read, as web pages on which they can be compared with their scans and corrected.

A folder of plain files that any browser opens without a server. What is saved there is PAGE XML, which names the
picture that lies in the folder: put beside it, ``train``, ``evaluate`` and ``evaluate-pages`` take it for truth.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import os
from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace
from importlib.resources import files

import numpy as np
import pyarrow as pa

from pipelines.archive.transcripts import Transcript
from pipelines.corrections import SavedLine
from pipelines.files import page_stem
from pipelines.formats.page_xml import to_page
from pipelines.page_text import Word
from pipelines.review.html import template
from segmentation.geometry import Box, union

_MARGIN = 0.15
"""Of a line's height, shown above and below it: its letters' ends reach there."""
ASSETS = ("review.css", "index.js", "page.js")
"""Files beside the pages that all of them need."""


@dataclass(frozen=True)
class Entry:
    """A page among others.

    Attributes:
        name: of its files, without an ending.
        title: what a reader knows it by.
        words: how many were read.
        doubtful: how many of them are wrong, by their confidence.
    """

    name: str
    title: str
    words: int
    doubtful: float


@dataclass(frozen=True)
class Strip:
    """The part of a page's picture that shows a line, upright and level.

    Attributes:
        view: SVG's ``viewBox``.
        transform: SVG's, of the page's picture.
        ratio: width by height.
    """

    view: str
    transform: str
    ratio: float


def strip(line: Sequence[Word]) -> Strip:
    """Where a line is seen."""
    turn = line[0].turn
    # The page is turned around its upper left corner, and then around the line's beginning, until that is level.
    boxes = [word.box.turned(turn) for word in line]
    angle = _fall(line, boxes, turn)
    pivot = union(boxes)
    x, y = pivot.left, pivot.top
    across, down = math.cos(angle), math.sin(angle)
    sides = []
    for box in boxes:
        right, below = (box.left + box.right) / 2 - x, (box.top + box.bottom) / 2 - y
        middle = x + right * across + below * down, y + below * across - right * down
        sides.append([middle[k] + sign * size / 2 for sign in (-1, 1) for k, size in ((0, box.width), (1, box.height))])
    (left, top), (right, bottom) = np.min(sides, axis=0)[:2], np.max(sides, axis=0)[2:]
    margin = _MARGIN * (bottom - top)
    view = [left - margin, top - margin, right - left + 2 * margin, bottom - top + 2 * margin]
    transform = f"rotate({-math.degrees(angle):.2f} {x} {y}) rotate({turn})"
    return Strip(" ".join(str(round(side)) for side in view), transform, round(view[2] / view[3], 3))


def _fall(line: Sequence[Word], boxes: Sequence[Box], turn: int) -> float:
    """Angle by which a line falls, radians; 0 where its baseline is not known or shorter than twice its height."""
    length = boxes[-1].right - boxes[0].left
    if line[0].baseline is None or line[-1].baseline is None or length < 2 * boxes[0].height:
        return 0.0
    drop = line[-1].baseline[1] - line[0].baseline[0]
    return math.atan((-drop if turn == 270 else drop) / length)


def entries(pages: pa.Table) -> list[Entry]:
    """Pages for the list, in its order.

    Args:
        pages: `Archive.pages`, in that order.
    """
    uris = pages["document_uri"].to_pylist()
    # What all paths begin with says nothing.
    shared = os.path.commonprefix(uris).rpartition("/")[0]
    made = []
    for row in pages.to_pylist():
        uri, index, documents = row["document_uri"], row["page_index"], row["document_pages"] or 0
        path = uri[len(shared) :].lstrip("/")
        title = path if documents < 2 else f"{path}, page {index + 1}"
        doubtful = row["word_count"] * (1 - (row["mean_confidence"] or 0))
        made.append(Entry(page_stem(uri, index, documents), title, row["word_count"], doubtful))
    return made


class WebPages:
    """Makes the web pages of some entries."""

    def __init__(self, listed: Sequence[Entry]):
        self._index, self._page = (template(name) for name in ("index.html", "page.html"))
        self._listed = listed
        self._places = {entry.name: i for i, entry in enumerate(listed)}

    def index(self, title: str, corrected: set[str]) -> bytes:
        """The list, as HTML.

        Args:
            corrected: names of the pages that were.
        """
        return self._index.render(title=title, entries=self._listed, corrected=corrected).encode()

    def page(self, page: Transcript, corrected: list[SavedLine] | None = None, missing: str | None = None) -> bytes:
        """A page of the list beside its picture, as HTML.

        Args:
            corrected: its lines as `Corrections.of` gives them; None where nothing was corrected.
            missing: why there is no picture; None where there is one.
        """
        i = self._places[page.name]
        entry = self._listed[i]
        before = self._listed[i - 1] if i else None
        after = self._listed[i + 1] if i + 1 < len(self._listed) else None
        page = replace(page, picture=page.review_picture)
        draft = None
        if corrected is not None:
            numbers = itertools.count()
            draft = [
                (line.block, f"new{next(numbers)}", line.text, astuple(line.box))
                if line.number is None
                else (line.block, f"line{line.number}", line.text, None)
                for line in corrected
            ]
        script = {
            "name": page.name,
            "read": page.read_at.isoformat(),
            "xml": to_page(page).decode(),
            "corrected": draft,
            "saved": hashlib.sha256(json.dumps(draft).encode()).hexdigest()[:12],
        }
        shown = {"page": page, "entry": entry, "before": before, "after": after, "missing": missing}
        return self._page.render(**shown, strip=strip, script=script).encode()


def assets() -> dict[str, bytes]:
    """Content of the files of `ASSETS` by name."""
    return {name: (files(__package__) / "templates" / name).read_bytes() for name in ASSETS}
