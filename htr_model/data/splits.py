"""Which samples are trained on, and which are kept back to measure on."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from htr_model.data.samples import DatasetError, Sample

_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing", "eval"),
}
_SPLIT_OF = {name: split_name for split_name, names in _NAMES.items() for name in names}


def canonical_split(value: object) -> str | None:
    """``train``, ``validation`` or ``test``, whatever a file calls it and in whatever case; None where it says nothing.

    Raises:
        ValueError: it says something else.
    """
    name = "" if value is None else str(value).strip().casefold()
    if not name:
        return None
    if name not in _SPLIT_OF:
        raise ValueError(f"split {value!r:.60} is none of {', '.join(_NAMES)}")
    return _SPLIT_OF[name]


_KEPT = 0.05
"""Share of what names no split that is kept back."""


def usual_split(name: str) -> str:
    """``train`` or ``validation`` of what names no split: a hash of its name decides, always the same."""
    return "validation" if _place(name) < _KEPT else "train"


def split(samples: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples.

    A sample that names its split goes there (``test`` to neither; for the names see `canonical_split`).
    The others are divided by writer, else by form or page, else one by one; a hash of the name decides, so that the
    division never changes as data is added. Of few pages one is kept for validation, of a single one some lines.

    Raises:
        DatasetError: a sample names a split that there is not.
    """
    named: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    free: list[Sample] = []
    for sample in samples:
        named.get(_split_name(sample), free).append(sample)
    train: list[Sample] = []
    kept: list[Sample] = []
    for sample in free:
        (kept if _place(_unit(sample)) < _KEPT else train).append(sample)
    if not (named["validation"] or kept) or not (named["train"] or train):
        train, kept = _of_few(free)
    return named["train"] + train, named["validation"] + kept


def _unit(sample: Sample) -> str:
    """Name of what is not divided."""
    return f"{sample.collection}/{sample.writer or sample.group or sample.id}"


def _of_few(samples: list[Sample]) -> tuple[list[Sample], list[Sample]]:
    """Training and validation samples where chance left one side empty."""
    units = [_unit(s) for s in samples]
    if len(set(units)) < 2:
        units = [f"{s.collection}/{s.id}" for s in samples]
    ordered = sorted(set(units), key=_place)
    kept = set(ordered[: max(1, round(_KEPT * len(ordered)))])
    train = [s for s, unit in zip(samples, units, strict=True) if unit not in kept]
    return train, [s for s, unit in zip(samples, units, strict=True) if unit in kept]


def part(samples: list[Sample], name: str) -> list[Sample]:
    """The samples of a split; those that name none belong to each.

    Args:
        name: ``train``, ``validation``, ``test``, ``all`` for every sample, or ``kept`` for what training on them keeps
            back (`split`).

    Raises:
        DatasetError: a sample names a split that there is not.
    """
    if name == "kept":
        return split(samples)[1]
    return [s for s in samples if name == "all" or _split_name(s) in (None, name)]


def unnamed(samples: list[Sample]) -> int:
    """How many samples name no split.

    Raises:
        DatasetError: a sample names a split that there is not.
    """
    return sum(_split_name(s) is None for s in samples)


def _place(name: str) -> float:
    """Where a name falls between 0 and 1, always the same."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32


def _split_name(sample: Sample) -> str | None:
    try:
        return canonical_split(sample.split)
    except ValueError as error:
        raise DatasetError(f"{sample.id}: {error}") from error


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
        DatasetError: a writer has no sample to be divided, or a sample names a split that there is not.
    """
    own = [s for s in samples if _split_name(s) in (None, "train")]
    unknown = sorted(writers - {s.writer for s in own})
    if unknown:
        raise DatasetError(f"no training sample is by {', '.join(unknown[:5])}: {len(unknown)} of the listed writers")
    aside = [replace(s, split="test") for s in samples if _split_name(s) not in (None, "train")]
    return [replace(s, split="validation" if s.writer in writers else "train") for s in own] + aside


def _split_of(name: str) -> str:
    place = _place(name)
    for split_name, share in WORD_SHARES.items():
        if place < share:
            return split_name
        place -= share
    return "train"
