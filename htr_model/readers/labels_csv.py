"""CSV files of picture names and labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from htr_model.data.samples import DatasetError, Item, Skipped
from htr_model.data.splits import canonical_split
from htr_model.readers.files import collection_of, file_bytes, picture_in, sample


def read_csv(path: Path) -> Iterator[Item]:
    """Samples of a CSV file whose first line names a picture and a label column, and maybe columns writer, form and
    split (rows of an unknown split are skipped).

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
    others = {name: header.index(name) for name in ("writer", "form", "split") if name in header}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) <= max(name_column, label_column):
            yield Skipped(f"{path.name}:{number}", "line has too few columns")
            continue
        name = row[name_column].strip()
        try:
            picture = picture_in(folders, name)
            known = {key: row[column].strip() or None for key, column in others.items() if column < len(row)}
            split = canonical_split(known.get("split"))
        except ValueError as error:
            yield Skipped(name, str(error))
            continue
        if picture is None:
            yield Skipped(name, "no such picture")
        else:
            yield sample(
                name,
                row[label_column],
                file_bytes(picture),
                collection=collection_of(path.parent),
                writer=known.get("writer"),
                group=known.get("form"),
                split=split,
            )
