"""Pictures of writing on sheets for the eye."""

from __future__ import annotations

import cv2
import numpy as np

_MOST_ENLARGED = 1.5


def fitted(gray: np.ndarray, width: int, height: int) -> np.ndarray:
    """A picture, uint8 (h, w), as large as fits into some pixels, its proportions kept; enlarged a little at most."""
    factor = min(height / gray.shape[0], width / gray.shape[1], _MOST_ENLARGED)
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
