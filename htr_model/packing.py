"""Training data made small: any data set as one Parquet table of trimmed pictures, to be kept or carried elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cv2
import pyarrow as pa

from htr_model.normalization import Normalization, trim
from htr_model.parquet_file import in_chunks, write_chunks
from htr_model.samples import Item, Sample, Skipped

_TEXTS = ("id", "text", "writer", "form", "split")
SCHEMA = pa.schema([*((name, pa.string()) for name in _TEXTS), ("image", pa.binary())])
"""Of the table; `htr_model.readers.parquet` reads it."""

_WEBP_QUALITY = 80
"""Of 100. A line of 60 rows then takes about 4 kB, a third of what PNG needs."""
_LARGEST_WEBP = 16_383
"""Pixels of a side."""


def pack(items: Iterable[Item], path: Path, settings: Normalization) -> tuple[int, list[Skipped]]:
    """Number of samples written to a Parquet file, and what was left out. The file appears when it is whole.

    Args:
        settings: of the recogniser that the pictures are trimmed for.

    Raises:
        OSError: the file cannot be written.
    """
    skipped: list[Skipped] = []
    with ThreadPoolExecutor() as pool:
        encode = partial(_row, settings)
        rows = (list(pool.map(encode, chunk)) for chunk in in_chunks(_usable(items, skipped)))
        return write_chunks(path, SCHEMA, rows), skipped


def _usable(items: Iterable[Item], skipped: list[Skipped]) -> Iterator[Sample]:
    for item in items:
        if isinstance(item, Sample):
            yield item
        else:
            skipped.append(item)


def _row(settings: Normalization, sample: Sample) -> dict:
    gray = trim(sample.gray, settings)
    scale = _LARGEST_WEBP / max(gray.shape)
    if scale < 1:
        size = (max(1, int(gray.shape[1] * scale)), max(1, int(gray.shape[0] * scale)))
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    image = cv2.imencode(".webp", gray, (cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY))[1].tobytes()
    return {
        "id": sample.id,
        "text": sample.text,
        "writer": sample.writer,
        "form": sample.group,
        "split": sample.split,
        "image": image,
    }
