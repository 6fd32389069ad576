"""What is read of a page: its words and lines; and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from htr_model.reading import Alternative
from segmentation.decoding import PageRef
from segmentation.geometry import Box, Cell

_SCRAP_LETTERS = 4
_SCRAP_CONFIDENCE = 0.5


def is_scrap(text: str, confidence: float) -> bool:
    """Whether a line outside of tables is more probably a stroke, a stamp or a punch hole than what was read in it.

    So it is without a letter or figure, and with at most four that are less probable than not. Left out of 157 training
    pages' texts, such lines take the errors of `hooker_letters` from 12.29 to 11.86 % and of `stanford_letters` from
    19.39 to 18.48; real short lines are surer. Longer ones tell a reader something, however doubtful they are.
    """
    if not any(c.isalnum() for c in text):
        return True
    return confidence < _SCRAP_CONFIDENCE and len("".join(text.split())) <= _SCRAP_LETTERS


def line_text(line: Sequence[Word]) -> str:
    """What a line says: its words, divided by spaces."""
    return " ".join(word.text for word in line)


@dataclass(frozen=True)
class Word:
    """A word of a page.

    Attributes:
        confidence: 0–1.
        box: pixels of the page as it is displayed upright.
        line: number of its line, where lines without words are counted too; None of a line that nobody found and that
            was drawn in a review.
        turn: 0, 90 or 270 degrees clockwise by which the page must be turned to read it.
        region: number of its region, from 0 in reading order (see `segmentation.geometry.Line`).
        cell: where it stands in a table; None outside of tables.
        baseline: where it passes the word's beginning and end: rows, of a word in a margin columns; None where unknown.
        alternatives: what else it may say, the likeliest first.
        min_char_confidence: the weakest character's probability, 0–1; None of a word that comes from the tables, where
            nobody asks for it.
    """

    text: str
    confidence: float
    box: Box
    line: int | None = 0
    turn: int = 0
    region: int = 0
    cell: Cell | None = None
    baseline: tuple[int, int] | None = None
    alternatives: tuple[Alternative, ...] = ()
    min_char_confidence: float | None = None


@dataclass(frozen=True)
class TextLine:
    """A line that was read.

    Attributes:
        text: empty where nothing could be made of its ink.
        scrap: it is probably no writing, and no part of the page's text (see `is_scrap`).
    """

    text: str
    confidence: float
    box: Box
    scrap: bool = False


@dataclass(frozen=True)
class PageFacts:
    """What is known of a page before it is read.

    Attributes:
        document_pages: number of pages of its document.
        source_modified: seconds since 1970, or None.
        discarded_ink: share of the ink that is in no line, 0–1.
    """

    ref: PageRef
    document_pages: int
    source_sha256: str
    source_size: int
    source_modified: float | None
    width: int
    height: int
    dpi: float | None
    rotation_degrees: int
    skew_degrees: float
    discarded_ink: float


@dataclass(frozen=True)
class PageText:
    """A page that was read, in reading order."""

    facts: PageFacts
    lines: tuple[TextLine, ...]
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """Lines joined by newlines, empty ones and scraps left out."""
        return "\n".join(line.text for line in self.lines if line.text and not line.scrap)


@dataclass(frozen=True)
class Failure:
    """A page, or a word of one, that was set aside.

    Attributes:
        page_index: None where a whole document failed.
        stage: ``list``, ``read``, ``segment``, ``recognise``, ``assemble`` (nothing of the page could be recognised)
            or ``draw``.
        attempts: how many runs in a row failed at it, this one included.
        source_size: of the document, bytes; None at stages that know pictures only.
        source_modified: of the document, seconds since 1970.
        document_pages: number of pages of the document, where it is known.
    """

    stage: str
    uri: str
    page_index: int | None
    error_type: str
    message: str
    traceback: str
    attempts: int = 1
    source_size: int | None = None
    source_modified: float | None = None
    document_pages: int | None = None
