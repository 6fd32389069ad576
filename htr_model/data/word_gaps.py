"""Where words part in a picture of a line, found with a recogniser that reads it, so that training can put its words
together otherwise."""

from __future__ import annotations

import math

import numpy as np
from rapidfuzz.distance import Levenshtein

from htr_model.normalization import Normalized
from htr_model.reading import Reading

UNKNOWN = math.nan
"""Of a gap that was not found: the words are never parted there."""

_INK = 64
"""Level of a normalised picture from which a pixel is ink: fainter than that is paper that was not cut off."""
_NARROWEST = 0.06
"""Columns without ink that a gap must have, in heights of the normalised picture."""


def word_gaps(text: str, reading: Reading, picture: Normalized, width: int) -> tuple[float, ...]:
    """Where the spaces of a true text lie: for each, the middle of the widest stretch without ink between the letters
    beside it, as a share of the picture's width; `UNKNOWN` where the reading has no space there or ink crosses.

    Args:
        text: canonical text; single spaces part its words.
        reading: of the picture, without a language model.
        picture: the normalised picture that was read.
        width: of the picture before it was normalised, in pixels.
    """
    same = Levenshtein.editops(text, reading.text).as_matching_blocks()
    place = {block.a + i: block.b + i for block in same for i in range(block.size)}
    inked = (picture.pixels > _INK).any(axis=0)
    return tuple(
        _gap(place.get(i), reading, inked, picture, width) for i, character in enumerate(text) if character == " "
    )


def _gap(space: int | None, reading: Reading, inked: np.ndarray, picture: Normalized, width: int) -> float:
    if space is None or not 0 < space < len(reading.text) - 1:
        return UNKNOWN
    first, last = reading.spans[space - 1][1], reading.spans[space + 1][0]
    # Edges of the stretches without ink: where a column with ink stands beside one without.
    edges = np.flatnonzero(np.diff(np.concatenate([[True], inked[first:last], [True]])))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return UNKNOWN
    widest = int(np.argmax(ends - starts))
    if ends[widest] - starts[widest] < _NARROWEST * picture.pixels.shape[0]:
        return UNKNOWN
    middle = first + (starts[widest] + ends[widest]) / 2
    return float(np.clip((picture.left + middle / picture.scale) / width, 0, 1))
