"""Smooth random fields, from which uneven strokes, paper and light are made."""

from __future__ import annotations

import math

import cv2
import numpy as np


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], cell: tuple[float, float]) -> np.ndarray:
    """Noise of about unit deviation that changes over ``cell`` pixels: ``shape`` float32; both are (height, width)."""
    (height, width), (cell_height, cell_width) = shape, cell
    grid = rng.normal(size=(math.ceil(height / cell_height) + 3, math.ceil(width / cell_width) + 3)).astype(np.float32)
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
