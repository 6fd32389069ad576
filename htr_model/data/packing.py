"""Training data made small: any data set as one Parquet table of trimmed pictures, to be kept or carried elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import pyarrow as pa

from htr_model.ahead import ahead
from htr_model.cores import usable_cores
from htr_model.data.parquet_file import in_chunks, write_chunks
from htr_model.data.samples import Item, Sample, Skipped
from htr_model.data.word_gaps import word_gaps
from htr_model.normalization import Normalization, normalize, trim
from htr_model.recognizer import Recognizer

_TEXTS = ("id", "text", "writer", "form", "split")
SCHEMA = pa.schema(
    [*((name, pa.string()) for name in _TEXTS), ("image", pa.binary()), ("gaps", pa.list_(pa.float32()))]
)
"""Of the table; `htr_model.readers.parquet` reads it."""

_WEBP_QUALITY = 80
"""Of 100. A line of 60 rows then takes about 4 kB, a third of what PNG needs."""
_LARGEST_WEBP = 16_383
"""Pixels of a side."""
_AHEAD = 2
"""Samples made small or waiting for each core."""


def pack(
    items: Iterable[Item], path: Path, settings: Normalization, recognizer: Recognizer | None = None
) -> tuple[int, list[Skipped]]:
    """Number of samples written to a Parquet file, and what was left out.

    The file appears when it is whole; without samples none is written (`write_chunks`).

    Args:
        settings: of the recogniser that the pictures are trimmed for.
        recognizer: finds the gaps between the words of lines (`htr_model.data.word_gaps`); None: nobody does.

    Raises:
        OSError: the file cannot be written.
    """
    skipped: list[Skipped] = []
    cores = usable_cores()
    with ThreadPoolExecutor(cores) as pool:
        small = partial(_small, settings)
        # Of the pictures as they came only a few are held at once.
        made = ahead(lambda sample, _: pool.submit(small, sample), _usable(items, skipped), _AHEAD * cores)
        chunks = in_chunks(made)
        if recognizer:
            chunks = (_with_gaps(chunk, recognizer) for chunk in chunks)
        return write_chunks(path, SCHEMA, (list(pool.map(_row, chunk)) for chunk in chunks)), skipped


def _usable(items: Iterable[Item], skipped: list[Skipped]) -> Iterator[Sample]:
    for item in items:
        if isinstance(item, Sample):
            yield item
        else:
            skipped.append(item)


def _small(settings: Normalization, sample: Sample) -> Sample:
    gray = trim(sample.gray, settings)
    scale = _LARGEST_WEBP / max(gray.shape)
    if scale < 1:
        size = (max(1, int(gray.shape[1] * scale)), max(1, int(gray.shape[0] * scale)))
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    return replace(sample, gray=gray)


def _with_gaps(samples: list[Sample], recognizer: Recognizer) -> list[Sample]:
    lines = [i for i, sample in enumerate(samples) if " " in sample.text]
    pictures = [normalize(samples[i].gray, recognizer.normalization) for i in lines]
    found = list(samples)
    for i, picture, reading in zip(lines, pictures, recognizer.read([p.pixels for p in pictures]), strict=True):
        sample = samples[i]
        found[i] = replace(sample, gaps=word_gaps(sample.text, reading, picture, sample.gray.shape[1]))
    return found


def _row(sample: Sample) -> dict:
    image = cv2.imencode(".webp", sample.gray, (cv2.IMWRITE_WEBP_QUALITY, _WEBP_QUALITY))[1].tobytes()
    return {
        "id": sample.id,
        "text": sample.text,
        "writer": sample.writer,
        "form": sample.group,
        "split": sample.split,
        "image": image,
        "gaps": sample.gaps,
    }
