"""How sure the recogniser is of a text: one number for the whole, one for its weakest letter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def geometric_mean(probabilities: Sequence[float]) -> float:
    """Geometric mean of character probabilities, 0–1; 0 for no characters.

    Unlike the arithmetic mean it falls with every doubtful letter, however many sure ones stand beside it.
    """
    if len(probabilities) == 0:
        return 0.0
    return float(np.exp(np.mean(np.log(np.clip(probabilities, 1e-12, 1.0)))))
