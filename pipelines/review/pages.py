"""Pages that were read, as web pages on which they can be compared with their scans and corrected.

A folder of plain files that any browser opens without a server. What is saved there is PAGE XML, which names the
picture that lies in the folder: put beside it, ``train``, ``evaluate`` and ``evaluate-pages`` take it for truth.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import files

import pyarrow as pa
from jinja2 import Environment, PackageLoader

from pipelines.files import page_stem
from pipelines.formats.page_xml import to_page
from pipelines.page_pictures import ENDING
from pipelines.transcripts import PageWord, Transcript
from segmentation.geometry import union

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
        picture: name of its picture's file, another one when the scan is: a correction keeps the picture that it is of.
    """

    name: str
    title: str
    words: int
    doubtful: float
    picture: str


@dataclass(frozen=True)
class Strip:
    """The part of a page's picture that shows a line, upright.

    Attributes:
        view: SVG's ``viewBox``, in pixels of the page after it was turned around its upper left corner.
        ratio: width by height.
    """

    view: str
    ratio: float


def strip(line: Sequence[PageWord], turn: int) -> Strip:
    """Where a line is seen.

    Args:
        turn: 0, 90 or 270 degrees clockwise by which the page must be turned to read it.
    """
    box = union([word.box for word in line]).turned(turn)
    margin = round(_MARGIN * box.height)
    width, height = box.width + 2 * margin, box.height + 2 * margin
    return Strip(f"{box.left - margin} {box.top - margin} {width} {height}", round(width / height, 3))


def entries(pages: pa.Table) -> list[Entry]:
    """Pages for the list, in its order.

    Args:
        pages: rows of `transcripts.latest_pages`, in that order.
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
        name, turn = page_stem(uri, index, documents), row["rotation_degrees"] or 0
        picture = f"{name}-{row['source_sha256'][:6]}{f'-{turn}' if turn else ''}{ENDING}"
        made.append(Entry(name, title, row["word_count"], doubtful, picture))
    return made


class WebPages:
    """Makes the web pages of some entries."""

    def __init__(self, listed: Sequence[Entry]):
        environment = Environment(loader=PackageLoader(__package__), autoescape=True, trim_blocks=True)
        self._index, self._page = (environment.get_template(name) for name in ("index.html", "page.html"))
        self._listed = listed
        self._places = {entry.name: i for i, entry in enumerate(listed)}

    def picture(self, page: Transcript) -> str:
        """Name of a page's picture."""
        return self._listed[self._places[page.name]].picture

    def index(self, title: str) -> bytes:
        """The list, as HTML."""
        return self._index.render(title=title, entries=self._listed).encode()

    def page(self, page: Transcript, missing: str | None = None) -> bytes:
        """A page of the list beside its picture, as HTML.

        Args:
            missing: why there is no picture; None where there is one.
        """
        i = self._places[page.name]
        entry = self._listed[i]
        before = self._listed[i - 1] if i else None
        after = self._listed[i + 1] if i + 1 < len(self._listed) else None
        xml = to_page(replace(page, picture=entry.picture)).decode()
        return self._page.render(
            page=page, entry=entry, before=before, after=after, missing=missing, strip=strip, xml=xml
        ).encode()


def assets() -> dict[str, bytes]:
    """Content of the files of `ASSETS` by name."""
    return {name: (files(__package__) / "templates" / name).read_bytes() for name in ASSETS}
