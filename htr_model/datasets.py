"""Pictures of writing with their text, from the layouts in which people keep them.

`read` recognises the layout: IAM's own tree (``ascii/words.txt`` and ``words/``), a folder with a CSV file of
picture names and labels, Parquet with columns id, text and image, or ``pages.jsonl`` with lines on page pictures.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq

from htr_model.charset import Charset, canonical_text

MAX_PIXELS = 120_000_000
"""Larger pictures are refused before they are decoded."""


class DatasetError(Exception):
    """A path that cannot be read as a data set: it is missing, or in no known layout."""


@dataclass(frozen=True)
class Sample:
    """One picture of a word or a line, and what is written there.

    Attributes:
        id: unique in its collection.
        text: canonical text (`charset.canonical_text`).
        gray: uint8 (h, w).
        collection: name of the file or folder it was read from.
        writer: who wrote it, where known: splits never divide a writer.
        group: what else must stay together (a form, a page).
        split: ``train``, ``validation`` or ``test`` where the data says so.
    """

    id: str
    text: str
    gray: np.ndarray = field(repr=False, compare=False)
    collection: str = ""
    writer: str | None = None
    group: str | None = None
    split: str | None = None


@dataclass(frozen=True)
class Skipped:
    """A sample that was left out, and why."""

    id: str
    reason: str


Item = Sample | Skipped


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
        return _read_parquet(path)
    if path.suffix == ".csv":
        return _read_csv(path)
    if path.suffix == ".jsonl":
        return _read_pages(path)
    if (path / "pages.jsonl").is_file():
        return _read_pages(path / "pages.jsonl")
    if (path / "ascii" / "words.txt").is_file():
        return _read_iam(path)
    if path.is_dir():
        tables = sorted(path.glob("*.parquet"))
        if tables:
            return (item for table in tables for item in _read_parquet(table))
        labels = sorted(path.glob("*.csv"))
        if len(labels) == 1:
            return _read_csv(labels[0])
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

    A sample that names its split goes there (``test`` to neither). The others are divided by writer, else by form
    or page, else one by one; a hash of the name decides, so that the division never changes as data is added.
    """
    parts: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    for sample in samples:
        name = sample.split
        if name not in parts:
            key = f"{sample.collection}/{sample.writer or sample.group or sample.id}"
            digest = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big")
            name = "validation" if digest / 2**32 < validation_share else "train"
        parts[name].append(sample)
    return parts["train"], parts["validation"]


def decode_gray(data: bytes) -> np.ndarray:
    """Grey pixels of an encoded picture: uint8 (h, w).

    Raises:
        ValueError: not a picture that OpenCV can decode.
    """
    gray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE) if data else None
    if gray is None:
        raise ValueError("not a readable picture")
    return gray


def _sample(identifier, text, data, **attributes) -> Item:
    text = canonical_text(text or "")
    if not text:
        return Skipped(identifier, "no text")
    try:
        return Sample(identifier, text, decode_gray(data), **attributes)
    except (ValueError, cv2.error) as error:
        return Skipped(identifier, str(error))


def _read_parquet(path: Path) -> Iterator[Item]:
    try:
        table = pq.ParquetFile(path)
    except Exception as error:
        raise DatasetError(f"{path}: not readable as Parquet ({error})") from error
    missing = {"id", "text", "image"} - set(table.schema_arrow.names)
    if missing:
        raise DatasetError(f"{path}: lacks the columns {', '.join(sorted(missing))}")
    for batch in table.iter_batches(batch_size=512):
        for row in batch.to_pylist():
            identifier = str(row["id"])
            if row.get("segmentation") == "err":
                yield Skipped(identifier, "marked as wrongly segmented")
                continue
            yield _sample(
                identifier,
                row["text"],
                row["image"] or b"",
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


def _read_iam(folder: Path) -> Iterator[Item]:
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
                yield _sample(identifier, text, _file_bytes(picture), collection=folder.name, group=form)


def _read_csv(path: Path) -> Iterator[Item]:
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.reader(file))
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


_STRIP = 0.45
"""A polygon lower than this share of the page's median line is a strip around the strokes' middle: rebuilt."""
_ABOVE, _BELOW = 0.62, 0.30
"""Extent of a rebuilt line above and below its baseline, in median line heights of the page."""


