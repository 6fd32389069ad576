"""Parquet tables of pictures and texts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from htr_model.ahead import ahead
from htr_model.charset import canonical_text
from htr_model.cores import usable_cores
from htr_model.data.samples import DatasetError, Item, Skipped
from htr_model.data.splits import canonical_split
from htr_model.readers.files import collection_of, name_or_none, sample

_ROWS = 512
_AHEAD = 2
"""Pictures decoded or waiting for each core: each may take a hundred megabytes."""


def read_parquet(path: Path) -> Iterator[Item]:
    """Samples of a Parquet file with columns id, text and image (encoded bytes, or a struct that holds them as
    ``bytes``), and where present writer, form, split, gaps and segmentation (rows marked ``err`` are skipped, and those
    of an unknown split).

    Raises:
        DatasetError: not Parquet, damaged, not in UTF-8, or a column is missing or of another type.
    """
    try:
        table = pq.ParquetFile(path)
    except Exception as error:
        raise DatasetError(f"{path}: not readable as Parquet ({error})") from error
    with table:
        in_struct = _images_in_struct(path, table.schema_arrow)
        make = partial(_item, collection_of(path.parent), in_struct)
        cores = usable_cores()
        with ThreadPoolExecutor(cores) as pool:
            yield from ahead(lambda row, _: pool.submit(make, row), _rows(path, table), _AHEAD * cores)


def _images_in_struct(path: Path, schema: pa.Schema) -> bool:
    """Whether the pictures are the ``bytes`` of structs.

    Raises:
        DatasetError: a column is missing or of another type.
    """
    missing = {"id", "text", "image"} - set(schema.names)
    if missing:
        raise DatasetError(f"{path}: lacks the columns {', '.join(sorted(missing))}")
    image_type, text_type = schema.field("image").type, schema.field("text").type
    in_struct = pa.types.is_struct(image_type) and image_type.get_field_index("bytes") >= 0
    if not in_struct and not pa.types.is_binary(image_type) and not pa.types.is_large_binary(image_type):
        raise DatasetError(f"{path}: column image holds {image_type}; expected the bytes of encoded pictures")
    kind = text_type.value_type if pa.types.is_dictionary(text_type) else text_type
    if not pa.types.is_string(kind) and not pa.types.is_large_string(kind):
        raise DatasetError(f"{path}: column text holds {text_type}; expected strings")
    return in_struct


def _rows(path: Path, table: pq.ParquetFile) -> Iterator[dict]:
    """The rows of a table.

    Raises:
        DatasetError: it is damaged, or holds text that is not UTF-8.
    """
    try:
        for batch in table.iter_batches(batch_size=_ROWS):
            yield from batch.to_pylist()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: holds text that is not UTF-8 ({error}); write the file again") from error
    except (pa.ArrowException, OSError) as error:
        raise DatasetError(f"{path}: damaged Parquet ({error}); copy it again") from error


def _item(collection: str, in_struct: bool, row: dict) -> Item:
    identifier = str(row["id"])
    if row.get("segmentation") == "err":
        return Skipped(identifier, "marked as wrongly segmented")
    try:
        split = canonical_split(row.get("split"))
    except ValueError as error:
        return Skipped(identifier, str(error))
    image = (row["image"] or {}).get("bytes") if in_struct else row["image"]
    return sample(
        identifier,
        row["text"],
        image or b"",
        collection=collection,
        writer=name_or_none(row.get("writer")),
        group=name_or_none(row.get("form")),
        split=split,
        gaps=_gaps(row),
    )


def _gaps(row: dict) -> tuple[float, ...]:
    """Shares of the width; none unless there is a number, or NaN, for each space of the text."""
    gaps = row.get("gaps")
    if not gaps or not isinstance(gaps, list) or not all(isinstance(gap, float) for gap in gaps):
        return ()
    return tuple(gaps) if len(gaps) == canonical_text(row["text"] or "").count(" ") else ()
