"""Small pages with drawn writing."""

from __future__ import annotations

import cv2
import numpy as np

LETTER = ("The river is high", "boxes of letters", "and none in order")


def page(lines: tuple[str, ...], width: int = 640) -> np.ndarray:
    """A page of drawn lines, uint8 (height, width); without lines an empty sheet."""
    gray = np.full((70 + 70 * len(lines), width), 238, np.uint8)
    for i, text in enumerate(lines):
        cv2.putText(gray, text, (40, 80 + 70 * i), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 40, 3, cv2.LINE_AA)
    return gray
