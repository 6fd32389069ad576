"""The gutter of an open book on a picture: where its two pages meet.

It is a straight line near the middle of a landscape picture, upright or nearly so, with lines of writing on either side
and hardly any of their ink on it. Mostly the fold or its shadow is seen there too; then less else is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from segmentation.ink.preparation import Prepared
from segmentation.lines.curves import LETTERS_ABOVE, LETTERS_BELOW, Curve


@dataclass(frozen=True)
class Gutter:
    """Where two pages meet: a straight line.

    Attributes:
        top, bottom: its columns at the picture's upper and lower edge, pixels.
        before, behind: columns to its left and right that the fold darkens and that hold no writing.
    """

    top: float
    bottom: float
    before: float = 0.0
    behind: float = 0.0

    def columns(self, rows: np.ndarray, height: int) -> np.ndarray:
        """Its columns, float, in some rows of a picture of ``height``."""
        return self.top + (self.bottom - self.top) * rows / height


@dataclass(frozen=True)
class _Field:
    """What lies around the middle of a level page.

    Attributes:
        inked: bool (lines, cells), whether a line has ink around its middle in each cell of columns.
        middles: int (cells,), the columns in the middle of the cells.
        central: int (n,), those cells at half height that a gutter may pass.
        rows: float (lines, 1), of the middle of each line.
        firsts, lasts: int (lines, 1), their columns.
    """

    page: Prepared
    inked: np.ndarray
    middles: np.ndarray
    central: np.ndarray
    rows: np.ndarray
    firsts: np.ndarray
    lasts: np.ndarray

    def shifts(self, degrees: float) -> np.ndarray:
        """Columns, (lines, 1), by which a line that leans lies to the right of where it is at half height."""
        return np.tan(np.radians(degrees)) * (self.rows - self.page.flat.shape[0] / 2)

    def lengths(self, column: float, degrees: float) -> tuple[np.ndarray, np.ndarray]:
        """Columns of each line to the left and to the right of one that leans; negative for none."""
        at = column + self.shifts(degrees)
        return (np.minimum(self.lasts, at) - self.firsts).ravel(), (self.lasts - np.maximum(self.firsts, at)).ravel()


@dataclass(frozen=True)
class _Strip:
    """Where a gutter may be.

    Attributes:
        degrees: by which it leans, positive with its lower end to the right.
        low, high: columns at half height between which it may be moved.
        before, behind: lines to its left and to its right.
        blocked: lines with ink on it.
    """

    degrees: float
    low: float
    high: float
    before: int
    behind: int
    blocked: int

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


_LANDSCAPE = 1.1
"""Least width of a picture that may show two pages, over its height; those of ordinary books have 1.2 to 1.6."""
_LEAST_LINES = 5
"""Least number of lines on each side of a gutter; where a fold is seen, on one side: the other page may have only
begun."""
_CELL = 0.33
"""Width of the columns in which ink is looked for, in x-heights."""
_WIDE, _NARROW, _SLIT = 2.2, 0.8, _CELL
"""Least width of a gutter that is free of ink, in x-heights: where no fold is seen; where one is; and between so many
lines that no more than the gap between two letters is asked for. Of 922 pictures of single pages (landscape ones, and
the upper and lower parts of others) 2.2 are free between blocks of lines on two, .8 somewhere on 74."""
_FOLD = 0.1
"""A fold is seen where a gutter is darker than the paper beside it by this share of the paper's brightness. The crease
of a letter had .09 at most, on 514 pictures of single pages; most have less than .01."""


def find_gutter(gray: np.ndarray, page: Prepared, curves: list[Curve]) -> Gutter | None:
    """The gutter between the two pages of an open book; None where a picture shows a single page.

    Args:
        gray: uint8 (height, width), the picture.
        page: it, prepared.
        curves: of the page's lines; those of both pages may have been joined.
    """
    height, width = gray.shape
    if width < _LANDSCAPE * height or page.scale is None or len(curves) <= _LEAST_LINES:
        return None
    field = _field(page, curves)
    begun = [s for s in _free_strips(field, _NARROW) if _is_free(s)]
    # Most pictures of a single page end here.
    if not begun:
        return None
    wide = [s for s in _free_strips(field, _WIDE) if _is_between_blocks(s, field)]
    apart = wide or [s for s in _free_strips(field, _SLIT) if _is_between_many(s, field)]
    free = (_WIDE if wide else _SLIT if apart else _NARROW) / 2 * page.scale.x_height
    folds = [_fold(gray, s, free, page) for s in apart or begun]
    if not apart:
        fold = max(folds, key=lambda f: f.shade)
        return fold.gutter if fold.shade >= _FOLD else None
    fold = max(folds, key=lambda f: f.depth)
    if fold.depth >= _FOLD:
        return fold.gutter
    # Of slits that on which least ink lies is the gutter.
    best = max(apart, key=lambda s: (0 if wide else -s.blocked, s.high - s.low, -abs(s.degrees)))
    return _on_picture(best.middle, best.degrees, page)


_OFF_CENTRE = 0.15
"""Greatest distance of a gutter from the middle of the picture, as a share of the picture's width: a table may show on
one side, or an edge of the book may be cut off."""


def _field(page: Prepared, curves: list[Curve]) -> _Field:
    height, width = page.flat.shape
    reach = int(np.tan(np.radians(np.abs(_leans(page)).max())) * height / 2 + 3 * page.scale.x_height)
    low = max(0, int((0.5 - _OFF_CENTRE) * width) - reach)
    high = min(width, int((0.5 + _OFF_CENTRE) * width) + reach)
    cell = max(1, int(_CELL * page.scale.x_height))
    middles = np.arange(low + cell // 2, high - cell, cell)
    central = np.flatnonzero(np.abs(middles - width / 2) <= _OFF_CENTRE * width)
    ends = [np.array(side)[:, None] for side in zip(*((c.first, c.last) for c in curves), strict=True)]
    rows = np.array([float(c.ys[len(c.ys) // 2]) for c in curves])[:, None]
    return _Field(page, _inked(page, curves, middles, cell), middles, central, rows, *ends)


_STEEPEST, _STEP = 2.0, 0.5
"""A gutter leans by at most so many degrees, either on the level page or on the picture as it was taken; leans are
tried in such steps."""


def _leans(page: Prepared) -> np.ndarray:
    """Degrees by which a gutter may lean: one that is upright on the picture does so once the writing is level."""
    least, most = sorted((0.0, -page.skew_degrees))
    return np.arange(least - _STEEPEST, most + _STEEPEST + 0.01, _STEP)


_TALL, _NARROW_STROKE = 0.4, 0.2
"""A component is the fold and no writing if it is higher than this share of the page's height, and narrower than this
share of its own height."""


def _inked(page: Prepared, curves: list[Curve], middles: np.ndarray, cell: int) -> np.ndarray:
    """Whether each line has ink around its middle in cells of columns: bool (lines, cells)."""
    parts, x_height = page.parts, page.scale.x_height
    first = middles[0] - cell // 2 if len(middles) else 0
    labels = parts.labels[:, first : first + cell * len(middles)]
    fold = (parts.height > _TALL * labels.shape[0]) & (parts.width < _NARROW_STROKE * parts.height)
    fold[0] = False
    ink = (labels > 0) & ~fold[labels] if fold.any() else labels > 0
    ink = np.logical_or.reduce([ink[:, i::cell] for i in range(cell)])
    around = np.arange(-int(LETTERS_ABOVE * x_height), int(LETTERS_BELOW * x_height) + 1)[:, None]
    inked = np.zeros((len(curves), len(middles)), bool)
    for i, curve in enumerate(curves):
        within = slice(*np.searchsorted(middles, [curve.first, curve.last + 1]))
        rows = np.round(curve.ys[middles[within] - curve.first]).astype(int)[None, :] + around
        cells = np.arange(within.start, within.stop)[None, :]
        inked[i, within] = ink[np.clip(rows, 0, len(ink) - 1), cells].any(axis=0)
    return inked


_LEAST_LENGTH = 5.0
"""Least length that a line has on a side to count there, in x-heights."""


def _free_strips(field: _Field, gap: float) -> list[_Strip]:
    """For each way in which a gutter ``gap`` x-heights wide may lean, the strip where least ink is on it."""
    if not len(field.central):
        return []
    kernel = np.ones((1, max(1, round(gap / _CELL)) | 1), np.uint8)
    wide = cv2.dilate(field.inked.astype(np.uint8), kernel)
    cell = field.middles[-1] - field.middles[-2] if len(field.middles) > 1 else 1
    least = _LEAST_LENGTH * field.page.scale.x_height
    strips = []
    for lean in _leans(field.page):
        cells = field.central[None, :] + np.round(field.shifts(lean) / cell).astype(int)
        blocked = np.take_along_axis(wide, np.clip(cells, 0, wide.shape[1] - 1), axis=1).sum(axis=0)
        start, end = _widest_run(blocked == blocked.min())
        low, high = (float(field.middles[field.central[i]]) for i in (start, end))
        before, behind = (int((side > least).sum()) for side in field.lengths((low + high) / 2, lean))
        strips.append(_Strip(float(lean), low, high, before, behind, int(blocked[start])))
    return strips


_MOST_ON_FOLD = 0.3
"""Greatest number of lines with ink on a fold that is seen, as a share of the lines on the fuller side: writing may run
into the fold."""


def _is_free(strip: _Strip) -> bool:
    """Whether a fold there would be a gutter: the other page may be begun only."""
    fewer, more = sorted((strip.before, strip.behind))
    return fewer >= 1 and more >= _LEAST_LINES and strip.blocked <= _MOST_ON_FOLD * more


_MOST_BLOCKED = 0.15
"""Greatest number of lines with ink on a gutter, such as a flourish, as a share of the lines on the emptier side."""
_LEAST_BALANCE = 0.45
"""Least length of the long lines on one side, as a share of those on the other: pages of a book are equally wide, but
amounts beside the entries of a table are narrow."""
_LEAST_BESIDE = 0.5
"""Least share of the lower block's height along which the two stand beside each other."""


