"""Rules of registers, forms and ledgers, and the lines of ruled paper: long, nearly straight, found as upright ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

_INKED = 0.5
"""Least share of a rule that is ink; a pale one has less."""


@dataclass(frozen=True)
class Rule:
    """An upright rule of the level working picture.

    Attributes:
        first: its topmost row.
        xs: float32, the column of its middle for each row from ``first`` on.
        thickness: pixels, of most of it.
        inked: share of its rows, 0–1, in which it is ink and not merely darker than the paper.
        alone: share of its rows, 0–1, in which it is ink and no letter touches it.
    """

    first: int
    xs: np.ndarray
    thickness: float
    inked: float
    alone: float

    @property
    def is_pale(self) -> bool:
        """Whether it is mostly no ink: perhaps a fold of the sheet, a thread of coarse paper, or shown through."""
        return self.inked < _INKED

    @property
    def last(self) -> int:
        """Lowest row, inclusive."""
        return self.first + len(self.xs) - 1

    def pixels(self, width: int, reach: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Its rows, int (n, 1), and in each the columns within ``reach`` of its middle, (n, 2 reach + 1).

        Args:
            width: of the picture, whose last column stands for those beyond.
        """
        columns = np.round(self.xs).astype(int)[:, None] + np.arange(-reach, reach + 1)
        return np.arange(self.first, self.last + 1)[:, None], np.clip(columns, 0, width - 1)

    def column(self, row: float) -> float:
        """The column of its middle in a row; beyond its ends, where it would be if it went on straight."""
        inside = float(np.clip(row, self.first, self.last))
        slope = (float(self.xs[-1]) - float(self.xs[0])) / max(1, len(self.xs) - 1)
        return float(self.xs[round(inside) - self.first]) + slope * (row - inside)


_LEAST_SHARE = 0.2
"""Least length of a rule, as a share of the page's height."""
_LEAST_ALONE = 0.6
"""Least share of an upright rule's rows with ink that is no wider than a rule: letters above each other have gaps."""
_SLOPES = np.linspace(-0.05, 0.05, 51, dtype=np.float32)
"""Columns a row by which a rule may lean: 3° either way."""
_WAVER = 4
"""Pixels by which a rule may leave a straight line."""
_MOST_POINTS = 50_000
"""Greatest number of pixels that vote. Where there are more, as on coarse paper, only some rows have a vote."""
_MOST = 40
"""Greatest number of straight lines that are looked at on a page."""


def find_rules(ink: np.ndarray, least_alone: float = _LEAST_ALONE, least_inked: float = 0.0) -> list[Rule]:
    """The upright rules of a mask, bool (h, w), from left to right: those that are alone and inked along these shares.

    Pieces taller than letters vote for the straight lines that they lie on (a Hough transform, Duda and Hart 1972, of
    nearly upright lines); the line with most rows is followed where it wavers, and the rest votes again.
    """
    height, width = ink.shape
    ys, xs = np.nonzero(_pieces(ink.astype(np.uint8)))
    every = 1 + len(ys) // _MOST_POINTS
    ys, xs = ys[ys % every == 0], xs[ys % every == 0]
    least = _LEAST_SHARE * height / every
    if len(ys) < least:
        return []
    across = xs.astype(np.float32) - _SLOPES[:, None] * (ys.astype(np.float32) - height / 2)
    # A line's cell of the accumulator, by slope and by its column at half height.
    margin = _WAVER + int(np.ceil(_SLOPES[-1] * height / 2))
    cells = np.round(across).astype(np.int32) + margin
    size = width + 2 * margin
    cells += (np.arange(len(_SLOPES)) * size)[:, None]
    votes = np.bincount(cells.ravel(), minlength=len(_SLOPES) * size)
    left = np.ones(len(ys), bool)
    rules: list[Rule] = []
    for _ in range(_MOST):
        wide = cv2.blur(votes.reshape(len(_SLOPES), size).astype(np.float32), (3, 1))
        slope, column = divmod(int(wide.argmax()), size)
        near = left & (np.abs(across[slope] - (column - margin)) <= _WAVER)
        if len(np.unique(ys[near])) < least:
            break
        rule = _follow(ys[near], xs[near], ink)
        if rule is not None and rule.alone >= least_alone and rule.inked >= least_inked:
            rules.append(rule)
        left &= ~near
        votes -= np.bincount(cells[:, near].ravel(), minlength=len(votes))
    return sorted(rules, key=lambda rule: float(rule.xs.mean()))


