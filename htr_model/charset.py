"""The symbols a recogniser can write, and their class numbers."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

BLANK = 0
"""Class of the CTC blank. Symbols are numbered from 1."""

LATIN = (
    " !\"#$%&'()*+,-./0123456789:;=?@"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[]_"
    "abcdefghijklmnopqrstuvwxyz"
    "£€§°½¼«»¡¿×"
    "ÀÁÂÄÆÇÈÉÊËÌÍÎÏÑÒÓÔÖÙÚÛÜŒß"
    "àáâäæçèéêëìíîïñòóôöùúûüÿœ"
)
"""Symbols of the general bundle: western European handwriting, typing, sums of money."""

_LOOKALIKES = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "`": "'",
        "´": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "–": "-",
        "—": "-",
        "‐": "-",
        "‑": "-",
        "\u00a0": " ",
        "\u202f": " ",
        "…": "...",
    }
)


def canonical_text(text: str) -> str:
    """Text as the recogniser can be asked to write it.

    NFC, one space between words, none at the ends, and one symbol for marks that a pen does not tell apart
    (curly and straight quotes, dashes and hyphens).
    """
    return " ".join(unicodedata.normalize("NFC", text).translate(_LOOKALIKES).split())


_UNWRITABLE = ("Cc", "Cs", "Zl", "Zp")
"""Unicode's categories of control characters, halves of characters, and line breaks. Others that show nothing, as
joiners, and those of private use, as old abbreviations have them, are written."""


def unwritable(text: str) -> list[str]:
    """Characters that no line of text can hold, in order of appearance."""
    return [c for c in text if unicodedata.category(c) in _UNWRITABLE]


@dataclass(frozen=True)
class Charset:
    """An ordered set of single characters; character ``symbols[i]`` is class ``i + 1``.

    Raises:
        ValueError: a symbol occurs twice, is not one character, or none that a line of text can hold.
    """

    symbols: str

    def __post_init__(self) -> None:
        if not isinstance(self.symbols, str):
            raise ValueError(f"symbols must be one string, got {self.symbols!r}")
        if not self.symbols:
            raise ValueError("charset is empty")
        repeated = sorted(s for s, times in Counter(self.symbols).items() if times > 1)
        if repeated:
            raise ValueError(f"charset holds {repeated!r} more than once")
        strange = unwritable(self.symbols)
        if strange:
            raise ValueError(f"charset holds {strange!r}, which no line of text can hold")

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def classes(self) -> int:
        """Number of network outputs: the symbols and the blank."""
        return len(self.symbols) + 1

    @cached_property
    def _class_of(self) -> dict[str, int]:
        return {symbol: i for i, symbol in enumerate(self.symbols, start=BLANK + 1)}

    def unknown(self, text: str) -> str:
        """Characters of ``text`` that the charset lacks, each once, in order of appearance."""
        return "".join(dict.fromkeys(c for c in text if c not in self._class_of))

    def encode(self, text: str) -> list[int]:
        """Classes of ``text``'s characters, 1 … len(self).

        Raises:
            ValueError: ``text`` has a character outside the charset.
        """
        unknown = self.unknown(text)
        if unknown:
            raise ValueError(f"{text!r} has characters outside the charset: {unknown!r}")
        return [self._class_of[c] for c in text]

    def decode(self, classes: list[int]) -> str:
        """Text of ``classes`` (blanks already removed)."""
        return "".join(self.symbols[c - 1] for c in classes)
