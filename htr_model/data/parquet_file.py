"""Parquet files of samples, which appear when they are whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from htr_model.whole_files import written_aside

_ROWS = 512

T = TypeVar("T")


def in_chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """The items, as many at a time as are written together."""
    left = iter(items)
    while chunk := list(islice(left, _ROWS)):
        yield chunk


def write_chunks(path: Path, schema: pa.Schema, chunks: Iterable[list[dict]]) -> int:
    """Number of rows written to a file, which replaces one of that name when it is whole.

    Without rows, and when something fails on the way, no file is written and the old one stays.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with written_aside(path) as partial:
        with pq.ParquetWriter(partial, schema, compression="zstd") as file:
            for rows in chunks:
                file.write_table(pa.Table.from_pylist(rows, schema=schema))
                written += len(rows)
        if not written:
            partial.unlink()
    return written
