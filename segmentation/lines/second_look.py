"""What second looks of the line network have in common: how sure it is of a line, what is left of the first look's."""

from __future__ import annotations

import numpy as np

from segmentation.lines.curves import Curve

CORE = 0.6
"""Ink within so many x-heights of a line's middle tells to which writing the line belongs."""
_WINDOW = 3.0
"""Length over which it is told whose the ink is that a line runs through, in x-heights: some letters."""


def sureness(curve: Curve, zones: np.ndarray, factor: float) -> float:
    """Mean answer of a line network along a curve, 0–1.

    Args:
        zones: float32 (rows, columns), the network's answer.
        factor: pixels of ``zones`` per pixel of the page.
    """

    def at(positions: np.ndarray, size: int) -> np.ndarray:
        return np.clip(np.round((positions + 0.5) * factor - 0.5).astype(int), 0, size - 1)

    rows, columns = zones.shape
    return float(zones[at(curve.ys, rows), at(np.arange(curve.first, curve.last + 1), columns)].mean())


def own_stretches(
    curves: list[Curve], line: np.ndarray, xs: np.ndarray, foreign: np.ndarray, x_height: float, least_length: float
) -> list[Curve]:
    """Curves, cut where they run through the ink of other writing. The longest piece of each is kept, and long ones.

    Args:
        line, xs, foreign: of each pixel in the core of a line, which, its column, and whether it is others' ink.
        x_height: of the writing, pixels.
        least_length: of a piece that is kept beside a longer one, x-heights.
    """
    window = np.ones(max(1, round(_WINDOW * x_height)))
    kept = []
    for i, curve in enumerate(curves):
        of_line = line == i
        columns = np.clip(xs[of_line] - curve.first, 0, len(curve.ys) - 1)
        balance = np.bincount(columns, np.where(foreign[of_line], -1.0, 1.0), minlength=len(curve.ys))
        around = np.convolve(balance, window)[len(window) // 2 :][: len(balance)]
        crossed = np.flatnonzero(around < 0)
        own = np.flatnonzero((balance > 0) & (around >= 0))
        # Pieces of the curve's own ink, between the stretches where it is crossed.
        pieces = np.split(own, np.flatnonzero(np.diff(np.searchsorted(crossed, own))) + 1)
        lengths = [int(p[-1] - p[0]) + 1 if len(p) else 0 for p in pieces]
        for piece, length in zip(pieces, lengths, strict=True):
            if length and (length == max(lengths) or length >= least_length * x_height):
                kept.append(Curve(curve.first + int(piece[0]), curve.ys[piece[0] : piece[-1] + 1]))
    return kept
