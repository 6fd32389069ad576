import io
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from htr_model.reading import Alternative
from pipelines.archive import rows
from pipelines.page_text import Failure, PageFacts, PageText, TextLine, Word
from segmentation.decoding import PageRef
from segmentation.geometry import Box, Cell

REF = PageRef("/scans/letter.png", 2)
FACTS = PageFacts(REF, 5, "ab" * 32, 2**40, 1_700_000_000.123456, 640, 280, 300.0, 90, -1.5, 0.25)
LINES = (
    TextLine("My dear", 0.5, Box(1, 2, 30, 12)),
    TextLine("", 0.0, Box(1, 20, 9, 30)),
    TextLine("Eléonore", 0.75, Box(1, 40, 50, 52)),
)
WORDS = (
    Word("My", 0.5, Box(1, 2, 10, 12), min_char_confidence=0.25),
    Word("dear", 0.5, Box(12, 2, 30, 12), min_char_confidence=0.5),
    Word("Eléonore", 0.75, Box(1, 40, 50, 52), 2, 270, 1, Cell(3, 2), (4, 6), (Alternative("Leonore", 0.125),), 0.5),
)
PAGE = PageText(FACTS, LINES, WORDS)


def through_parquet(rows: list[dict], schema: pa.Schema) -> pa.Table:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema), buffer, compression="zstd")
    return pq.read_table(buffer)


def test_word_rows_come_back_from_parquet():
    read = through_parquet(rows.word_rows(PAGE, "model", "night-1"), rows.WORDS).to_pylist()
    assert read[1] == {
        "document_uri": "/scans/letter.png",
        "page_index": 2,
        "line_index": 0,
        "word_index": 1,
        "text": "dear",
        "confidence": 0.5,
        "min_char_confidence": 0.5,
        "alternatives": [],
        "left": 12,
        "top": 2,
        "right": 30,
        "bottom": 12,
        "model_id": "model",
        "run_id": "night-1",
        "turn_degrees": 0,
        "region_index": 0,
        "table_row": None,
        "table_column": None,
        "baseline_start": None,
        "baseline_end": None,
    }
    assert [(r["baseline_start"], r["baseline_end"]) for r in read] == [(None, None), (None, None), (4, 6)]
    assert [(r["turn_degrees"], r["region_index"]) for r in read] == [(0, 0), (0, 0), (270, 1)]
    assert [(r["table_row"], r["table_column"]) for r in read] == [(None, None), (None, None), (3, 2)]
    assert [(r["line_index"], r["word_index"], r["text"]) for r in read] == [
        (0, 0, "My"),
        (0, 1, "dear"),
        (2, 0, "Eléonore"),
    ]


def test_words_of_rows_are_those_that_were_written():
    read = through_parquet(rows.word_rows(PAGE, "model", "night-1"), rows.WORDS).select(rows.WORD_COLUMNS).to_pylist()
    assert [rows.word_of_row(row) for row in read] == [replace(word, min_char_confidence=None) for word in WORDS]


def test_page_row_comes_back_from_parquet():
    (row,) = through_parquet([rows.page_row(PAGE, "model", "night-1")], rows.PAGES).to_pylist()
    assert row["text"] == "My dear\nEléonore"
    assert row["lines"][1] == {"text": "", "confidence": 0.0, "left": 1, "top": 20, "right": 9, "bottom": 30}
    assert [x["text"] for x in row["lines"]] == ["My dear", "", "Eléonore"]
    assert row["source_modified"].timestamp() == FACTS.source_modified
    assert row["source_modified"].utcoffset().total_seconds() == 0
    assert row["mean_confidence"] == pytest.approx((0.5 + 0.5 + 0.75) / 3)
    plain = {
        "document_uri": "/scans/letter.png",
        "page_index": 2,
        "document_pages": 5,
        "source_sha256": "ab" * 32,
        "source_size": 2**40,
        "width": 640,
        "height": 280,
        "dpi": 300.0,
        "rotation_degrees": 90,
        "skew_degrees": -1.5,
        "word_count": 3,
        "model_id": "model",
        "run_id": "night-1",
        "discarded_ink": 0.25,
    }
    assert {name: row[name] for name in plain} == plain


def test_empty_page_has_a_row_without_confidence():
    facts = PageFacts(REF, 1, "", 0, None, 10, 10, None, 0, 0.0, 0.0)
    (row,) = through_parquet([rows.page_row(PageText(facts, (), ()), "m", "r")], rows.PAGES).to_pylist()
    assert (row["text"], row["lines"], row["word_count"], row["mean_confidence"]) == ("", [], 0, None)
    assert (row["dpi"], row["source_modified"]) == (None, None)
    assert rows.word_rows(PageText(facts, (), ()), "m", "r") == []


def test_failure_row_comes_back_from_parquet():
    failure = Failure("list", "/scans/x.pdf", None, "EmptyFile", "it is empty", "Traceback …")
    (row,) = through_parquet([rows.failure_row(failure, "night-1")], rows.FAILURES).to_pylist()
    failed_at = row.pop("failed_at")
    assert failed_at.utcoffset().total_seconds() == 0
    assert row == {
        "document_uri": "/scans/x.pdf",
        "page_index": None,
        "stage": "list",
        "error_type": "EmptyFile",
        "message": "it is empty",
        "traceback": "Traceback …",
        "attempts": 1,
        "run_id": "night-1",
        "source_size": None,
        "source_modified": None,
        "document_pages": None,
    }


@pytest.mark.parametrize("name", rows.TABLES)
def test_every_file_says_the_version_of_its_schema(name):
    schema = through_parquet([], rows.TABLES[name]).schema
    assert schema.metadata[b"inkbeam_schema_version"] == rows.VERSION.encode()
    assert schema.remove_metadata() == rows.TABLES[name].remove_metadata()


def test_rows_have_exactly_the_columns_of_their_schemas():
    failure = Failure("read", "u", 0, "E", "m", "t")
    assert list(rows.word_rows(PAGE, "m", "r")[0]) == rows.WORDS.names
    assert list(rows.page_row(PAGE, "m", "r")) == rows.PAGES.names
    assert list(rows.failure_row(failure, "r")) == rows.FAILURES.names


def test_columns_of_the_first_version_stay_where_they_are():
    """Columns are only ever added at the end: readers of old files must find theirs."""
    assert ", ".join(rows.WORDS.names).startswith(
        "document_uri, page_index, line_index, word_index, text, confidence, min_char_confidence, alternatives, "
        "left, top, right, bottom, model_id, run_id, turn_degrees, region_index, "
        "table_row, table_column"
    )
    assert ", ".join(rows.PAGES.names).startswith(
        "document_uri, page_index, source_sha256, source_size, source_modified, width, height, dpi, "
        "rotation_degrees, skew_degrees, text, lines, word_count, mean_confidence, model_id, run_id, processed_at, "
        "document_pages, discarded_ink"
    )
    assert ", ".join(rows.FAILURES.names).startswith(
        "document_uri, page_index, stage, error_type, message, traceback, attempts, run_id, failed_at, "
        "source_size, source_modified, document_pages"
    )
