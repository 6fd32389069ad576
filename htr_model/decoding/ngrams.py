"""A language model of characters: how probable each is behind the few before it."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from htr_model.charset import Charset

MOST_BITS = 62
"""Bits of a packed n-gram, so that it and its neighbours are whole numbers of 64 bits."""
_MEAN_NATS = 1.6
"""Cost of a character of ordinary text in nats. It is given back, so that a text is not shortened to save cost."""
_MOST_NATS = 500.0
"""Of a factor, in either direction: beyond e^±700 the search's weights are nought or infinite. ARPA files may hold any
number, and write -99 for what is impossible; models that were counted stay far below with any usual weight."""
_REMEMBERED = 300_000
"""Answers that a process keeps, about 60 MB; asked for more, it forgets them all and begins again."""


@dataclass(frozen=True)
class Ngrams:
    """A backing-off model of characters (Katz 1987, equation 15): what ARPA files hold.

    An n-gram is packed into one number: its symbols, numbered from 1 in the order of ``symbols``, `symbol_bits` each,
    the last one lowest. N-grams of all lengths differ as numbers, and the longer is the greater.

    Attributes:
        symbols: the characters that the model knows.
        keys: int64 (n,), rising: the n-grams.
        log_probabilities: float32 (n,), of an n-gram's last symbol behind the others, in nats.
        backoffs: float32 (n,), in nats: factor of what shorter n-grams say of a symbol not seen behind this n-gram.
    """

    symbols: str
    keys: np.ndarray
    log_probabilities: np.ndarray
    backoffs: np.ndarray

    @property
    def bits(self) -> int:
        """See `symbol_bits`."""
        return symbol_bits(self.symbols)

    @property
    def order(self) -> int:
        """Symbols of the longest n-gram."""
        return -(-int(self.keys[-1]).bit_length() // self.bits)


def symbol_bits(symbols: str) -> int:
    """Bits of a symbol in a packed n-gram. No symbol is 0, which stands for none."""
    return len(symbols).bit_length()


class CharacterNgrams:
    """N-grams as a language model that `beam_search.LanguageModel` describes.

    A state is a packed n-gram: the longest one at the end of the text behind which the model knows any symbol; 0 for
    none.

    Args:
        charset: of the recogniser. Its characters that the model lacks are improbable everywhere, not impossible.
        weight: exponent of the probabilities, 0 (no effect) …
    """

    def __init__(self, charset: Charset, ngrams: Ngrams, weight: float):
        number_of = {symbol: i for i, symbol in enumerate(ngrams.symbols, start=1)}
        self._numbers = (0, *(number_of.get(symbol, 0) for symbol in charset.symbols))
        self._space = charset.encode(" ")[0] if not charset.unknown(" ") else None
        self._bits = ngrams.bits
        self._weight = weight
        self._least = float(ngrams.log_probabilities.min()) - 2.0
        # Asked one by one, Python's own arrays and search answer several times as fast as NumPy's.
        self._keys = array("q", ngrams.keys.astype(np.int64).tobytes())
        self._log_probabilities = array("f", ngrams.log_probabilities.astype(np.float32).tobytes())
        self._backoffs = array("f", ngrams.backoffs.astype(np.float32).tobytes())
        followed = ngrams.backoffs != 0
        before = ngrams.keys >> self._bits
        before = before[np.flatnonzero(np.diff(before, prepend=0))]
        at = np.minimum(np.searchsorted(ngrams.keys, before), len(ngrams.keys) - 1)
        followed[at[ngrams.keys[at] == before]] = True
        self._followed = followed.astype(np.uint8).tobytes()
        self._answers: dict[int, dict[int, tuple[float, int]]] = {}
        self._answered = 0
        # A line or a word begins behind a space, or what stands for one.
        self.start = self._state(number_of.get(" ", 0))

    def extend(self, state: int, symbol: int) -> tuple[float, int]:
        answers = self._answers.get(state)
        if answers is None:
            answers = self._answers[state] = {}
        answer = answers.get(symbol)
        if answer is None:
            log_probability, longest = self._look_up(state, self._numbers[symbol])
            nats = self._weight * (log_probability + _MEAN_NATS)
            factor = math.exp(max(-_MOST_NATS, min(_MOST_NATS, nats)))
            answer = answers[symbol] = (factor, self._state(longest))
            self._answered += 1
            if self._answered > _REMEMBERED:
                self._answers.clear()
                self._answered = 0
        return answer

    def finish(self, state: int) -> float:
        return self.extend(state, self._space)[0] if self._space else 1.0

    def _look_up(self, state: int, number: int) -> tuple[float, int]:
        """The log-probability of a symbol (its number; 0 for one that the model lacks) behind a state, and the longest
        known n-gram that ends with the symbol there."""
        if not number:
            return self._least, 0
        keys, bits = self._keys, self._bits
        spent = 0.0
        while True:
            key = state << bits | number
            at = bisect_left(keys, key)
            if at < len(keys) and keys[at] == key:
                return spent + self._log_probabilities[at], key
            if not state:
                return spent + self._least, 0
            at = bisect_left(keys, state)
            if at < len(keys) and keys[at] == state:
                spent += self._backoffs[at]
            state = self._shorter(state)

    def _state(self, key: int) -> int:
        """The state behind an n-gram: its longest end that something is known to follow."""
        keys = self._keys
        while key:
            at = bisect_left(keys, key)
            if at < len(keys) and keys[at] == key and self._followed[at]:
                break
            key = self._shorter(key)
        return key

    def _shorter(self, key: int) -> int:
        """Without its oldest symbol."""
        oldest = (key.bit_length() - 1) // self._bits * self._bits
        return key & ((1 << oldest) - 1)
