"""Pages whose lines are known: what a segmentation and a whole reading are measured against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from htr_model.data.samples import DatasetError, Skipped
from htr_model.readers.described import DescribedLine, DescribedPage, DescribedWord
from htr_model.readers.files import collection_of, with_usable_names
from htr_model.readers.line_crops import line_shapes
from htr_model.readers.page_rows import page_rows
from htr_model.readers.text_files import text_lines, text_pairs
from htr_model.readers.tokens import token_groups
from htr_model.readers.xml_files import pages_with_pictures, xml_files

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
        pages = page_rows(path)
    else:
        described = [path] if path.is_file() else xml_files(path)
        if not described:
            what = "holds no pages.jsonl, PAGE or ALTO files" if path.is_dir() else "no such file or folder"
            raise DatasetError(f"{path}: {what}")
        pages = (page if isinstance(page, Skipped) else page[0] for page in pages_with_pictures(described))
    return (_named(page if isinstance(page, Skipped) else true_page(page)) for page in pages)


def _named(page: TruePage | Skipped) -> TruePage | Skipped:
    names = (page.picture.name, page.collection, page.writer) if isinstance(page, TruePage) else ()
    return with_usable_names(page, *names)


def true_page(page: DescribedPage) -> TruePage | Skipped:
    """A page as it is measured against; `Skipped` where one of its lines cannot be used, or none has a place."""
    height = page.line_height
    try:
        lines = tuple(_line(line, height) for line in page.lines)
        if lines and not any(line.outlines for line in lines):
            raise ValueError("no coordinates of its lines")
    except ValueError as error:
        return Skipped(page.place, f"not a page: {error}")
    return TruePage(page.collection, page.picture, page.size, lines, height, page.split, page.writer)


def _line(line: DescribedLine, line_height: float) -> TrueLine:
    if line.error:
        raise ValueError(line.error)
    # Of a line without a place the text is known all the same.
    outlines = tuple(line_shapes(line, line_height))
    from_left = line.baseline[np.argsort(line.baseline[:, 0], kind="stable")]
    return TrueLine(line.running_text, outlines, tuple(_words(line.whole_words)), from_left)


def _words(tokens: tuple[DescribedWord, ...]) -> Iterator[TrueWord]:
    texts = [token.text for token in tokens]
    for members in token_groups(texts):
        corners = np.array([tokens[i].box for i in members])
        corners[:, 2:] += corners[:, :2]
        (left, top), (right, bottom) = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
        box = (int(left), int(top), max(int(right), int(left) + 1), max(int(bottom), int(top) + 1))
        yield TrueWord("".join(texts[i] for i in members), box)
