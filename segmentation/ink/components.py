"""Connected components of ink."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Components:
    """Connected components of an ink mask.

    Attributes:
        labels: int32 (h, w), 0 paper.
        left, top, width, height, area: int32 (count,), index 0 is the paper.
    """

    labels: np.ndarray
    left: np.ndarray
    top: np.ndarray
    width: np.ndarray
    height: np.ndarray
    area: np.ndarray

    @property
    def count(self) -> int:
        return len(self.area)

    def only(self, keep: np.ndarray) -> Components:
        """Those components for which ``keep``, bool (count,), says so, numbered anew in the same order."""
        keep = keep.copy()
        keep[0] = True
        numbers = np.where(keep, np.cumsum(keep) - 1, 0).astype(np.int32)
        sizes = (self.left, self.top, self.width, self.height, self.area)
        return Components(numbers[self.labels], *(s[keep] for s in sizes))


def components(ink: np.ndarray) -> Components:
    """Connected components (8-neighbourhood) of a mask, bool (h, w)."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8, ltype=cv2.CV_32S)
    return Components(labels, *(stats[:, i] for i in range(4)), stats[:, cv2.CC_STAT_AREA])