def _is_between_blocks(strip: _Strip, field: _Field) -> bool:
    """Whether the writing on both sides makes blocks of like width beside each other."""
    fewer = min(strip.before, strip.behind)
    if fewer < _LEAST_LINES or strip.blocked > _MOST_BLOCKED * fewer:
        return False
    least = _LEAST_LENGTH * field.page.scale.x_height
    sides = [
        (side[side > least], field.rows.ravel()[side > least]) for side in field.lengths(strip.middle, strip.degrees)
    ]
    narrower, wider = sorted(float(np.percentile(lengths, 90)) for lengths, _ in sides)
    top, bottom = max(rows.min() for _, rows in sides), min(rows.max() for _, rows in sides)
    lower = min(float(np.ptp(rows)) for _, rows in sides)
    return narrower >= _LEAST_BALANCE * wider and bottom - top >= _LEAST_BESIDE * lower


_MANY_LINES, _MOST_ON_SLIT = 12, 0.1
"""Least number of lines on each side of a gutter no wider than the gap between letters; greatest number of lines with
ink on it, as a share of the lines on the emptier side. So many lines do not have a gap below each other by chance: of
271 pictures (every second training page of the four collections and 59 pages of letters in the Library of Congress)
five do, all of two pages."""


def _is_between_many(strip: _Strip, field: _Field) -> bool:
    """The same of so many lines that they need not stand further apart than letters do."""
    fewer = min(strip.before, strip.behind)
    return fewer >= _MANY_LINES and strip.blocked <= _MOST_ON_SLIT * fewer and _is_between_blocks(strip, field)


