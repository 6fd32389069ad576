"""N-grams of characters counted in running text, and those left out that say little."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from htr_model.charset import Charset, canonical_text
from htr_model.decoding.ngrams import MOST_BITS, Ngrams, symbol_bits

ORDER = 6
"""Symbols of the longest n-gram counted in a text at run time: the letter and the five before it."""
_RARE_FROM = 5
"""N-grams of so many symbols or more that were seen once are left to the shorter ones: a fraction of the memory, as
good on new text."""
_LEAST_LEFT = 1e-9
"""Least share of the probability that is thought to be left to symbols unseen behind a text."""


def frequent_symbols(text: str, charset: Charset, most: int) -> str:
    """The charset's characters that a text's canonical form (`canonical_text`) holds: the ``most`` frequent ones, in
    the charset's order."""
    counts = Counter(canonical_text(text))
    ranked = sorted((s for s in charset.symbols if counts[s]), key=lambda s: -counts[s])
    kept = set(ranked[:most])
    return "".join(s for s in charset.symbols if s in kept)


def count_ngrams(text: str, symbols: str, order: int = ORDER, least_gain: float = 0.0) -> Ngrams:
    """The n-grams of a text's characters; those outside ``symbols`` are left out, line breaks are spaces.

    Witten-Bell smoothing (Witten and Bell 1991, method C), interpolated: behind a text that was followed by ``types``
    different symbols ``n`` times in all, ``types / (n + types)`` of the probability is the shorter n-grams'. The shares
    of n-grams too rare to be kept go there too.

    Args:
        order: symbols of the longest n-gram, as far as they fit into `MOST_BITS`.
        least_gain: n-grams that bring less than this are left out: the relative entropy, in nats a character, of the
            model without it (Stolcke 1998, Entropy-based Pruning of Backoff Language Models).
    """
    bits = symbol_bits(symbols)
    counts = _counts(_numbers(text, symbols), bits, min(order, MOST_BITS // bits))
    kept = [count.times > (n >= _RARE_FROM) for n, count in enumerate(counts, start=1)]
    levels = _smoothed(counts, kept, bits, len(symbols))
    if least_gain > 0:
        kept = _worth_keeping(counts, levels, bits, least_gain)
        levels = _smoothed(counts, kept, bits, len(symbols))
    return Ngrams(
        symbols,
        np.concatenate([level.keys for level in levels]),
        np.log(np.concatenate([level.probabilities for level in levels])).astype(np.float32),
        np.log(np.concatenate([level.backoffs for level in levels])).astype(np.float32),
    )


@dataclass(frozen=True)
class _Counts:
    """The n-grams of one length in a text: rising keys, and how often each occurs, int64 (n,)."""

    keys: np.ndarray
    times: np.ndarray


@dataclass(frozen=True)
class _Level:
    """The n-grams of one length in a model: int64 and float64 (n,)."""

    keys: np.ndarray
    probabilities: np.ndarray
    backoffs: np.ndarray


@dataclass(frozen=True)
class _Contexts:
    """What n-grams of one length begin with.

    Attributes:
        keys: int64 (m,), rising: the n-grams without their last symbol, each once.
        first: int (m,), position of a context's first n-gram.
        of: int (n,), position of an n-gram's context.
    """

    keys: np.ndarray
    first: np.ndarray
    of: np.ndarray

    @classmethod
    def of_keys(cls, keys: np.ndarray, bits: int) -> _Contexts:
        before = keys >> bits
        begins = np.concatenate(([True], before[1:] != before[:-1]))
        first = np.flatnonzero(begins)
        return cls(before[first], first, np.cumsum(begins) - 1)


def _numbers(text: str, symbols: str) -> np.ndarray:
    """Numbers of a text's characters, int64, a space at both ends; those outside ``symbols`` are left out."""
    codes = np.frombuffer(f" {canonical_text(text)} ".encode("utf-32-le"), np.uint32)
    table = np.zeros(max(int(codes.max()), *map(ord, symbols)) + 1, np.int64)
    for number, character in enumerate(symbols, start=1):
        table[ord(character)] = number
    numbers = table[codes]
    return numbers[numbers > 0]


def _counts(numbers: np.ndarray, bits: int, order: int) -> list[_Counts]:
    """Of each length, as long as the text has n-grams of it."""
    found = []
    packed = np.zeros(len(numbers), np.int64)
    for n in range(1, order + 1):
        packed = (packed[:-1] << bits if n > 1 else packed) | numbers[n - 1 :]
        keys, times = np.unique(packed, return_counts=True)
        if len(keys) or n == 1:
            found.append(_Counts(keys, times))
    return found


def _smoothed(counts: list[_Counts], kept: list[np.ndarray], bits: int, symbols: int) -> list[_Level]:
    """Probabilities of the n-grams that are kept, and backoffs of those before them; see `count_ngrams`."""
    # Every symbol can be written, also one that the text lacks.
    shorter = np.arange(1, symbols + 1, dtype=np.int64)
    probabilities = np.full(symbols, 1 / symbols)
    levels: list[_Level] = []
    for n, (count, keep) in enumerate(zip(counts, kept, strict=True), start=1):
        if not len(count.keys):
            break
        contexts = _Contexts.of_keys(count.keys, bits)
        types = np.diff(np.append(contexts.first, len(count.keys)))
        totals = np.add.reduceat(count.times, contexts.first) + types
        left = 1 - np.add.reduceat(np.where(keep, count.times, 0), contexts.first) / totals
        keys, of = count.keys[keep], contexts.of[keep]
        own = count.times[keep] / totals[of]
        if n == 1:
            probabilities = left[0] * probabilities
            probabilities[keys - 1] += own
        else:
            lower = probabilities[np.searchsorted(shorter, keys & ((1 << bits * (n - 1)) - 1))]
            levels.append(_Level(shorter, probabilities, _placed(left, contexts.keys, shorter)))
            shorter, probabilities = keys, own + left[of] * lower
    return [*levels, _Level(shorter, probabilities, np.ones(len(shorter)))]


def _placed(values: np.ndarray, keys: np.ndarray, among: np.ndarray) -> np.ndarray:
    """``values`` of ``keys`` at the places of these keys in ``among``, 1 elsewhere."""
    placed = np.ones(len(among))
    at = np.minimum(np.searchsorted(among, keys), len(among) - 1)
    known = among[at] == keys
    placed[at[known]] = values[known]
    return placed


def _worth_keeping(counts: list[_Counts], levels: list[_Level], bits: int, least_gain: float) -> list[np.ndarray]:
    """Which of the counted n-grams bring at least ``least_gain``, or begin or end a longer one that is kept: masks."""
    characters = int(counts[0].times.sum())
    masks = [np.ones(len(counts[0].keys), bool)]
    needed = np.zeros(0, np.int64)
    for n in range(len(levels), 1, -1):
        level, below = levels[n - 1], levels[n - 2]
        gains = _gains(level, below, counts[n - 2], n, bits) / characters
        chosen = level.keys[(gains >= least_gain) | np.isin(level.keys, needed)]
        needed = np.unique(np.concatenate([chosen >> bits, chosen & ((1 << bits * (n - 1)) - 1)]))
        masks.insert(1, np.isin(counts[n - 1].keys, chosen))
    masks += [np.zeros(len(count.keys), bool) for count in counts[len(levels) :]]
    return masks


def _gains(level: _Level, below: _Level, times_below: _Counts, n: int, bits: int) -> np.ndarray:
    """What each n-gram brings over the whole text, in nats: Stolcke 1998, equation 3."""
    probability = level.probabilities
    backed_off = below.probabilities[np.searchsorted(below.keys, level.keys & ((1 << bits * (n - 1)) - 1))]
    contexts = _Contexts.of_keys(level.keys, bits)
    unseen = np.maximum(1 - np.add.reduceat(probability, contexts.first), _LEAST_LEFT)[contexts.of]
    unseen_below = np.maximum(1 - np.add.reduceat(backed_off, contexts.first), _LEAST_LEFT)[contexts.of]
    backoff = np.log(unseen / unseen_below)
    without = np.log((unseen + probability) / (unseen_below + backed_off))
    times = times_below.times[np.searchsorted(times_below.keys, contexts.keys)][contexts.of]
    lost = probability * (np.log(backed_off) + without - np.log(probability))
    return -times * (lost + unseen * (without - backoff))
