"""Pictures beside text files of the same name, as OCRopus and kraken train on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from htr_model.data.samples import Item, Skipped
from htr_model.readers.files import PICTURES, collection_of, file_bytes, sample

_TEXTS = (".gt.txt", ".txt")
"""The first that is there counts."""
_PREPARED = (".bin", ".nrm")
"""What OCRopus puts before the suffix of pictures that it made black and white or even."""
_MAX_BYTES = 2**20


def text_pairs(folder: Path) -> list[tuple[Path, Path]]:
    """Pictures of a folder and their text files, which need not exist; empty where no picture has one."""
    pictures = sorted(p for p in folder.iterdir() if p.suffix.lower() in PICTURES and p.is_file())
    pairs = [(picture, _text_beside(picture)) for picture in pictures]
    return pairs if any(text.is_file() for _, text in pairs) else []


def _text_beside(picture: Path) -> Path:
    names = [picture.stem, *(picture.stem.removesuffix(p) for p in _PREPARED if picture.stem.endswith(p))]
    candidates = [picture.with_name(name + suffix) for name in names for suffix in _TEXTS]
    return next((path for path in candidates if path.is_file()), candidates[0])


def text_lines(path: Path) -> list[str]:
    """The lines of a text file that are not empty.

    Raises:
        ValueError: there is none, it is too large, or no UTF-8; says so.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"{path.name} is larger than {_MAX_BYTES // 2**20} MB")
        return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except OSError as error:
        stem = path.name.removesuffix(".txt").removesuffix(".gt")
        raise ValueError(f"no text file {stem}.txt or {stem}.gt.txt that can be read") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not text in UTF-8") from error


def read_text_pairs(pairs: list[tuple[Path, Path]]) -> Iterator[Item]:
    """Samples of pictures of one line or word each."""
    for picture, path in pairs:
        try:
            lines = text_lines(path)
            if len(lines) > 1:
                raise ValueError(
                    f"{path.name} holds {len(lines)} lines; a picture of one line is expected (of pages: inkbeam data "
                    "pack --lines transcribed)"
                )
        except ValueError as error:
            yield Skipped(picture.name, str(error))
        else:
            text = lines[0] if lines else ""
            # Two pictures of one line, as OCRopus makes them, stay together.
            yield sample(
                picture.name, text, file_bytes(picture), collection=collection_of(picture.parent), group=path.name
            )
