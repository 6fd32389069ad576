"""Pictures at another scale, or turned by quarters."""

from __future__ import annotations

import cv2
import numpy as np


def scaled(picture: np.ndarray, factor: float, enlarging: int = cv2.INTER_LINEAR) -> np.ndarray:
    """A picture, (h, w) or (h, w, channels), scaled by a factor, at least a pixel high and wide; itself for 1.

    Args:
        enlarging: OpenCV's interpolation for factors above 1; below, areas are averaged.
    """
    if factor == 1:
        return picture
    size = (max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if factor < 1 else enlarging)


def turned(picture: np.ndarray, degrees: int) -> np.ndarray:
    """A picture, (h, w) or (h, w, channels), turned clockwise by ``degrees``, a multiple of 90."""
    return np.ascontiguousarray(np.rot90(picture, -degrees // 90))
