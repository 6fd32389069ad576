"""Rules of registers, forms and ledgers: long lines, nearly straight, which part columns and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

_LEAST_SHARE = 0.2
"""Share of the page's height over which a rule runs at least."""
_PIECE_SHARE = 40
"""Height of the page over that of the shortest piece of a rule: taller than most letters."""
_HOLES = 5
"""Rows of a hole in a faint rule that is closed."""
_THICKEST_SHARE = 120
"""Long side over the thickness of the thickest rule."""
_SLOPES = np.linspace(-0.05, 0.05, 51, dtype=np.float32)
"""Columns a row by which a rule may lean: 3° either way."""
_WAVER = 4
"""Pixels by which a rule may leave a straight line."""
_WINDOW_SHARE = 30
"""Height of the page over that of a stretch in which a rule is straight."""
_LEAST_ALONE = 0.6
"""Share of an upright rule's rows that are ink, and no wider than a rule: letters above each other have gaps."""
_LEVEL_ALONE = 0.5
"""The same of a level rule, on which letters may stand."""
_LEVEL_INKED = 0.75
"""Share of a level rule that is ink, letters or not: the feet of a line of letters have gaps. Of the ruled lines of a
page they are .81 and more, of its lines of writing at most .53."""
_RULED = 5
"""Level rules of ruled paper; a few may be underlines, or feet of print."""
_RULED_SHARE = 0.4
"""Share of the page's width over which such a rule runs at least."""
_THIN_SHARE = 250
"""Long side over the thickness of the thickest such rule: what is thicker may be a line of print."""
_BETWEEN_ROWS = 0.85
"""Share of a level rule that must be alone when it parts the rows of a table."""
_FRAMED = 3
"""Upright rules of a sheet that has frames, or level rules between its rows. Other sheets have ruled lines that letters
touch."""
_MOST_POINTS = 50_000
"""Pixels that vote; of more, which are coarse paper, not every row has a vote."""
_MOST = 40
"""Rules that are looked for on a page."""
_INKED = 0.5
"""Share of a rule that is ink, when it is no pale one."""
_MOST_PALE = 12
"""Pale rules of a page; more are the threads of coarse paper."""


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


@dataclass(frozen=True)
class Rules:
    """Rules of a level page.

    Attributes:
        upright: from left to right.
        level: those of the page turned on its side, so that a row of the one is a column of the other; from the top.
            Only those that may part the rows of a table.
        ruled: likewise, the lines of ruled paper, on which letters stand.
    """

    upright: tuple[Rule, ...] = ()
    level: tuple[Rule, ...] = ()
    ruled: tuple[Rule, ...] = ()

    def ink(self, on_page: np.ndarray) -> np.ndarray:
        """What they are of the ink on a page: bool (h, w)."""
        on_side = on_page.T
        return rule_ink(on_page, self.upright) | rule_ink(on_side, self.level).T | ruled_ink(on_side, self.ruled).T


def rules_of(flat: np.ndarray, ink: np.ndarray) -> Rules:
    """The rules of a level page: upright ones of its ink, and pale ones; level ones of its ink.

    Args:
        flat: uint8 (h, w), on even paper.
        ink: bool (h, w).
    """
    upright = _upright_rules(flat, ink)
    level = find_rules(ink.T, _LEVEL_ALONE, _LEVEL_INKED)
    long_side, width = max(ink.shape), ink.shape[1]
    ruled = [r for r in level if len(r.xs) >= _RULED_SHARE * width and r.thickness <= long_side / _THIN_SHARE]
    between_rows = [r for r in level if r.alone >= _BETWEEN_ROWS] if len(upright) >= _FRAMED else []
    return Rules(tuple(upright), tuple(between_rows), tuple(ruled) if len(ruled) >= _RULED else ())


def _upright_rules(flat: np.ndarray, ink: np.ndarray) -> list[Rule]:
    found = find_rules(ink | pale_rules(flat, ink))
    rules = [replace(rule, inked=float(np.mean(ink[rule.pixels(ink.shape[1])]))) for rule in found]
    inked = [rule for rule in rules if not rule.is_pale]
    return rules if len(rules) - len(inked) <= _MOST_PALE else inked


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


_PALE = 8
"""Grey levels by which a pale rule is darker than the paper on both sides, averaged along it."""
_BESIDE = 4
"""Pixels from a pale rule to the paper that it is compared with."""
_ALONG = 32
"""Rows over which a pale rule is averaged."""
_ROWS = 4
"""Rows that are averaged before anything else."""
_LEAST_BLANK = 0.3
"""Share of those rows that must be without ink."""


def pale_rules(flat: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """What may be a pale upright rule of a level page, bool (h, w).

    Args:
        flat: uint8 (h, w), the page on even paper.
        ink: bool (h, w), its writing, which counts for nothing here.
    """
    height, width = flat.shape
    if height < _ROWS or width <= 2 * _BESIDE:
        return np.zeros(flat.shape, bool)
    blank = cv2.erode((~ink).view(np.uint8), np.ones((5, 5), np.uint8))
    # Averages along a rule change slowly: a few rows tell all.
    size = (width, height // _ROWS)
    share = cv2.resize(blank.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    level = cv2.resize(cv2.multiply(flat, blank).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    share, level = (cv2.blur(values, (1, _ALONG // _ROWS)) for values in (share, level))
    level = np.where(share < _LEAST_BLANK, 0, level / np.maximum(share, _LEAST_BLANK))
    found = np.zeros(level.shape, np.uint8)
    beside = np.minimum(level[:, : -2 * _BESIDE], level[:, 2 * _BESIDE :])
    middle = level[:, _BESIDE:-_BESIDE]
    found[:, _BESIDE:-_BESIDE] = (beside - middle >= _PALE) & (middle > 0)
    return cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST) > 0


def rule_ink(ink: np.ndarray, rules: Sequence[Rule]) -> np.ndarray:
    """The ink of upright ``rules``, bool (h, w); strokes that cross a rule are not of it."""
    found = np.zeros_like(ink)
    for rule in rules:
        rows, beside = rule.pixels(ink.shape[1], _WAVER // 2)
        starts, ends = _runs(ink, rows, beside)
        thin = (ends > starts) & (ends - starts <= _thinner_than(rule.thickness))
        for i, start, end in zip(np.nonzero(thin)[0], starts[thin], ends[thin], strict=True):
            found[rule.first + i, start:end] = True
    return found


_FREE_SHARE = 100
"""Long side over the shortest stretch of a ruled line that is left out where no letter touches it: shorter ones lie
within letters, or between the letters of a word."""
_THICKER = 78
"""Per cent of the places in margins and between words at which a ruled line is no thicker than where it is left out."""


def ruled_ink(ink: np.ndarray, rules: Sequence[Rule]) -> np.ndarray:
    """The ink of upright ``rules`` beside the words that stand on them, bool (h, w): where they are no thicker than
    elsewhere, along longer stretches than there are within words."""
    found = np.zeros_like(ink)
    for rule in rules:
        rows, beside = rule.pixels(ink.shape[1], _WAVER // 2)
        starts, ends = _runs(ink, rows, beside)
        inked = ends > starts
        last, first = np.where(inked, ends, 0).max(axis=1), np.where(inked, starts, ink.shape[1]).min(axis=1)
        alone = _alone(np.maximum(last - first, 0), rule.thickness, max(ink.shape) // _FREE_SHARE)
        found[rows[alone], beside[alone]] = True
    return found & ink


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


def _thinner_than(thickness: float) -> float:
    """Pixels up to which a run of ink across a rule is the rule alone."""
    return 1.5 * thickness + 1


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