def _widest_run(mask: np.ndarray) -> tuple[int, int]:
    """First and last index of the longest run of true values; there is one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    widest = int((ends - starts).argmax())
    return int(starts[widest]), int(ends[widest]) - 1


@dataclass(frozen=True)
class _Fold:
    """The darkest place of a strip.

    Attributes:
        depth: by how much it is darker than the paper around it, as a share of the paper's brightness.
        shade: the same where what is as thin as a rule is left out.
    """

    gutter: Gutter
    depth: float
    shade: float


_ROWS = 200
"""Number of the picture's rows in which the fold is looked for."""
_FOLD_BLUR = 0.005
"""How far the brightness across a fold is blurred, as a share of the page's width."""
_LIT = 0.92
"""The fold's shadow ends where this share of the paper's brightness is reached."""


def _fold(gray: np.ndarray, strip: _Strip, free: float, page: Prepared) -> _Fold:
    """The darkest place of a strip. The median over many rows is asked, so that letters are none.

    Args:
        free: columns of the level page to the left and to the right of the strip that are free of ink as well.
    """
    around = 3 * page.scale.x_height
    columns = np.arange(strip.low - around, strip.high + around + 1)
    rows = ((np.arange(_ROWS) + 0.5) * gray.shape[0] / _ROWS).astype(int)
    first, last = (_on_picture(c, strip.degrees, page).columns(rows, gray.shape[0]) for c in (columns[0], columns[-1]))
    xs = first[:, None] + (last - first)[:, None] * np.linspace(0, 1, len(columns))
    sampled = gray[rows[:, None], np.clip(np.round(xs).astype(int), 0, gray.shape[1] - 1)]
    profile = np.median(sampled, axis=0).astype(np.float32)[None, :]
    rule = np.ones((1, 2 * max(2, round(page.scale.stroke_width)) + 1), np.uint8)
    without_rules, profile = (
        cv2.GaussianBlur(p, (0, 0), max(1.0, _FOLD_BLUR * page.flat.shape[1])).ravel()
        for p in (cv2.morphologyEx(profile, cv2.MORPH_CLOSE, rule), profile)
    )
    within = np.flatnonzero((columns >= strip.low) & (columns <= strip.high))
    darkest = int(within[profile[within].argmin()])
    before, behind = profile[:darkest][::-1], profile[darkest + 1 :]
    papers = [float(side.max(initial=0)) for side in (before, behind)]
    depth, shade = (1 - float(p[within].min()) / max(min(papers), 1.0) for p in (profile, without_rules))
    gutter = _on_picture(float(columns[darkest]), strip.degrees, page)
    if depth >= _FOLD:
        shadows = [int((side >= _LIT * paper).argmax()) for side, paper in zip((before, behind), papers, strict=True)]
        room = columns[darkest] - strip.low + free, strip.high + free - columns[darkest]
        widths = [min(dark, most) / page.placement.factor for dark, most in zip(shadows, room, strict=True)]
        gutter = replace(gutter, before=widths[0], behind=widths[1])
    return _Fold(gutter, depth, shade)


def _on_picture(column: float, degrees: float, page: Prepared) -> Gutter:
    """A line of the level page on the picture.

    Args:
        column: at half of the level page's height.
    """
    height = page.flat.shape[0]
    lean = np.tan(np.radians(degrees)) * height / 2
    place = page.placement
    xs, ys = place.to_page(np.array([column - lean, column + lean]), np.array([0.0, height]))
    slope = (xs[1] - xs[0]) / (ys[1] - ys[0])
    return Gutter(float(xs[0] - slope * ys[0]), float(xs[0] + slope * (place.height - ys[0])))
