"""Data sets: any known layout in, samples for training and validation out.

`read` recognises the layout: IAM's own tree (``ascii/words.txt`` and ``words/``), a folder with a CSV file of
picture names and labels, Parquet with columns id, text and image, or ``pages.jsonl`` with lines on page pictures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from htr_model.charset import Charset
from htr_model.readers import read_csv, read_iam, read_pages, read_parquet
from htr_model.samples import DatasetError, Item, Sample, Skipped


@dataclass(frozen=True)
class Dataset:
    """Samples that can be used, and those that cannot."""

    samples: list[Sample]
    skipped: list[Skipped]


def read(path: str | Path) -> Iterator[Item]:
    """Samples of a data set in any known layout, one after another, unreadable ones as `Skipped`.

    Raises:
        DatasetError: the path does not exist or has no known layout.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder")
    if path.suffix == ".parquet":
        return read_parquet(path)
    if path.suffix == ".csv":
        return read_csv(path)
    if path.suffix == ".jsonl":
        return read_pages(path)
    if (path / "pages.jsonl").is_file():
        return read_pages(path / "pages.jsonl")
    if (path / "ascii" / "words.txt").is_file():
        return read_iam(path)
    if path.is_dir():
        tables = sorted(path.glob("*.parquet"))
        if tables:
            return (item for table in tables for item in read_parquet(table))
        labels = sorted(path.glob("*.csv"))
        if len(labels) == 1:
            return read_csv(labels[0])
        if labels:
            raise DatasetError(f"{path}: holds {len(labels)} CSV files; name the one with the labels")
    raise DatasetError(
        f"{path}: no known layout; expected IAM's ascii/words.txt, a CSV file of names and labels, "
        "Parquet with id, text and image, or pages.jsonl"
    )


def load(paths: Iterable[str | Path], charset: Charset | None = None) -> Dataset:
    """All samples of some data sets. With a charset, samples whose text it cannot write are skipped."""
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for path in paths:
        for item in read(path):
            if isinstance(item, Sample) and charset and charset.unknown(item.text):
                item = Skipped(item.id, f"characters outside the charset: {charset.unknown(item.text)!r}")
            (samples if isinstance(item, Sample) else skipped).append(item)
    return Dataset(samples, skipped)


def split(samples: list[Sample], validation_share: float = 0.05) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples.

    A sample that names its split goes there (``test`` to neither; ``val``, ``valid`` and ``dev`` are validation).
    The others are divided by writer, else by form or page, else one by one; a hash of the name decides, so that the
    division never changes as data is added.
    """
    parts: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    for sample in samples:
        name = "validation" if sample.split in ("val", "valid", "dev") else sample.split
        if name not in parts:
            key = f"{sample.collection}/{sample.writer or sample.group or sample.id}"
            digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
            name = "validation" if digest / 2**32 < validation_share else "train"
        parts[name].append(sample)
    return parts["train"], parts["validation"]
