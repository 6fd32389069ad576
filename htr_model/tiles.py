"""Pictures of writing on sheets for the eye."""

from __future__ import annotations

import numpy as np

from segmentation.scaling import scaled

_MOST_ENLARGED = 1.5


def fitted(gray: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture, uint8 (h, w), as large as fits into some pixels, its proportions kept; enlarged a little at most."""
    factor = min(height / gray.shape[0], width / gray.shape[1], _MOST_ENLARGED)
    return scaled(gray, factor)
