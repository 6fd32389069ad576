"""N-grams in a small file: what a bundle carries, and what `inkbeam language-model` writes.

A safetensors file, pure data, of these arrays. N-grams stand by length, then by their keys (`ngrams.Ngrams`), so that
those which begin alike stand together and need only their last symbol.

    symbols            uint32 (s,)      code points of the characters, at most 255
    lengths            int64 (order,)   how many n-grams there are of each length
    last               uint8 (n,)       number of an n-gram's last symbol, 1 … s
    followers          uint8 (m,)       of each n-gram but the longest: how many one symbol longer begin with it
    log_probabilities  uint8 (n,)       0 … 255 for the least … the greatest of log_probability_range
    backoffs           uint8 (k,)       likewise in backoff_range; of the n-grams that have followers, others have 0
    log_probability_range, backoff_range   float32 (2,), in nats
"""

from __future__ import annotations

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from htr_model.decoding.errors import LanguageModelError
from htr_model.decoding.ngrams import MOST_BITS, Ngrams, symbol_bits

MAX_BYTES = 16_000_000
"""Larger files are refused: they would take hundreds of megabytes in every worker."""
MOST_SYMBOLS = 255
_LEVELS = 255
_MOST_NATS = 1000.0
_TYPES = {
    "symbols": np.uint32,
    "lengths": np.int64,
    "last": np.uint8,
    "followers": np.uint8,
    "log_probabilities": np.uint8,
    "backoffs": np.uint8,
    "log_probability_range": np.float32,
    "backoff_range": np.float32,
}


def is_ngram_file(data: bytes) -> bool:
    """Whether a file begins as safetensors files do, and texts cannot: a length of eight bytes, and JSON."""
    return data[8:10] == b'{"' and data[7:8] == b"\0"


def to_bytes(ngrams: Ngrams) -> bytes:
    """Content of a file of n-grams; each one's beginning must be among them, as in those of `counting.count_ngrams`.

    Probabilities are kept to 1/255 of their range in nats.

    Raises:
        ValueError: there are more symbols than a file can hold.
    """
    if len(ngrams.symbols) > MOST_SYMBOLS:
        raise ValueError(f"{len(ngrams.symbols)} symbols; a file of n-grams holds at most {MOST_SYMBOLS}")
    bits, keys = ngrams.bits, ngrams.keys
    begins = np.searchsorted(keys, [1 << bits * n for n in range(ngrams.order)])
    lengths = np.diff(np.append(begins, len(keys)))
    shorter = len(keys) - int(lengths[-1])
    followers = np.bincount(np.searchsorted(keys, keys[begins[1] :] >> bits), minlength=shorter) if shorter else []
    followers = np.asarray(followers, np.uint8)
    probabilities, probability_range = _quantised(ngrams.log_probabilities)
    backoffs, backoff_range = _quantised(ngrams.backoffs[:shorter][followers > 0])
    return save(
        {
            "symbols": np.array([ord(s) for s in ngrams.symbols], np.uint32),
            "lengths": lengths.astype(np.int64),
            "last": (keys & ((1 << bits) - 1)).astype(np.uint8),
            "followers": followers,
            "log_probabilities": probabilities,
            "backoffs": backoffs,
            "log_probability_range": probability_range,
            "backoff_range": backoff_range,
        }
    )


def from_bytes(data: bytes) -> Ngrams:
    """The n-grams in a file.

    Raises:
        LanguageModelError: the file is too large, damaged, or not of this kind.
    """
    if len(data) > MAX_BYTES:
        raise LanguageModelError(f"holds {len(data):,} bytes; a file of n-grams has at most {MAX_BYTES:,}")
    try:
        arrays = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise LanguageModelError(f"is a damaged file of n-grams ({error})") from error
    for name, kind in _TYPES.items():
        if name not in arrays or arrays[name].dtype != kind or arrays[name].ndim != 1:
            raise LanguageModelError(f"is no file of n-grams: {name!r} must be a list of {np.dtype(kind).name}")
    fault = _fault(arrays)
    if fault:
        raise LanguageModelError(f"is a damaged file of n-grams: {fault}")
    symbols = "".join(map(chr, arrays["symbols"].tolist()))
    keys = _keys(arrays, symbol_bits(symbols))
    if (np.diff(keys) <= 0).any():
        raise LanguageModelError("is a damaged file of n-grams: they do not stand in their order")
    backoffs = np.zeros(len(keys), np.float32)
    backoffs[np.flatnonzero(arrays["followers"])] = _values(arrays["backoffs"], arrays["backoff_range"])
    return Ngrams(symbols, keys, _values(arrays["log_probabilities"], arrays["log_probability_range"]), backoffs)


def _fault(arrays: dict[str, np.ndarray]) -> str | None:
    """What does not fit together, or None."""
    points, lengths, last, followers = (arrays[name] for name in ("symbols", "lengths", "last", "followers"))
    count, order = len(points), len(lengths)
    if not 0 < count <= MOST_SYMBOLS or len(np.unique(points)) < count:
        return f"{count} symbols, or one of them twice"
    if (points > 0x10FFFF).any() or ((points >= 0xD800) & (points < 0xE000)).any():
        return "a symbol is no character"
    if not 0 < order <= MOST_BITS // count.bit_length() or (lengths <= 0).any() or (lengths > len(last)).any():
        return f"no n-grams, or of too many symbols ({order})"
    shorter = int(lengths[:-1].sum())
    if len(last) != lengths.sum() or len(arrays["log_probabilities"]) != len(last) or len(followers) != shorter:
        return "its lists differ in length"
    ends = np.cumsum(lengths)
    sums = np.cumsum(np.append(0, followers.astype(np.int64)))
    if (sums[ends[:-1]] != ends[1:] - ends[0]).any() or len(arrays["backoffs"]) != np.count_nonzero(followers):
        return "n-grams lack their beginnings"
    if (last == 0).any() or (last > count).any():
        return "an n-gram has a symbol that is none"
    for name, highest in (("log_probability_range", 0.0), ("backoff_range", _MOST_NATS)):
        bounds = arrays[name]
        if len(bounds) != 2 or not np.isfinite(bounds).all() or not -_MOST_NATS <= bounds[0] <= bounds[1] <= highest:
            return f"{name} is no range of log-probabilities"
    return None


def _keys(arrays: dict[str, np.ndarray], bits: int) -> np.ndarray:
    lengths, last, followers = arrays["lengths"], arrays["last"].astype(np.int64), arrays["followers"]
    ends = np.cumsum(lengths).tolist()
    keys = [last[: ends[0]]]
    first = 0
    for begin, end in zip(ends, ends[1:], strict=False):
        keys.append(np.repeat(keys[-1], followers[first:begin]) << bits | last[begin:end])
        first = begin
    return np.concatenate(keys)


def _quantised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels of values, uint8, and the range that they divide."""
    least, greatest = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    step = (greatest - least) / _LEVELS or 1.0
    return np.rint((values - least) / step).astype(np.uint8), np.array([least, greatest], np.float32)


def _values(levels: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    return bounds[0] + levels * ((bounds[1] - bounds[0]) / np.float32(_LEVELS))
