"""Ruled paper: the lines that writing stands on."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from segmentation.ink.rules import Rule, runs_across

_LEAST_LINES = 5
"""Least number of lines on ruled paper; a few level rules may be underlines, or feet of print."""
_LEAST_LENGTH = 0.4
"""Least length of a ruled line, as a share of the page's width."""
_THIN_SHARE = 250
"""A ruled line is at most as thick as the page's long side over this; what is thicker may be a line of print."""


def ruled_lines(level: Sequence[Rule], shape: tuple[int, int]) -> tuple[Rule, ...]:
    """Those of a page's level rules that are lines of ruled paper; none on other paper.

    Args:
        level: as upright rules of the page turned on its side.
        shape: (height, width) of the page.
    """
    thickest = max(shape) / _THIN_SHARE
    found = tuple(rule for rule in level if len(rule.xs) >= _LEAST_LENGTH * shape[1] and rule.thickness <= thickest)
    return found if len(found) >= _LEAST_LINES else ()


_FREE_SHARE = 100
"""A ruled line is left out along stretches no shorter than the page's long side over this: shorter ones lie within
letters, or between the letters of a word."""


def ruled_ink(ink: np.ndarray, rules: Sequence[Rule]) -> np.ndarray:
    """Ink of ruled lines that no letter touches, bool (h, w): stretches no thicker than the bare line and longer than
    any gap inside a word. The rules are upright; turn the page for level ones.
    """
    found = np.zeros_like(ink)
    for rule in rules:
        (rows, beside), starts, ends = runs_across(ink, rule)
        inked = ends > starts
        last, first = np.where(inked, ends, 0).max(axis=1), np.where(inked, starts, ink.shape[1]).min(axis=1)
        alone = _alone(np.maximum(last - first, 0), rule.thickness, max(ink.shape) // _FREE_SHARE)
        found[rows[alone], beside[alone]] = True
    return found & ink


_THICKER = 78
"""Percentile of a ruled line's thickness in margins and between words; where the line is thicker, a letter may touch it
and the line stays."""


def _alone(thickness: np.ndarray, usual: float, shortest: int) -> np.ndarray:
    """Where a rule of some thickness along it, int (n,), is alone: bool (n,)."""
    # Along the feet of letters it is little thicker than elsewhere, but not for long.
    margins = thickness[_long_stretches(thickness <= usual + 1, 3 * shortest)]
    middling, most = np.percentile(margins, [50, _THICKER]) if len(margins) else (usual, usual)
    stretches = _long_stretches(thickness <= most, shortest)
    numbers = np.cumsum(np.diff(stretches, prepend=False))
    sure = np.unique(numbers[_long_stretches(thickness <= middling, shortest)])
    return stretches & np.isin(numbers, sure)


def _long_stretches(mask: np.ndarray, shortest: int) -> np.ndarray:
    """The stretches of a mask, bool (n,), of at least so many places; a hole of two does not part them."""
    closed = cv2.morphologyEx(mask.astype(np.uint8).reshape(-1, 1), cv2.MORPH_CLOSE, np.ones((3, 1), np.uint8))
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((shortest, 1), np.uint8)).ravel() > 0
