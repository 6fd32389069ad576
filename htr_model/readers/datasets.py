"""Data sets: any known layout in, samples out.

`recognise` knows the layouts in `LAYOUTS`, each read by a module of `htr_model.readers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from htr_model.charset import unwritable
from htr_model.data.samples import DatasetError, Item, Sample, Skipped
from htr_model.readers.files import with_usable_names
from htr_model.readers.iam import read_iam
from htr_model.readers.labels_csv import read_csv
from htr_model.readers.pages import read_pages
from htr_model.readers.parquet import read_parquet
from htr_model.readers.text_files import read_text_pairs, text_pairs
from htr_model.readers.xml_files import read_xml, read_xml_folder, xml_files


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
    return Source(source.layout, lambda: map(_checked, source.read()))


def _checked(item: Item) -> Item:
    """The item; as `Skipped` where no table can hold its names or no charset its text."""
    if isinstance(item, Sample) and (strange := unwritable(item.text)):
        item = Skipped(item.id, f"its text holds {strange[0]!r}, which nobody can have written")
    names = (item.id, item.collection, item.writer, item.group) if isinstance(item, Sample) else ()
    return with_usable_names(item, *names)


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