def _read_pages(path: Path) -> Iterator[Item]:
    with open(path, encoding="utf-8") as file:
        for number, row in enumerate(file, start=1):
            try:
                page = json.loads(row)
                name, lines = str(page["image"]), page["lines"]
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
    typical = float(np.median([line["bbox"][3] for line in page["lines"]])) if page["lines"] else 0.0
    for index, line in enumerate(page["lines"]):
        identifier = f"{page['image']}#{index}"
        text = join_tokens([w["text"] for w in line["words"]]) if line.get("words") else line.get("text")
        text = canonical_text(text or "")
        if not text:
            yield Skipped(identifier, "no text")
            continue
        crop = line_crop(gray, line, typical)
        if crop is None:
            yield Skipped(identifier, "the line lies outside the page")
            continue
        yield Sample(
            identifier,
            text,
            crop,
            collection=collection,
            writer=page.get("writer"),
            group=page["image"],
            split=page.get("split"),
        )


def join_tokens(tokens: list[str]) -> str:
    """Running text of tokens that were split from their punctuation, as IAM's are (``You 're here .``)."""
    text = ""
    open_quote = False
    glue = True
    for token in tokens:
        quote = token == '"'
        closes = (quote and open_quote) or re.match(r"[.,;:!?)]|'\w", token)
        text += token if glue or closes else f" {token}"
        if quote:
            open_quote = not open_quote
        glue = token == "(" or (quote and open_quote)
    return text


def line_crop(gray: np.ndarray, line: dict, typical_height: float) -> np.ndarray | None:
    """Picture of one line, uint8 (h, w): its polygon or word boxes on plain paper, made level along its baseline.

    Args:
        gray: uint8 (height, width), the page.
        line: ``bbox`` [x, y, w, h] and, where known, ``polygon``, ``baseline`` (lists of [x, y]) and ``words``.
        typical_height: median height of the page's lines, pixels.

    Returns:
        None where nothing of the line lies on the page.
    """
    height, width = gray.shape
    baseline = np.array(line.get("baseline") or [], float).reshape(-1, 2)
    shapes = _line_shapes(line, baseline, typical_height)
    points = np.vstack(shapes)
    left, top = np.floor(points.min(axis=0)).astype(int) - 3
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 4
    left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
    if right - left < 2 or bottom - top < 2:
        return None
    crop = gray[top:bottom, left:right]
    inside = np.zeros_like(crop)
    cv2.fillPoly(inside, [np.round(s - (left, top)).astype(np.int32) for s in shapes], 255)
    inside = cv2.dilate(inside, np.ones((5, 5), np.uint8))
    paper = int(np.percentile(crop[inside > 0], 80))
    crop = np.where(inside > 0, crop, paper).astype(np.uint8)
    if len(baseline) > 1 and np.ptp(baseline[:, 0]) > 3 * typical_height:
        crop = level(crop, float(np.polyfit(baseline[:, 0], baseline[:, 1], 1)[0]), paper)
    return crop


def _line_shapes(line: dict, baseline: np.ndarray, typical_height: float) -> list[np.ndarray]:
    """Outlines of what belongs to a line, each float (n, 2)."""
    if line.get("polygon"):
        polygon = np.array(line["polygon"], float).reshape(-1, 2)
        if len(baseline) > 1 and np.ptp(polygon[:, 1]) - np.ptp(baseline[:, 1]) < _STRIP * typical_height:
            above = baseline - (0, _ABOVE * typical_height)
            below = baseline + (0, _BELOW * typical_height)
            return [np.vstack([above, below[::-1]])]
        return [polygon]
    boxes = [word["bbox"] for word in line["words"]] if line.get("words") else [line["bbox"]]
    return [np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], float) for x, y, w, h in boxes]


def level(gray: np.ndarray, slope: float, paper: int) -> np.ndarray:
    """``gray`` sheared so that a line which falls by ``slope`` pixels a column becomes level; letters stay upright."""
    h, w = gray.shape
    drop = slope * w
    if abs(drop) < 2:
        return gray
    matrix = np.array([[1, 0, 0], [-slope, 1, max(0.0, drop)]], float)
    return cv2.warpAffine(gray, matrix, (w, h + int(np.ceil(abs(drop)))), borderValue=paper)
