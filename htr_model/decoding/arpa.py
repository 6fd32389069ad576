"""ARPA files of character n-grams, as KenLM and SRILM write them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import numpy as np

from htr_model.charset import Charset, canonical_text
from htr_model.decoding.errors import LanguageModelError
from htr_model.decoding.ngrams import MOST_BITS, Ngrams, symbol_bits

_SPACES = ("<space>", "\u2581", "|")
"""How ARPA files of characters write a space."""
_LEAST_LOG10 = 1000.0
"""Powers of ten beyond which no probability is believed: SRILM writes -99 for none."""
_MARKS = ("<s>", "</s>", "<unk>", "<UNK>")


def is_arpa(text: str) -> bool:
    """Whether a file's first lines hold ``\\data\\``."""
    return re.search(r"^\\data\\\s*$", text[:4096], re.MULTILINE) is not None


def read_arpa(text: str, charset: Charset) -> Ngrams:
    """The n-grams of an ARPA file; those with symbols outside the charset are left out.

    Raises:
        LanguageModelError: the file is damaged, or its n-grams are longer than fit or not of single characters.
    """
    bits = symbol_bits(charset.symbols)
    highest = MOST_BITS // bits
    entries: dict[int, tuple[float, float]] = {}
    words = 0
    for order, probability, tokens, backoff in _arpa_entries(text):
        if order > highest:
            raise LanguageModelError(f"ARPA: n-grams of {order} symbols; at most {highest} are read with this charset")
        key = 0
        for token in tokens:
            character = " " if token in _SPACES and token not in charset.symbols else canonical_text(token)
            if len(character) != 1 or charset.unknown(character):
                words += len(character) > 1 and token not in _MARKS
                break
            key = key << bits | charset.encode(character)[0]
        else:
            entries[key] = (probability * math.log(10), backoff * math.log(10))
    if not entries or words > len(entries):
        raise LanguageModelError("ARPA: the n-grams are not of single characters separated by spaces")
    keys = sorted(entries)
    values = np.array([entries[k] for k in keys], np.float32)
    return Ngrams(charset.symbols, np.array(keys, np.int64), values[:, 0].copy(), values[:, 1].copy())


def _arpa_entries(text: str) -> Iterator[tuple[int, float, list[str], float]]:
    """Order, log10 probability, tokens and log10 backoff of each n-gram."""
    order = 0
    ended = False
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip(" \r\n")
        section = re.fullmatch(r"\\(\d{1,2})-grams:\s*", line)
        if section:
            order = int(section[1])
        elif line.strip() == "\\end\\":
            ended = True
            break
        elif order and line.strip():
            fields = line.split()
            try:
                probability = float(fields[0])
                backoff = float(fields[order + 1]) if len(fields) == order + 2 else 0.0
                # Written so that what is no number fails too.
                believable = -_LEAST_LOG10 <= probability <= 0 and abs(backoff) <= _LEAST_LOG10
                if not believable or not order < len(fields) <= order + 2:
                    raise ValueError
            except ValueError:
                raise LanguageModelError(f"ARPA: line {number} is no {order}-gram: {line[:60]!r}") from None
            yield order, probability, fields[1 : order + 1], backoff
    if not ended:
        raise LanguageModelError("ARPA: the file is cut short; its last line must be \\end\\")
