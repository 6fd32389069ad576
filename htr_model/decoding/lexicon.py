"""A word list as a language model: a word outside it costs a fixed factor."""

from __future__ import annotations

import math
from collections.abc import Iterable

from htr_model.charset import Charset, canonical_text

UNKNOWN_WORD_NATS = 10.0
"""Cost of a word that is not in the list, in nats; tuned on validation writers, halved by the usual weight."""


class Lexicon:
    """A word list, as `beam_search.LanguageModel`. A word outside it costs a fixed factor, paid at the first letter
    with which no word of the list goes on, or at the word's end.

    Words are runs of letters, compared without case. Apostrophes and hyphens may stand in the list's words, else they
    divide words. Single letters and everything with a digit are known.
    """

    start = 0
    _FREE = -1
    """State inside a word whose cost is paid already, or that has none."""

    def __init__(self, charset: Charset, words: Iterable[str], weight: float):
        # One by one: some, as İ, are two characters in small letters.
        self._characters = ("",) + tuple(symbol.lower() for symbol in charset.symbols)
        self._cost = math.exp(-weight * UNKNOWN_WORD_NATS)
        self._children: dict[tuple[int, str], int] = {}
        self._ends: set[int] = set()
        nodes = 0
        for word in (*words, *charset.symbols):
            node = 0
            for character in map(str.lower, canonical_text(word)):
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
        if character[:1].isalpha():
            if state == self._FREE:
                return 1.0, state
            return (self._cost, self._FREE) if child is None else (1.0, child)
        if child is not None and character in "'-":
            return 1.0, child
        # "qu'il": what stands before an apostrophe need not be a word.
        return (1.0 if character == "'" else self.finish(state)), 0

    def finish(self, state: int) -> float:
        return 1.0 if state <= 0 or state in self._ends else self._cost