def rule_ink(ink: np.ndarray, rules: Sequence[Rule]) -> np.ndarray:
    """The ink of upright ``rules``, bool (h, w); strokes that cross a rule are not of it."""
    found = np.zeros_like(ink)
    for rule in rules:
        _, starts, ends = runs_across(ink, rule)
        thin = (ends > starts) & (ends - starts <= _thinner_than(rule.thickness))
        for i, start, end in zip(np.nonzero(thin)[0], starts[thin], ends[thin], strict=True):
            found[rule.first + i, start:end] = True
    return found


def runs_across(ink: np.ndarray, rule: Rule) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
    """The pixels close to a rule's middle (as `Rule.pixels`), and where the ink across each begins and ends.

    Beginnings and exclusive ends are columns, int (n, m); equal where a pixel is no ink.
    """
    around = rule.pixels(ink.shape[1], _WAVER // 2)
    return around, *_runs(ink, *around)


def _thinner_than(thickness: float) -> float:
    """Pixels up to which a run of ink across a rule is the rule alone."""
    return 1.5 * thickness + 1


_PIECE_SHARE = 40
"""A piece of a rule is at least as high as the page's height over this; most letters are lower."""
_HOLES = 5
"""Holes of fewer rows than this, in a faint rule, are closed."""
_THICKEST_SHARE = 120
"""A rule is at most as thick as the page's long side over this."""


def _pieces(mask: np.ndarray) -> np.ndarray:
    """Ink in upright pieces taller than letters and no thicker than a rule: uint8 (h, w)."""
    height = mask.shape[0]
    tall = max(30, height // _PIECE_SHARE)
    thickest = max(mask.shape) / _THICKEST_SHARE + 2
    # A leaning rule is short in every column: a pixel more on either side makes it long enough.
    joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((_HOLES, 1), np.uint8))
    joined = cv2.dilate(joined, np.ones((1, 3), np.uint8))
    pieces = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((tall, 1), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pieces, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] <= thickest * stats[:, cv2.CC_STAT_HEIGHT]
    keep[0] = False
    return keep[labels] & mask


def _runs(ink: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the ink across some pixels begins, and its exclusive end, both within a rule's reach: int, as ``columns``.

    Equal where a pixel is no ink.
    """
    reach = int(_thinner_than(max(ink.shape) / _THICKEST_SHARE)) + 1
    across = columns[..., None] + np.arange(reach + 1)
    to_right = ink[rows[..., None], np.minimum(across, ink.shape[1] - 1)] & (across < ink.shape[1])
    across = columns[..., None] - np.arange(reach + 1)
    to_left = ink[rows[..., None], np.maximum(across, 0)] & (across >= 0)
    left, right = (np.logical_and.accumulate(run, axis=-1).sum(axis=-1) for run in (to_left, to_right))
    return columns - np.maximum(left - 1, 0), columns + right


_WINDOW_SHARE = 30
"""A rule is taken to be straight along the page's height over this, and may bend from one such stretch to the next."""


def _follow(ys: np.ndarray, xs: np.ndarray, ink: np.ndarray) -> Rule | None:
    """The rule that runs through points near a straight line; None where the ink there is thicker than a rule."""
    first, last = int(ys.min()), int(ys.max())
    size = max(8, ink.shape[0] // _WINDOW_SHARE)
    windows = (ys - first) // size
    order = np.argsort(windows, kind="stable")
    numbers, starts = np.unique(windows[order], return_index=True)
    middles = [float(np.median(part)) for part in np.split(xs[order], starts[1:])]
    rows = np.arange(first, last + 1)
    path = np.interp(rows, first + (numbers + 0.5) * size, middles)
    columns = np.clip(np.round(path).astype(int), 0, ink.shape[1] - 1)
    starts, ends = _runs(ink, rows, columns)
    inked = ends > starts
    if not inked.any():
        return None
    thickness = float(np.median((ends - starts)[inked]))
    thin = inked & (ends - starts <= _thinner_than(thickness))
    if thickness > max(ink.shape) / _THICKEST_SHARE or not thin.any():
        return None
    # The middle of the ink, where it is the rule's alone.
    path = np.interp(rows, rows[thin], (starts[thin] + ends[thin] - 1) / 2)
    smooth = cv2.blur(path.astype(np.float32).reshape(-1, 1), (1, size | 1)).ravel()
    return Rule(first, smooth, thickness, float(inked.mean()), float(thin.mean()))
