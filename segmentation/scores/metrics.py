"""Agreement of what was found with what is true: pairs of boxes, and the order of lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.geometry import Box


@dataclass(frozen=True)
class Scores:
    """Counts and shares of things found: boxes, lines, words of a text.

    Attributes:
        matched: pairs of a found and a true one; each is in one pair at most.
        found, true: their numbers.
    """

    matched: int
    found: int
    true: int

    @property
    def precision(self) -> float:
        """Share of the found that are true; 1 where nothing was found."""
        return self.matched / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Share of the true that were found; 1 where there are none."""
        return self.matched / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.matched / (self.found + self.true) if self.found + self.true else 1.0

    def __add__(self, other: Scores) -> Scores:
        return Scores(self.matched + other.matched, self.found + other.found, self.true + other.true)


def best_pairs(ious: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """Pairs (row, column) of a matrix of overlaps that are ≥ ``threshold``, best pairs first, one-to-one."""
    taken_rows, taken_columns, pairs = set(), set(), []
    candidates = np.argwhere(ious >= threshold)
    for i, j in candidates[np.argsort(-ious[tuple(candidates.T)], kind="stable")].tolist():
        if i not in taken_rows and j not in taken_columns:
            taken_rows.add(i)
            taken_columns.add(j)
            pairs.append((i, j))
    return pairs


def compare_boxes(found: list[Box], true: list[Box], threshold: float) -> Scores:
    """Scores of ``found`` against ``true``: pairs of intersection over union ≥ ``threshold``, best pairs first."""
    if not found or not true:
        return Scores(0, len(found), len(true))
    a = np.array([(b.left, b.top, b.right, b.bottom) for b in found], float)
    b = np.array([(b.left, b.top, b.right, b.bottom) for b in true], float)
    across = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    down = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    area_a = (a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1])
    area_b = (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1])
    ious = shared / (area_a[:, None] + area_b[None, :] - shared)
    return Scores(len(best_pairs(ious, threshold)), len(found), len(true))


def kendall_tau(order: list[int]) -> float | None:
    """Agreement of an order with 0, 1, 2, …: 1 the same, −1 reversed; None for less than two numbers.

    Kendall (1938): pairs in the right order less pairs in the wrong one, over all pairs. No number comes twice.
    """
    if len(order) < 2:
        return None
    values = np.array(order)
    first, second = np.triu_indices(len(values), k=1)
    return float(np.sign(values[second] - values[first]).mean())
