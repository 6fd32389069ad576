"""The rows of the output tables, and their schemas.

Columns are only ever added, at the end; `VERSION` counts the additions and stands in every file's metadata.
"""

from __future__ import annotations

import datetime
import itertools

import pyarrow as pa

from htr_model.reading import Alternative
from pipelines.page_text import Failure, PageText, Word
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
            "line_index": line,
            "word_index": number,
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
        for line, words in itertools.groupby(page.words, lambda word: word.line)
        for number, word in enumerate(words)
    ]


WORD_COLUMNS = [name for name in WORDS.names if name not in ("min_char_confidence", "model_id")]
"""What `word_of_row` takes of a row, and what says which word of which page it is and which run read it."""


def word_of_row(row: dict) -> Word:
    """The word of a row of the words table. Tables of earlier versions know upright words only, no regions, no cells,
    or no baselines; words are then in a region with those that are read in their direction.
    """
    turn, start = row["turn_degrees"] or 0, row["baseline_start"]
    return Word(
        text=row["text"],
        confidence=row["confidence"],
        box=Box(*(row[side] for side, _ in _BOX)),
        line=row["line_index"],
        turn=turn,
        region=turn // 90 if row["region_index"] is None else row["region_index"],
        cell=None if row["table_row"] is None else Cell(row["table_row"], row["table_column"]),
        baseline=None if start is None else (start, row["baseline_end"]),
        alternatives=tuple(Alternative(**other) for other in row["alternatives"] or () if other["text"] != row["text"]),
    )


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
