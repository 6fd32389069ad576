"""The course of a learning rate, as shares 0–1 of the highest."""

from __future__ import annotations

import math

_LEAST = 0.01


def warm_up(step: int, steps: int) -> float:
    """A share that rises linearly over the first ``steps``, then stays 1; ``step`` counts from 0."""
    return min(1.0, (step + 1) / max(1, steps))


def cosine(progress: float) -> float:
    """A share that falls along half a cosine, from 1 to a hundredth, over ``progress`` 0–1 (Loshchilov and Hutter
    2017)."""
    return _LEAST + (1 - _LEAST) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
