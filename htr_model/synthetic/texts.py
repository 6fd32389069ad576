"""What is written: pieces of running text, single words, figures."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from htr_model.charset import Charset, canonical_text
from htr_model.data.samples import DatasetError

_MAX_BYTES = 256 * 2**20
_LONGEST_PIECE = 12
"""Words of a piece at most: as many as a line of a letter holds."""
_LONGEST_WORD = 30
"""Characters; longer ones are addresses and tables, not words."""
_SINGLE_WORDS, _FIGURES = 0.1, 0.1
"""Shares of the pieces that are one word; numbers, dates or sums of money."""
_CAPITALS, _HYPHENATED, _RARE = 0.05, 0.04, 0.1
"""Shares of the pieces that are in capitals; end with a divided word; have rare characters put in."""


@dataclass(frozen=True)
class RunningText:
    """The words of some files; ``""`` stands where something was that no piece may reach across."""

    files: tuple[tuple[str, ...], ...]
    charset: Charset


def read_texts(paths: list[Path], charset: Charset) -> RunningText:
    """Running text of UTF-8 files; words with characters outside the charset are left out.

    Raises:
        DatasetError: a file cannot be read, or has no usable word.
    """
    files = []
    for path in paths:
        try:
            if path.stat().st_size > _MAX_BYTES:
                raise DatasetError(f"{path}: larger than {_MAX_BYTES // 2**20} MB; divide it")
            # Two or three hyphens are a typist's dash; some fonts draw them as one, and a reader writes one for a dash.
            text = re.sub("--+", "-", canonical_text(path.read_text(encoding="utf-8-sig")))
        except OSError as error:
            raise DatasetError(f"{path}: cannot be read ({error.strerror})") from error
        except UnicodeDecodeError as error:
            raise DatasetError(f"{path}: not text in UTF-8 ({error})") from error
        usable = (w if len(w) <= _LONGEST_WORD and not charset.unknown(w) else "" for w in text.split(" "))
        words = tuple(usable)
        if not any(words):
            raise DatasetError(f"{path}: no word in it that the charset can write")
        files.append(words)
    return RunningText(tuple(files), charset)


def piece(text: RunningText, rng: np.random.Generator) -> str:
    """A text for one picture: 1–12 words of running text (each file alike), a single word, or figures."""
    kind = rng.random()
    if kind < _FIGURES:
        return _figures(rng)
    words = _words(text, 1 if kind < _FIGURES + _SINGLE_WORDS else int(rng.integers(2, _LONGEST_PIECE + 1)), rng)
    if rng.random() < _HYPHENATED and len(words[-1]) > 5 and words[-1].isalpha():
        words[-1] = words[-1][: int(rng.integers(2, len(words[-1]) - 1))] + "-"
    written = " ".join(words)
    if rng.random() < _RARE:
        written = _with_rare_characters(written, text.charset, rng)
    capitals = written.upper()
    if rng.random() < _CAPITALS and not text.charset.unknown(capitals):
        written = capitals
    return written


def _words(text: RunningText, count: int, rng: np.random.Generator) -> list[str]:
    """At most ``count`` words that follow each other."""
    words = text.files[int(rng.integers(len(text.files)))]
    start = int(rng.integers(len(words)))
    while not words[start]:
        start = (start + 1) % len(words)
    taken = list(words[start : start + count])
    return taken[: taken.index("")] if "" in taken else taken


def _with_rare_characters(text: str, charset: Charset, rng: np.random.Generator) -> str:
    """``text`` with three changes, each at a random word: another first letter, another letter inside, a mark added.

    All capitals, all small letters and all marks are equally likely: Œ, ñ or ¿ hardly occur in the texts that people
    have at hand. Where the charset has none of a kind, as scripts without capitals, nothing is changed.
    """
    words = text.split(" ")

    def some(kind: str) -> str:
        return kind[int(rng.integers(len(kind)))] if kind else ""

    letters = [c for c in charset.symbols if c.isalpha()]
    capitals, small = "".join(c for c in letters if c.isupper()), "".join(c for c in letters if c.islower())
    marks = "".join(c for c in charset.symbols if not c.isalnum() and c != " ")
    first, inside, marked = rng.integers(len(words), size=3).tolist()
    if capitals and words[first][:1].isalpha():
        words[first] = some(capitals) + words[first][1:]
    place = int(rng.integers(len(words[inside])))
    if small and words[inside][place].islower():
        words[inside] = words[inside][:place] + some(small) + words[inside][place + 1 :]
    words[marked] = some(marks) + words[marked] if rng.random() < 0.5 else words[marked] + some(marks)
    return " ".join(words)


_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November"),
    *("December", "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre"),
    *("novembre", "décembre"),
)


def _figures(rng: np.random.Generator) -> str:
    """Numbers, dates, sums of money, marks of place, as letters and account books have them."""

    def number(least: int, most: int) -> int:
        return int(rng.integers(least, most + 1))

    def one_of(*choices: str) -> str:
        return choices[int(rng.integers(len(choices)))]

    day, year, month = number(1, 31), number(1750, 2024), one_of(*_MONTHS)
    kinds: tuple[Callable[[], str], ...] = (
        lambda: f"{number(0, 10 ** number(1, 6))}",
        lambda: f"{year}",
        lambda: f"{day} {month} {year}",
        lambda: f"{month} {day}, {year}",
        lambda: f"{one_of('le', 'Le', 'the')} {day} {month}",
        lambda: f"{one_of('Monday', 'Tuesday', 'Friday', 'Lundi', 'Jeudi', 'Samedi')}, {day} {month}",
        lambda: one_of("/", ".", "-").join((str(day), str(number(1, 12)), one_of(str(year), str(year % 100)))),
        lambda: f"{day:02}/{number(1, 12):02}/{year}",
        lambda: f"£{number(1, 999)} {number(0, 19)}s. {number(0, 11)}d.",
        lambda: f"{one_of('£', '$', '€')}{number(1, 99):,}.{number(0, 99):02}",
        lambda: f"{number(1, 9_999)},{number(0, 99):02} {one_of('fr.', 'F', '€')}",
        lambda: f"{one_of('£', '$')}{number(1_000, 999_999):,}",
        lambda: f"{number(1, 23)}h{number(0, 59):02}",
        lambda: f"{number(1, 12)}:{number(0, 59):02} {one_of('a.m.', 'p.m.')}",
        lambda: f"{number(1, 99)}{one_of('½', '¼', ' ½', '°', ' %', '%')}",
        lambda: f"{one_of('No.', 'Nos', 'N°', 'p.', 'pp.', '§', 'fol.', 'vol.', 'Art.', '#')} {number(1, 400)}",
        lambda: f"({number(1, 99)})",
        lambda: f"{number(1, 60)}-{number(61, 400)}",
        lambda: f"{number(2, 60)} × {number(2, 60)} = {number(4, 3_600)}",
        lambda: f"{number(1, 30)}{one_of('th', 'e', 'è', 'ème', 'st', 'nd', 'rd')}",
        lambda: f"Tel. {number(200, 999)}-{number(0, 9_999):04}",
        lambda: f"{one_of('Q', 'A', 'Re', 'cf', 'P.S')}: {number(1, 90)} + {number(1, 90)}; {number(1, 90)}",
    )
    return kinds[int(rng.integers(len(kinds)))]()
