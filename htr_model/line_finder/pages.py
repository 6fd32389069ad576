"""What the network that finds lines learns from: pictures of pages and where their lines run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNIT = 7.0
"""Pixels of an x-height in the network's picture."""
STRIDE = 2
"""Pixels of the network's picture per pixel of its answer."""
STORED = 10.0
"""Pixels of an x-height in the pictures kept for training: enough for them to be enlarged a little."""
BAND = 0.9
"""X-heights around the middle of a line that the network marks: the lines of crowded pages stay apart."""


@dataclass(frozen=True)
class LinePage:
    """A page to learn from.

    Attributes:
        collection: where it is from.
        split: ``train``, ``validation`` or ``test``, which is not used.
        picture: uint8 (h, w), 0 paper … 255 ink, `STORED` pixels an x-height.
        lines: of each line the middle of its x-height zone, float32 (n, 2) of x, y in pixels of the picture, n ≥ 2.
        unknown: bool (h, w), where nobody said whether there is a line: counts for nothing.
    """

    collection: str
    split: str
    picture: np.ndarray
    lines: tuple[np.ndarray, ...]
    unknown: np.ndarray
