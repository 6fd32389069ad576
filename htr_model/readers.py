"""Readers of the layouts in which people keep pictures of writing with their text."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from htr_model.charset import canonical_text
from htr_model.line_crops import line_crop
from htr_model.samples import DatasetError, Item, Sample, Skipped, decode_gray


def _sample(identifier: str, text: str | None, data: bytes, **attributes) -> Item:
    text = canonical_text(text or "")
    if not text:
        return Skipped(identifier, "no text")
    try:
        return Sample(identifier, text, decode_gray(data), **attributes)
    except ValueError as error:
        return Skipped(identifier, str(error))


def read_parquet(path: Path) -> Iterator[Item]:
    """Samples of a Parquet file with columns id, text and image (encoded bytes, or a struct that holds them as
    ``bytes``), and where present writer, form, split and segmentation (rows marked ``err`` are skipped).

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
    for batch in table.iter_batches(batch_size=512):
        for row in batch.to_pylist():
            identifier = str(row["id"])
            if row.get("segmentation") == "err":
                yield Skipped(identifier, "marked as wrongly segmented")
                continue
            image = (row["image"] or {}).get("bytes") if in_struct else row["image"]
            yield _sample(
                identifier,
                row["text"],
                image or b"",
                collection=path.parent.name,
                writer=row.get("writer"),
                group=row.get("form"),
                split=row.get("split"),
            )


def _file_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _iam_writers(folder: Path) -> dict[str, str]:
    """Writer of each form by ``ascii/forms.txt`` (form, writer, …), where that file is there."""
    try:
        text = (folder / "ascii" / "forms.txt").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    rows = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {fields[0]: fields[1] for fields in rows if len(fields) > 1}


def read_iam(folder: Path) -> Iterator[Item]:
    """Words of IAM's own tree: ``ascii/words.txt`` and ``words/a01/a01-000u/a01-000u-00-00.png``.

    Lines whose state is not ``ok`` are skipped, as the database's owners advise.
    """
    writers = _iam_writers(folder)
    with open(folder / "ascii" / "words.txt", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("#") or not line.strip():
                continue
            # id, state, grey level, left, top, width, height, tag, transcription (which may hold spaces)
            fields = line.split(maxsplit=8)
            identifier = fields[0]
            if len(fields) < 9 or len(identifier.split("-")) < 3:
                yield Skipped(identifier, "line of words.txt is incomplete")
            elif fields[1] != "ok":
                yield Skipped(identifier, "marked as wrongly segmented")
            else:
                series, form = identifier.split("-")[0], "-".join(identifier.split("-")[:2])
                picture = folder / "words" / series / form / f"{identifier}.png"
                text = fields[8].replace("|", " ")
                yield _sample(
                    identifier,
                    text,
                    _file_bytes(picture),
                    collection=folder.name,
                    writer=writers.get(form),
                    group=form,
                )


def read_csv(path: Path) -> Iterator[Item]:
    """Samples of a CSV file whose first line names a picture column and a label column.

    Pictures are looked for beside the file, in ``images/`` beside it, and in a folder with its name.

    Raises:
        DatasetError: the file is empty, not UTF-8, or its first line names no such columns.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path}: not readable as CSV in UTF-8 ({error})") from error
    if not rows:
        raise DatasetError(f"{path}: the file is empty")
    header = [name.strip().lower() for name in rows[0]]
    names = ("filename", "file", "image", "path", "name", "id")
    labels = ("label", "text", "transcription", "identity", "word", "words")
    name_column = next((header.index(n) for n in names if n in header), None)
    label_column = next((header.index(n) for n in labels if n in header), None)
    if name_column is None or label_column is None:
        raise DatasetError(
            f"{path}: the first line must name a picture column ({', '.join(names)}) "
            f"and a label column ({', '.join(labels)}); it says {rows[0]!r}"
        )
    folders = [path.parent, path.parent / "images", path.parent / path.stem]
    for number, row in enumerate(rows[1:], start=2):
        if len(row) <= max(name_column, label_column):
            yield Skipped(f"{path.name}:{number}", "line has too few columns")
            continue
        name = row[name_column].strip()
        if Path(name).is_absolute() or ".." in Path(name).parts:
            yield Skipped(name, "name leads out of the data set's folder")
            continue
        picture = next((f / name for f in folders if (f / name).is_file()), None)
        if picture is None:
            yield Skipped(name, "no such picture")
        else:
            yield _sample(name, row[label_column], _file_bytes(picture), collection=path.parent.name)


def read_pages(path: Path) -> Iterator[Item]:
    """Lines of page pictures, from a file with a JSON object a line (a page): image, split, writer, and lines with
    text, bbox [x, y, w, h] and where known polygon, baseline and words.
    """
    with open(path, encoding="utf-8") as file:
        for number, row in enumerate(file, start=1):
            try:
                page = json.loads(row)
                name = str(page["image"])
                if not isinstance(page["lines"], list):
                    raise TypeError("lines is no list")
            except (ValueError, KeyError, TypeError) as error:
                yield Skipped(f"{path.name}:{number}", f"not a page: {error!r}")
                continue
            if Path(name).is_absolute() or ".." in Path(name).parts:
                yield Skipped(name, "name leads out of the data set's folder")
                continue
            try:
                gray = decode_gray(_file_bytes(path.parent / name))
            except ValueError as error:
                yield Skipped(name, str(error))
                continue
            yield from _page_lines(page, gray, path.parent.name)


def _page_lines(page: dict, gray: np.ndarray, collection: str) -> Iterator[Item]:
    heights = [line["bbox"][3] for line in page["lines"] if isinstance(line, dict) and line.get("bbox")]
    typical = float(np.median(heights)) if heights else 0.0
    for index, line in enumerate(page["lines"]):
        identifier = f"{page['image']}#{index}"
        try:
            text = join_tokens([w["text"] for w in line["words"]]) if line.get("words") else line.get("text")
            text = canonical_text(text or "")
            crop = line_crop(gray, line, typical) if text else None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, cv2.error) as error:
            yield Skipped(identifier, f"not a line: {error!r}")
            continue
        if not text:
            yield Skipped(identifier, "no text")
        elif crop is None:
            yield Skipped(identifier, "the line lies outside the page")
        else:
            yield Sample(
                identifier,
                text,
                crop,
                collection=collection,
                writer=page.get("writer"),
                group=page["image"],
                split=page.get("split"),
            )


_ATTACHED = re.compile(r"[.,;:!?)]|'(s|re|ve|ll|d|m|t)\b")
"""Tokens that stand without a space behind the word before them."""


def join_tokens(tokens: list[str]) -> str:
    """Running text of tokens that were split from their punctuation, as IAM's are (``You 're here .``)."""
    text = ""
    open_quote = False
    glue = True
    for token in tokens:
        quote = token == '"'
        closes = (quote and open_quote) or _ATTACHED.match(token)
        text += token if glue or closes else f" {token}"
        if quote:
            open_quote = not open_quote
        glue = token == "(" or (quote and open_quote)
    return text
