"""What n-grams say of a symbol, from the factor by which a search weighs it."""

from __future__ import annotations

import math

from htr_model.decoding.ngrams import _MEAN_NATS, CharacterNgrams


def log_probability(model: CharacterNgrams, state: int, symbol: int) -> float:
    """Of a symbol behind a state, in nats, by a model of weight 1."""
    return math.log(model.extend(state, symbol)[0]) - _MEAN_NATS
