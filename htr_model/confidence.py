"""How sure the recogniser is of a text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


def geometric_mean(probabilities: Sequence[float]) -> float:
    """Geometric mean of probabilities, 0–1; 0 for none.

    Unlike the arithmetic mean it falls with every doubtful part, however many sure ones stand beside it.
    """
    if len(probabilities) == 0:
        return 0.0
    return float(np.exp(np.mean(np.log(np.clip(probabilities, 1e-12, 1.0)))))


def word_score(probabilities: Sequence[float]) -> float:
    """Product of a word's character probabilities, 0–1: how probable it is that all are right if independent."""
    return float(np.prod(np.asarray(probabilities, float)))


@dataclass(frozen=True)
class Calibration:
    """A map from a word's score to the probability that the word is right: straight lines between points.

    It never falls, so that of two words the one with the higher score has at least the other's confidence. Outside
    its points it is level. Part of a model bundle; `htr_model.scoring.calibration.fit` makes it.

    Attributes:
        scores: at least two, 0–1, each above the one before.
        confidences: as many, 0–1, none below the one before.

    Raises:
        ValueError: the numbers are not like that.
    """

    scores: tuple[float, ...]
    confidences: tuple[float, ...]

    def __post_init__(self) -> None:
        scores, confidences = tuple(map(float, self.scores)), tuple(map(float, self.confidences))
        object.__setattr__(self, "scores", scores)
        object.__setattr__(self, "confidences", confidences)
        if len(scores) != len(confidences) or len(scores) < 2:
            raise ValueError(f"calibration needs equally many scores and confidences, got {len(scores)} and "
                             f"{len(confidences)}")  # fmt: skip
        if not all(math.isfinite(v) and 0 <= v <= 1 for v in scores + confidences):
            raise ValueError("calibration holds numbers outside 0–1")
        if any(a >= b for a, b in zip(scores, scores[1:], strict=False)):
            raise ValueError("scores of the calibration do not rise")
        if any(a > b for a, b in zip(confidences, confidences[1:], strict=False)):
            raise ValueError("confidences of the calibration fall")

    def __call__(self, score: float) -> float:
        """Confidence of a word with this score, 0–1."""
        return float(np.interp(score, self.scores, self.confidences))


UNCALIBRATED = Calibration((0.0, 1.0), (0.0, 1.0))
"""Leaves every score as it is."""
