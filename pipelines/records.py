"""The rows of the output tables, and their schemas.

Columns are only ever added, at the end; `VERSION` counts the additions and stands in every file's metadata.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import pyarrow as pa

from htr_model.reading import Alternative
from segmentation.decoding import PageRef
from segmentation.geometry import Box, Cell

VERSION = "6"
_METADATA = {b"inkbeam_schema_version": VERSION.encode()}

_ALTERNATIVES = pa.list_(pa.struct([("text", pa.string()), ("confidence", pa.float32())]))
_BOX = [(side, pa.int32()) for side in ("left", "top", "right", "bottom")]
_TIME = pa.timestamp("us", tz="UTC")

WORDS = pa.schema(
    [
        ("document_uri", pa.string()),
        ("page_index", pa.int32()),
        ("line_index", pa.int32()),
        ("word_index", pa.int32()),
        ("text", pa.string()),
        ("confidence", pa.float32()),
        ("min_char_confidence", pa.float32()),
        ("alternatives", _ALTERNATIVES),
        *_BOX,
        ("model_id", pa.string()),
        ("run_id", pa.string()),
        ("turn_degrees", pa.int32()),
        ("region_index", pa.int32()),
        ("table_row", pa.int32()),
        ("table_column", pa.int32()),
        ("baseline_start", pa.int32()),
        ("baseline_end", pa.int32()),
    ],
    metadata=_METADATA,
)

PAGES = pa.schema(
    [
        ("document_uri", pa.string()),
        ("page_index", pa.int32()),
        ("source_sha256", pa.string()),
        ("source_size", pa.int64()),
        ("source_modified", _TIME),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("dpi", pa.float32()),
        ("rotation_degrees", pa.int32()),
        ("skew_degrees", pa.float32()),
        ("text", pa.string()),
        ("lines", pa.list_(pa.struct([("text", pa.string()), ("confidence", pa.float32()), *_BOX]))),
        ("word_count", pa.int32()),
        ("mean_confidence", pa.float32()),
        ("model_id", pa.string()),
        ("run_id", pa.string()),
        ("processed_at", _TIME),
        ("document_pages", pa.int32()),
        ("discarded_ink", pa.float32()),
    ],
    metadata=_METADATA,
)

FAILURES = pa.schema(
    [
        ("document_uri", pa.string()),
        ("page_index", pa.int32()),
        ("stage", pa.string()),
        ("error_type", pa.string()),
        ("message", pa.string()),
        ("traceback", pa.string()),
        ("attempts", pa.int32()),
        ("run_id", pa.string()),
        ("failed_at", _TIME),
        ("source_size", pa.int64()),
        ("source_modified", _TIME),
        ("document_pages", pa.int32()),
    ],
    metadata=_METADATA,
)

TABLES = {"words": WORDS, "pages": PAGES, "failures": FAILURES}

LOSING_STAGES = ("list", "read", "segment", "assemble")
"""Stages at which a failure costs a page or a document; at the others it costs some writing, or an overlay."""


@dataclass(frozen=True)
class Word:
    """A word that was read: its place, text and confidence (0–1), and what else it may say, the likeliest first.

    Attributes:
        turn: 0, 90 or 270 degrees clockwise by which the page must be turned to read it.
        region: number of its region, from 0 in reading order (see `segmentation.geometry.Line`).
        cell: where it stands in a table; None outside of tables.
        baseline: where it passes the word's beginning and end: rows, of a word in a margin columns; None where unknown.
    """

    line_index: int
    word_index: int
    text: str
    confidence: float
    min_char_confidence: float
    box: Box
    alternatives: tuple[Alternative, ...] = ()
    turn: int = 0
    region: int = 0
    cell: Cell | None = None
    baseline: tuple[int, int] | None = None


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


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def timestamp(seconds: float | None) -> datetime.datetime | None:
    """A moment as the tables hold it, in microseconds; None stays None."""
    return None if seconds is None else datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def word_rows(page: PageText, model_id: str, run_id: str) -> list[dict]:
    """Rows of the words table."""
    return [
        {
            "document_uri": page.facts.ref.uri,
            "page_index": page.facts.ref.page_index,
            "line_index": word.line_index,
            "word_index": word.word_index,
            "text": word.text,
            "confidence": word.confidence,
            "min_char_confidence": word.min_char_confidence,
            "alternatives": [{"text": a.text, "confidence": a.confidence} for a in word.alternatives],
            **_sides(word.box),
            "model_id": model_id,
            "run_id": run_id,
            "turn_degrees": word.turn,
            "region_index": word.region,
            "table_row": word.cell.row if word.cell else None,
            "table_column": word.cell.column if word.cell else None,
            "baseline_start": word.baseline[0] if word.baseline else None,
            "baseline_end": word.baseline[1] if word.baseline else None,
        }
        for word in page.words
    ]


def page_row(page: PageText, model_id: str, run_id: str) -> dict:
    """Row of the pages table."""
    facts = page.facts
    confidences = [word.confidence for word in page.words]
    return {
        "document_uri": facts.ref.uri,
        "page_index": facts.ref.page_index,
        "source_sha256": facts.source_sha256,
        "source_size": facts.source_size,
        "source_modified": timestamp(facts.source_modified),
        "width": facts.width,
        "height": facts.height,
        "dpi": facts.dpi,
        "rotation_degrees": facts.rotation_degrees,
        "skew_degrees": facts.skew_degrees,
        "text": page.text,
        "lines": [{"text": x.text, "confidence": x.confidence, **_sides(x.box)} for x in page.lines],
        "word_count": len(page.words),
        "mean_confidence": sum(confidences) / len(confidences) if confidences else None,
        "model_id": model_id,
        "run_id": run_id,
        "processed_at": _now(),
        "document_pages": facts.document_pages,
        "discarded_ink": facts.discarded_ink,
    }


def failure_row(failure: Failure, run_id: str) -> dict:
    """Row of the failures table."""
    return {
        "document_uri": failure.uri,
        "page_index": failure.page_index,
        "stage": failure.stage,
        "error_type": failure.error_type,
        "message": failure.message,
        "traceback": failure.traceback,
        "attempts": failure.attempts,
        "run_id": run_id,
        "failed_at": _now(),
        "source_size": failure.source_size,
        "source_modified": timestamp(failure.source_modified),
        "document_pages": failure.document_pages,
    }


def _sides(box: Box) -> dict[str, int]:
    return {"left": box.left, "top": box.top, "right": box.right, "bottom": box.bottom}
