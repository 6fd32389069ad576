"""Greedy decoding of CTC: the most probable class of each time step, repeats and blanks removed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from htr_model.charset import BLANK


@dataclass(frozen=True)
class Decoded:
    """A decoded label sequence.

    Attributes:
        classes: the symbols, blanks and repeats removed.
        probabilities: 0–1, the best time step's of each symbol.
        spans: first and last time step (inclusive) of each symbol.
    """

    classes: list[int]
    probabilities: list[float]
    spans: list[tuple[int, int]]


def collapse(path: np.ndarray, probabilities: np.ndarray) -> Decoded:
    """Greedy decoding of one path: runs of one class become one symbol, blanks vanish.

    Args:
        path: int (time,), only valid time steps.
        probabilities: float (time,).
    """
    if len(path) == 0:
        return Decoded([], [], [])
    starts = np.flatnonzero(np.concatenate(([True], path[1:] != path[:-1])))
    ends = np.append(starts[1:], len(path))
    symbols = path[starts] != BLANK
    starts, ends = starts[symbols], ends[symbols]
    return Decoded(
        [int(path[s]) for s in starts],
        [float(probabilities[s:e].max()) for s, e in zip(starts, ends, strict=True)],
        [(int(s), int(e) - 1) for s, e in zip(starts, ends, strict=True)],
    )
