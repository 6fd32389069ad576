"""Made-up tables of committed runs."""

from __future__ import annotations

import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.archive import runs
from pipelines.archive.rows import TABLES, timestamp

MODIFIED = 1_700_000_000.123457
"""When every made-up scan was written, seconds since 1970."""


def record(run_id, finished_at="2026-01-01", model_id="model", fingerprint="options", counts=None, options=None):
    counts, options = counts or {"pages": 1}, options or {"unit": "line"}
    return runs.RunRecord(run_id, "2025-12-31", finished_at, model_id, fingerprint, counts, options, {})


def write_table(output: Path, name: str, run_id: str, rows=(), schema: pa.Schema | None = None) -> Path:
    """One more file of a run's table."""
    folder = output / name / f"run={run_id}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"part-{len(list(folder.iterdir())):05}.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows), schema or TABLES[name]), path)
    return path


def moment(day: int, second: int = 0) -> datetime.datetime:
    return datetime.datetime(2026, 1, day, 1, 0, second, tzinfo=datetime.timezone.utc)


def page(uri, index=0, pages=1, run_id="", day=1, confidence=None, words=0, text=""):
    """A row of the pages table."""
    return {
        "document_uri": uri,
        "page_index": index,
        "source_size": 7,
        "source_modified": timestamp(MODIFIED),
        "text": text,
        "word_count": words,
        "mean_confidence": confidence,
        "run_id": run_id,
        "processed_at": moment(day),
        "document_pages": pages,
    }


def failure(uri, index=None, attempts=1, run_id="", day=1, stage="read", size=7, pages=None):
    """A row of the failures table."""
    return {
        "document_uri": uri,
        "page_index": index,
        "stage": stage,
        "error_type": "TruncatedImage",
        "message": f"{uri}: cut off",
        "attempts": attempts,
        "run_id": run_id,
        "failed_at": moment(day, 1),
        "source_size": size,
        "source_modified": None if size is None else timestamp(MODIFIED),
        "document_pages": pages,
    }


def word(uri, number, run_id):
    """A row of the words table."""
    return {
        "document_uri": uri,
        "page_index": 0,
        "line_index": 0,
        "word_index": number,
        "text": "ink",
        "run_id": run_id,
    }


def write_run(output: Path, run_id: str, day: int, pages=(), failures=(), words=(), commit=True, **of_record) -> None:
    """A run with its tables: rows get the run's name and day."""
    for name, rows in (("pages", pages), ("failures", failures), ("words", words)):
        time = {"pages": "processed_at", "failures": "failed_at"}.get(name)
        write_table(
            output, name, run_id, [{**r, "run_id": run_id, **({time: moment(day)} if time else {})} for r in rows]
        )
    if commit:
        counts = {"pages": len(pages), "failures": len(failures), "words": len(words)}
        started, finished = moment(day).isoformat(), moment(day, 10).isoformat()
        made = record(run_id, finished, **{"counts": counts, **of_record})
        runs.commit(str(output), runs.RunRecord(**{**vars(made), "started_at": started}))
