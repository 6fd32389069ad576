"""Pages whose lines are known: what a segmentation and a whole reading are measured against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from htr_model.data.samples import DatasetError, Skipped
from htr_model.readers.files import collection_of, name_or_none, with_usable_names
from htr_model.readers.line_crops import has_place, line_shapes, outlined
from htr_model.readers.page_rows import NOT_AS_DESCRIBED, PageRow, page_rows, typical_height
from htr_model.readers.text_files import text_lines, text_pairs
from htr_model.readers.tokens import running_text, token_groups, whole_words
from htr_model.readers.xml_files import DescribedPage, described_pages, xml_files

Corners = tuple[int, int, int, int]
"""Left, top, right and bottom of a box, pixels; right and bottom exclusive."""


@dataclass(frozen=True)
class TrueWord:
    """A word and its box. Punctuation that stands apart in the ground truth (IAM's) is part of its word."""

    text: str
    box: Corners


@dataclass(frozen=True)
class TrueLine:
    """A line of a page.

    Attributes:
        text: empty where the line was marked but not read.
        outlines: float (n, 2) each, around its ink.
        words: where the ground truth holds all words of the line.
        baseline: float (n, 2), on which its letters stand, left to right; (0, 2) where it is not known.
    """

    text: str
    outlines: tuple[np.ndarray, ...] = field(repr=False)
    words: tuple[TrueWord, ...] = ()
    baseline: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)), repr=False)


@dataclass(frozen=True)
class TruePage:
    """A page picture and its lines in reading order.

    Attributes:
        collection: name of the set it belongs to.
        picture: file of its picture.
        size: width and height, pixels, where the ground truth tells them.
        lines: all lines, also those without text. Where only the page's text is known, they have no outlines.
        line_height: usual height of a line, pixels.
        split: ``train``, ``validation`` or ``test`` where the data says so.
        writer: who wrote it, where the data says so.
    """

    collection: str
    picture: Path
    size: tuple[int, int] | None
    lines: tuple[TrueLine, ...]
    line_height: float
    split: str | None = None
    writer: str | None = None

    @property
    def text(self) -> str:
        """Text of its lines, in reading order, joined by line breaks."""
        return "\n".join(line.text for line in self.lines if line.text)

    @property
    def is_placed(self) -> bool:
        """Whether it is known where its lines stand."""
        return not self.lines or any(line.outlines for line in self.lines)


def transcribed_pages(folder: Path) -> Iterator[TruePage | Skipped]:
    """Page pictures with their text beside them, in .txt or .gt.txt files of the same name; none where there are none.
    Where their lines stand is not known.
    """
    for picture, path in text_pairs(folder) if folder.is_dir() else []:
        try:
            lines = tuple(TrueLine(text, ()) for text in text_lines(path))
        except ValueError as error:
            yield _named(Skipped(picture.name, str(error)))
        else:
            yield _named(TruePage(collection_of(folder), picture, None, lines, 0.0))


def true_pages(path: str | Path) -> Iterator[TruePage | Skipped]:
    """Pages of a data set; those that cannot be used as `Skipped`.

    Args:
        path: ``pages.jsonl``, a PAGE or ALTO file, or a folder that holds the one or the others.

    Raises:
        DatasetError: there are none.
    """
    path = Path(path)
    if path.is_dir() and (path / "pages.jsonl").is_file():
        path = path / "pages.jsonl"
    if path.is_file() and path.suffix.lower() != ".xml":
        return (_named(_of_row(row)) for row in page_rows(path))
    described = [path] if path.is_file() else xml_files(path)
    if not described:
        what = "holds no pages.jsonl, PAGE or ALTO files" if path.is_dir() else "no such file or folder"
        raise DatasetError(f"{path}: {what}")
    return (_named(_described(page)) for page in described_pages(described))


def _named(page: TruePage | Skipped) -> TruePage | Skipped:
    names = (page.picture.name, page.collection, page.writer) if isinstance(page, TruePage) else ()
    return with_usable_names(page, *names)


def _of_row(row: PageRow | Skipped) -> TruePage | Skipped:
    return row if isinstance(row, Skipped) else _usable(row.description, row.picture, row.collection, row.place)


def _described(page: DescribedPage | Skipped) -> TruePage | Skipped:
    if isinstance(page, Skipped):
        return page
    height, width = page.gray.shape
    description = {"lines": page.lines, "width": width, "height": height}
    return _usable(description, page.picture, page.collection, page.picture.name)


def _usable(page: dict, picture: Path, collection: str, place: str) -> TruePage | Skipped:
    try:
        return true_page(page, picture, collection)
    except NOT_AS_DESCRIBED as error:
        return Skipped(place, f"not a page: {error!r}")


def true_page(page: dict, picture: Path, collection: str) -> TruePage:
    """A page from its description (`htr_model.readers.page_rows.PageRow`).

    Raises:
        those of `NOT_AS_DESCRIBED`: it is no such description.
    """
    line_height = typical_height(page["lines"])
    if page["lines"] and not any(map(has_place, page["lines"])):
        raise ValueError("no coordinates of its lines")
    size = (int(page["width"]), int(page["height"])) if page.get("width") and page.get("height") else None
    lines = tuple(_line(line, line_height) for line in page["lines"])
    writer = name_or_none(page.get("writer"))
    return TruePage(collection, picture, size, lines, line_height, page.get("split"), writer)


def _line(line: dict, line_height: float) -> TrueLine:
    if line.get("error"):
        raise ValueError(line["error"])
    line = outlined(line, line_height)
    # Of a line without a place the text is known all the same.
    outlines = tuple(line_shapes(line, line_height)) if has_place(line) else ()
    baseline = np.array(line.get("baseline") or [], float).reshape(-1, 2)
    from_left = baseline[np.argsort(baseline[:, 0], kind="stable")]
    return TrueLine(running_text(line), outlines, tuple(_words(whole_words(line))), from_left)


def _words(tokens: list[dict]) -> Iterator[TrueWord]:
    texts = [str(t["text"]) for t in tokens]
    for members in token_groups(texts):
        corners = np.array([tokens[i]["bbox"] for i in members], float).reshape(-1, 4)
        corners[:, 2:] += corners[:, :2]
        (left, top), (right, bottom) = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        box = (int(left), int(top), max(int(right), int(left) + 1), max(int(bottom), int(top) + 1))
        yield TrueWord("".join(texts[i] for i in members), box)
