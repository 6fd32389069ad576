"""Agreement of found boxes with true ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.geometry import Box


@dataclass(frozen=True)
class BoxScores:
    """Counts and shares of boxes found.

    Attributes:
        matched: pairs of a found and a true box; each box is in one pair at most.
        found, true: numbers of boxes.
    """

    matched: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the found boxes that are true; 1 where nothing was found."""
        return self.matched / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true boxes that were found; 1 where there are none."""
        return self.matched / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.matched / (self.found + self.true) if self.found + self.true else 1.0

    def __add__(self, other: BoxScores) -> BoxScores:
        return BoxScores(self.matched + other.matched, self.found + other.found, self.true + other.true)


def compare_boxes(found: list[Box], true: list[Box], threshold: float) -> BoxScores:
    """Scores of ``found`` against ``true``: pairs of intersection over union ≥ ``threshold``, best pairs first."""
    if not found or not true:
        return BoxScores(0, len(found), len(true))
    a = np.array([(b.left, b.top, b.right, b.bottom) for b in found], float)
    b = np.array([(b.left, b.top, b.right, b.bottom) for b in true], float)
    across = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    down = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    ious = shared / (area_a[:, None] + area_b[None, :] - shared)
    taken_a, taken_b, matched = set(), set(), 0
    candidates = np.argwhere(ious >= threshold)
    for i, j in candidates[np.argsort(-ious[tuple(candidates.T)], kind="stable")].tolist():
        if i not in taken_a and j not in taken_b:
            taken_a.add(i)
            taken_b.add(j)
            matched += 1
    return BoxScores(matched, len(found), len(true))
