"""Rows of letters that are much smaller than a page's writing: where small print stands, and how high it is."""

from __future__ import annotations

import cv2
import numpy as np

from segmentation.ink.components import Components
from segmentation.ink.scale import Scale

LEAST_ON_PAGE = 8
"""A page has small print only with at least so many small letters in rows."""
_SHORTEST, _TALLEST = 0.25, 0.8
"""Least and greatest height of a small letter, capitals included, in x-heights of the page; dots and accents are
lower."""
_LEAST_STROKES = 1.5
"""Least height of a small letter, in stroke widths of the page; dots and remains of rulings are lower."""
_LEAST_PIXELS = 4
"""Least height of a small letter, pixels of the working picture; nobody could read lower ones, and enlarging the page
for them would take long."""
_WIDEST = 2.5
"""Greatest width of a component of small letters, in x-heights of the page: they may touch each other."""
_BAR = 0.2
"""A letter belongs to a row by the part of it that is at most this far above and below its middle, as a share of its
height: whole letters of neighbouring rows may touch."""
_BESIDE = 0.8
"""Greatest gap between neighbouring letters of one row, in x-heights of the page."""
_LEAST_LETTERS = 4
"""Least number of small letters in a row: dots and broken strokes of larger writing seldom line up."""
_MEAN_HEIGHT = 0.7
"""Greatest mean height of a row's letters, in x-heights of the page."""
_EVEN = 1.2
"""Greatest height of the joined middle parts of a row's letters, over the mean height of these letters: where they
do not line up it is more."""
_LEAST_ROW = 1.5
"""Least length of a row, in x-heights of the page."""
_LOW_LETTER = 35
"""Percentile of the letters' heights that is their x-height: a third and more of all letters have no long stroke."""


def small_rows(parts: Components, scale: Scale) -> tuple[np.ndarray, float]:
    """Where small letters stand in rows: the page's rows of pixels there, bool (h,), and the letters' x-height.

    Without such letters no row of pixels is marked.
    """
    x_height = scale.x_height
    shortest = max(_SHORTEST * x_height, _LEAST_STROKES * scale.stroke_width, _LEAST_PIXELS)
    letter = (parts.height >= shortest) & (parts.height <= _TALLEST * x_height) & (parts.width <= _WIDEST * x_height)
    letter[0] = False
    letter = np.flatnonzero(letter)
    inked = np.zeros(len(parts.labels), bool)
    if len(letter) < LEAST_ON_PAGE:
        return inked, x_height
    height, left, width = parts.height[letter], parts.left[letter], parts.width[letter]
    middle = parts.top[letter] + height // 2
    thick, beside = np.maximum(1, np.round(_BAR * height).astype(int)), round(_BESIDE * x_height / 2)
    bars = np.zeros(parts.labels.shape, np.uint8)
    edges = (np.maximum(middle - thick, 0), middle + thick + 1, np.maximum(left - beside, 0), left + width + beside)
    for top, bottom, first, last in zip(*(e.tolist() for e in edges), strict=True):
        bars[top:bottom, first:last] = 1
    count, rows, stats, _ = cv2.connectedComponentsWithStats(bars, connectivity=8, ltype=cv2.CV_32S)
    row = rows[middle, left]
    letters = np.bincount(row, minlength=count)
    mean_height = np.bincount(row, height, minlength=count) / np.maximum(letters, 1)
    is_row = (
        (letters >= _LEAST_LETTERS)
        & (mean_height <= _MEAN_HEIGHT * x_height)
        & (stats[:, cv2.CC_STAT_HEIGHT] <= _EVEN * mean_height)
        & (stats[:, cv2.CC_STAT_WIDTH] >= _LEAST_ROW * x_height + 2 * beside)
    )
    in_row = is_row[row]
    if np.count_nonzero(in_row) < LEAST_ON_PAGE:
        return inked, x_height
    for top, tall in stats[is_row][:, [cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT]]:
        inked[top : top + tall] = True
    return inked, float(np.percentile(height[in_row], _LOW_LETTER))
