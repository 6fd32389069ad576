"""Data sets: any known layout in, samples for training and validation out.

`recognise` knows the layouts in `LAYOUTS`, each read by a module of `htr_model.readers`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from htr_model.readers.iam import read_iam
from htr_model.readers.labels_csv import read_csv
from htr_model.readers.pages import read_pages
from htr_model.readers.parquet import read_parquet
from htr_model.readers.text_files import read_text_pairs, text_pairs
from htr_model.readers.xml_files import read_xml, read_xml_folder, xml_files
from htr_model.samples import DatasetError, Item, Sample, Skipped


@dataclass(frozen=True)
class Dataset:
    """Samples that can be used, and those that cannot."""

    samples: list[Sample]
    skipped: list[Skipped]


LAYOUTS = {
    "iam": "IAM's tree with ascii/words.txt",
    "csv": "a CSV file of picture names and labels",
    "parquet": "Parquet with columns id, text and image",
    "pages": "pages.jsonl",
    "xml": "PAGE or ALTO XML beside the page pictures",
    "text": "pictures with .txt or .gt.txt files of the same name",
}
"""What can be read, in words for messages."""


@dataclass(frozen=True)
class Source:
    """A data set whose layout is known.

    Attributes:
        layout: key of `LAYOUTS`.
        read: gives the samples one after another, unreadable ones as `Skipped`.
    """

    layout: str
    read: Callable[[], Iterator[Item]]


def recognise(path: str | Path) -> Source:
    """The data set at a path.

    Raises:
        DatasetError: the path does not exist or has no known layout.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(f"{path}: no such file or folder")
    source = _folder(path) if path.is_dir() else _file(path)
    if source is None:
        raise DatasetError(f"{path}: no known layout; expected {', '.join(LAYOUTS.values())}")
    return source


def _file(path: Path) -> Source | None:
    readers = {
        ".parquet": ("parquet", read_parquet),
        ".csv": ("csv", read_csv),
        ".jsonl": ("pages", read_pages),
        ".xml": ("xml", read_xml),
    }
    if path.suffix.lower() not in readers:
        return None
    layout, reader = readers[path.suffix.lower()]
    return Source(layout, lambda: reader(path))


def _folder(path: Path) -> Source | None:
    if (path / "pages.jsonl").is_file():
        return _file(path / "pages.jsonl")
    if (path / "ascii" / "words.txt").is_file():
        return Source("iam", lambda: read_iam(path))
    tables = sorted(path.glob("*.parquet"))
    if tables:
        return Source("parquet", lambda: (item for table in tables for item in read_parquet(table)))
    labels = sorted(path.glob("*.csv"))
    if len(labels) > 1:
        raise DatasetError(f"{path}: holds {len(labels)} CSV files; name the one with the labels")
    if labels:
        return _file(labels[0])
    described = xml_files(path)
    if described:
        return Source("xml", lambda: read_xml_folder(described))
    pairs = text_pairs(path)
    return Source("text", lambda: read_text_pairs(pairs)) if pairs else None


def read(path: str | Path) -> Iterator[Item]:
    """Samples of a data set in any known layout, one after another, unreadable ones as `Skipped`.

    Raises:
        DatasetError: the path does not exist or has no known layout.
    """
    return recognise(path).read()


def load(paths: Iterable[str | Path]) -> Dataset:
    """All samples of some data sets."""
    samples: list[Sample] = []
    skipped: list[Skipped] = []
    for path in paths:
        for item in read(path):
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
        name = _split_name(sample)
        if name not in parts:
            key = f"{sample.collection}/{sample.writer or sample.group or sample.id}"
            digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
            name = "validation" if digest / 2**32 < validation_share else "train"
        parts[name].append(sample)
    return parts["train"], parts["validation"]


def part(samples: list[Sample], name: str) -> list[Sample]:
    """The samples of a split (``all``: every one); those that name none belong to each."""
    return [s for s in samples if name == "all" or _split_name(s) in (None, name)]


def _split_name(sample: Sample) -> str | None:
    return "validation" if sample.split in ("val", "valid", "dev") else sample.split


WORD_SHARES = {"validation": 0.05, "test": 0.05}
"""Division by words: what is not validation or test is for training."""


def divided_by_words(samples: list[Sample]) -> list[Sample]:
    """The samples with splits drawn one by one, 90 % train, 5 % validation and 5 % test, whatever they named before.

    The custom of many tutorials on IAM's words: the same writers are on all sides, so figures look better than they
    are for a writer who is new. A hash of the name decides, so that training and evaluation agree.
    """
    return [replace(s, split=_split_of(f"{s.collection}/{s.id}")) for s in samples]


def writers_in(path: str | Path) -> frozenset[str]:
    """Names of writers in a text file, one a line; what stands behind ``#`` is left out.

    Raises:
        DatasetError: the file cannot be read or names nobody.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read as a list of writers ({error})") from error
    names = frozenset(name for line in lines if (name := line.split("#", 1)[0].strip()))
    if not names:
        raise DatasetError(f"{path}: names no writer; one a line is expected")
    return names


def divided_by_writers(samples: list[Sample], writers: frozenset[str]) -> list[Sample]:
    """The samples with those of some writers for validation, for decisions that must not be taken on the real one.

    What the data itself sets aside for validation is left to neither side.

    Raises:
        DatasetError: a writer has no sample to be divided.
    """
    own = [s for s in samples if _split_name(s) in (None, "train")]
    unknown = sorted(writers - {s.writer for s in own})
    if unknown:
        raise DatasetError(f"no training sample is by {', '.join(unknown[:5])}: {len(unknown)} of the listed writers")
    aside = [replace(s, split="test") for s in samples if _split_name(s) not in (None, "train")]
    return [replace(s, split="validation" if s.writer in writers else "train") for s in own] + aside


def _split_of(name: str) -> str:
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
    for split_name, share in WORD_SHARES.items():
        if place < share:
            return split_name
        place -= share
    return "train"
