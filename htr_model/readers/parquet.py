"""Parquet tables of pictures and texts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from htr_model.charset import canonical_text
from htr_model.data.samples import DatasetError, Item, Skipped
from htr_model.data.splits import canonical_split
from htr_model.readers.files import collection_of, name_or_none, sample


def read_parquet(path: Path) -> Iterator[Item]:
    """Samples of a Parquet file with columns id, text and image (encoded bytes, or a struct that holds them as
    ``bytes``), and where present writer, form, split, gaps and segmentation (rows marked ``err`` are skipped, and those
    of an unknown split).

    Raises:
        DatasetError: not Parquet, or a column is missing or of another type.
    """
    try:
        table = pq.ParquetFile(path)
    except Exception as error:
        raise DatasetError(f"{path}: not readable as Parquet ({error})") from error
    missing = {"id", "text", "image"} - set(table.schema_arrow.names)
    if missing:
        raise DatasetError(f"{path}: lacks the columns {', '.join(sorted(missing))}")
    image_type = table.schema_arrow.field("image").type
    in_struct = pa.types.is_struct(image_type) and image_type.get_field_index("bytes") >= 0
    if not in_struct and not pa.types.is_binary(image_type) and not pa.types.is_large_binary(image_type):
        raise DatasetError(f"{path}: column image holds {image_type}; expected the bytes of encoded pictures")
    text_type = table.schema_arrow.field("text").type
    if not pa.types.is_string(text_type) and not pa.types.is_large_string(text_type):
        raise DatasetError(f"{path}: column text holds {text_type}; expected strings")
    batches = table.iter_batches(batch_size=512)
    with ThreadPoolExecutor() as pool:
        while True:
            try:
                batch = next(batches, None)
            except (pa.ArrowException, OSError) as error:
                raise DatasetError(f"{path}: damaged Parquet ({error}); copy it again") from error
            if batch is None:
                return
            yield from pool.map(partial(_item, collection_of(path.parent), in_struct), batch.to_pylist())


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
