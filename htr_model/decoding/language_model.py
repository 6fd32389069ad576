"""What is known of the language: character n-grams or a word list, to be weighed in by the beam search.

Both are soft: a word that nobody has seen costs some probability and stays possible. Symbols are classes of a bundle's
charset, states are numbers, factors are what `beam_search.LanguageModel` asks for. Line breaks count as spaces, since
where a line of writing ends says nothing of the language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

import numpy as np

from htr_model.charset import Charset, canonical_text

ORDER = 6
"""Symbols of the longest n-gram counted in running text: the letter and the five before it."""
MAX_BYTES = 64_000_000
"""Larger files are refused: counting more text takes minutes on every worker and improves little."""
_LEAST_COUNT = {5: 2, 6: 2}
"""Long n-grams seen less often are left to the shorter ones: a fraction of the memory, as good on new text."""
_MEAN_NATS = 1.6
"""Cost of a character of ordinary text in nats. It is given back, so that a text is not shortened to save cost."""
_UNKNOWN_WORD_NATS = 10.0
"""Cost of a word that is not in the list, in nats; tuned on validation writers, halved by the usual weight."""
_CACHED = 200_000
_CACHED_ROWS = 20_000

_SPACES = ("<space>", "\u2581", "|")
"""How ARPA files of characters write a space."""
_MARKS = ("<s>", "</s>", "<unk>", "<UNK>")


class LanguageModelError(ValueError):
    """A file holds no usable language model; the message says why."""


def parse(data: bytes, charset: Charset, weight: float) -> CharacterNgrams | Lexicon:
    """The language model in a file: character n-grams of an ARPA file or of running text, or a word list.

    A file with one word a line is a word list; one whose first lines hold ``\\data\\`` is ARPA.

    Args:
        weight: exponent of the model's probabilities, 0 (no effect) …; about 0.5.

    Raises:
        LanguageModelError: the file is too large, not UTF-8, empty, or a damaged ARPA file.
    """
    if len(data) > MAX_BYTES:
        raise LanguageModelError(f"holds {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LanguageModelError(f"is not text in UTF-8 ({error.reason} at byte {error.start})") from error
    if re.search(r"^\\data\\\s*$", text[:4096], re.MULTILINE):
        keys, log_probabilities, backoffs = _read_arpa(text, charset)
        return CharacterNgrams(charset, keys, log_probabilities, backoffs, weight)
    lines = [line for line in text.splitlines() if line.strip()]
    if not any(canonical_text(line) for line in lines):
        raise LanguageModelError("is empty")
    if all(len(line.split()) == 1 for line in lines):
        return Lexicon(charset, lines, weight)
    keys, log_probabilities, backoffs = count_ngrams(text, charset)
    return CharacterNgrams(charset, keys, log_probabilities, backoffs, weight)


def _bits(charset: Charset) -> int:
    """Bits of a symbol in a packed n-gram. No symbol is 0, so that n-grams of all lengths differ as numbers."""
    return charset.classes.bit_length()


class CharacterNgrams:
    """A backing-off model of characters (Katz 1987, equation 15): what ARPA files hold.

    Args:
        keys: int64 (n,), rising: n-grams with their symbols packed into one number, the last one lowest.
        log_probabilities, backoffs: float32 (n,), in nats.
    """

    def __init__(
        self,
        charset: Charset,
        keys: np.ndarray,
        log_probabilities: np.ndarray,
        backoffs: np.ndarray,
        weight: float,
    ):
        self._bits = _bits(charset)
        self._keys = keys
        self._log_probabilities = log_probabilities
        self._backoffs = backoffs
        self._weight = weight
        self._order = self._length(int(keys[-1]))
        self._space = charset.encode(" ")[0] if not charset.unknown(" ") else None
        self._least = float(log_probabilities.min()) - 2.0
        self._rows: dict[int, tuple[float, dict[int, float]]] = {}
        self._known: dict[int, tuple[float, int]] = {}
        # A line or a word begins behind a space, or what stands for one.
        self.start = self._space or 0

    def extend(self, state: int, symbol: int) -> tuple[float, int]:
        key = state << self._bits | symbol
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= _CACHED:
                self._known.clear()
            log_probability, longest = self._look_up(state, symbol)
            if self._length(longest) >= self._order:
                longest = self._shorter(longest)
            factor = math.exp(self._weight * (log_probability + _MEAN_NATS))
            known = self._known[key] = (factor, longest)
        return known

    def finish(self, state: int) -> float:
        return self.extend(state, self._space)[0] if self._space else 1.0

    def log_probability(self, state: int, symbol: int) -> float:
        """Of a symbol behind the symbols of a state, in nats."""
        return self._look_up(state, symbol)[0]

    def _look_up(self, state: int, symbol: int) -> tuple[float, int]:
        """The log-probability, and the longest n-gram that ends with the symbol: all that matters behind it."""
        spent = 0.0
        while True:
            backoff, followers = self._row(state)
            found = followers.get(symbol)
            if found is not None:
                return spent + found, state << self._bits | symbol
            if not state:
                return spent + self._least, 0
            spent += backoff
            state = self._shorter(state)

    def _row(self, state: int) -> tuple[float, dict[int, float]]:
        """A state's backoff, and the log-probabilities of the symbols that were seen behind it."""
        row = self._rows.get(state)
        if row is None:
            if len(self._rows) >= _CACHED_ROWS:
                self._rows.clear()
            bounds = [state, max(1, state << self._bits), state + 1 << self._bits]
            at, first, end = self._keys.searchsorted(bounds).tolist()
            known = at < len(self._keys) and self._keys[at] == state
            symbols = self._keys[first:end] - bounds[1] if state else self._keys[first:end]
            followers = dict(zip(symbols.tolist(), self._log_probabilities[first:end].tolist(), strict=True))
            row = self._rows[state] = (float(self._backoffs[at]) if known else 0.0, followers)
        return row

    def _length(self, key: int) -> int:
        return -(-key.bit_length() // self._bits)

    def _shorter(self, key: int) -> int:
        """Without its oldest symbol."""
        return key & ((1 << self._bits * (self._length(key) - 1)) - 1)


def count_ngrams(text: str, charset: Charset, order: int = ORDER) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys, log-probabilities and backoffs of `CharacterNgrams`, counted in running text.

    Witten-Bell smoothing (Witten and Bell 1991, method C), interpolated: behind a text that was followed by ``types``
    different symbols ``n`` times in all, ``types / (n + types)`` of the probability is the shorter n-grams'. The shares
    of n-grams too rare to be kept go there too. Characters outside the charset are left out.
    """
    bits = _bits(charset)
    order = min(order, 62 // bits)
    symbols = _symbols(text, charset)
    keys = np.arange(1, charset.classes, dtype=np.int64)
    probabilities = np.full(len(keys), 1 / len(keys))
    found: list[tuple[np.ndarray, np.ndarray]] = []
    backoffs: list[np.ndarray] = []
    packed = np.zeros(len(symbols), np.int64)
    for n in range(1, order + 1):
        packed = (packed[:-1] << bits if n > 1 else packed) | symbols[n - 1 :]
        seen, counts = np.unique(packed, return_counts=True)
        if not len(seen):
            break
        first = np.flatnonzero(np.concatenate(([True], np.diff(seen >> bits) > 0)))
        contexts = seen[first] >> bits
        types = np.diff(np.append(first, len(seen)))
        totals = np.add.reduceat(counts, first) + types
        counts = np.where(counts >= _LEAST_COUNT.get(n, 1), counts, 0)
        left = 1 - np.add.reduceat(counts, first) / totals
        context_of = np.repeat(np.arange(len(contexts)), types)
        kept = counts > 0
        shorter = seen[kept] & ((1 << bits * (n - 1)) - 1)
        lower = probabilities[np.searchsorted(keys, shorter)] if n > 1 else 1 / (charset.classes - 1)
        if n > 1:
            behind = np.zeros(len(keys))
            known = np.searchsorted(keys, contexts)
            known = np.minimum(known, len(keys) - 1)
            present = keys[known] == contexts
            behind[known[present]] = np.log(left[present])
            backoffs.append(behind)
        values = counts[kept] / totals[context_of[kept]] + left[context_of[kept]] * lower
        if n == 1:
            # Every symbol can be written, also one that the text lacks.
            probabilities = np.full(len(keys), left[0] / len(keys))
            probabilities[seen - 1] = values
        else:
            keys, probabilities = seen[kept], values
        found.append((keys, probabilities))
    backoffs.append(np.zeros(len(keys)))
    return (
        np.concatenate([k for k, _ in found]),
        np.log(np.concatenate([p for _, p in found])).astype(np.float32),
        np.concatenate(backoffs).astype(np.float32),
    )


def _symbols(text: str, charset: Charset) -> np.ndarray:
    """Classes of a text's characters, int64, a space at both ends; those outside the charset are left out."""
    canonical = f" {canonical_text(text)} "
    codes = np.frombuffer(canonical.encode("utf-32-le"), np.uint32)
    table = np.zeros(max(int(codes.max()), *map(ord, charset.symbols)) + 1, np.int64)
    for symbol, character in enumerate(charset.symbols, start=1):
        table[ord(character)] = symbol
    symbols = table[codes]
    return symbols[symbols > 0]


def _read_arpa(text: str, charset: Charset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keys, log-probabilities and backoffs of an ARPA file; n-grams with symbols outside the charset are left out."""
    bits = _bits(charset)
    highest = 62 // bits
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
    return np.array(keys, np.int64), values[:, 0].copy(), values[:, 1].copy()


def _arpa_entries(text: str) -> Iterator[tuple[int, float, list[str], float]]:
    """Order, log10 probability, tokens and log10 backoff of each n-gram."""
    order = 0
    ended = False
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip(" \r\n")
        section = re.fullmatch(r"\\(\d+)-grams:\s*", line)
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
                finite = math.isfinite(probability) and math.isfinite(backoff)
                if not finite or probability > 0 or not order < len(fields) <= order + 2:
                    raise ValueError
            except ValueError:
                raise LanguageModelError(f"ARPA: line {number} is no {order}-gram: {line[:60]!r}") from None
            yield order, probability, fields[1 : order + 1], backoff
    if not ended:
        raise LanguageModelError("ARPA: the file is cut short; its last line must be \\end\\")


class Lexicon:
    """A word list. Each word outside it costs a fixed factor, paid where it leaves the list's words.

    Words are runs of letters, compared without case. Apostrophes and hyphens may stand in the list's words, else they
    divide words. Single letters and everything with a digit are known.
    """

    start = 0
    _FREE = -1
    """State inside a word that is paid for, or needs not be."""

    def __init__(self, charset: Charset, words: Iterable[str], weight: float):
        self._characters = ("",) + tuple(charset.symbols.lower())
        self._cost = math.exp(-weight * _UNKNOWN_WORD_NATS)
        self._children: dict[tuple[int, str], int] = {}
        self._ends: set[int] = set()
        nodes = 0
        for word in (*words, *charset.symbols):
            node = 0
            for character in canonical_text(word).lower():
                child = self._children.get((node, character))
                if child is None:
                    nodes += 1
                    child = self._children[node, character] = nodes
                node = child
            self._ends.add(node)

    def extend(self, state: int, symbol: int) -> tuple[float, int]:
        character = self._characters[symbol]
        if character.isdigit():
            return 1.0, self._FREE
        child = self._children.get((state, character))
        if character.isalpha():
            if state == self._FREE:
                return 1.0, state
            return (self._cost, self._FREE) if child is None else (1.0, child)
        if child is not None and character in "'-":
            return 1.0, child
        # "qu'il": what stands before an apostrophe need not be a word.
        return (1.0 if character == "'" else self.finish(state)), 0

    def finish(self, state: int) -> float:
        return 1.0 if state <= 0 or state in self._ends else self._cost
