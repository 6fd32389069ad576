"""A grey page as lines and words, and the pictures of them that the recogniser reads."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.cleaning import binarise, components, flatten_paper, remove_border_and_bars, remove_rulings
from segmentation.columns import divide_at_gutters
from segmentation.geometry import Box, Line, Piece
from segmentation.lines import Curve, assign, claim_leftovers, find_curves
from segmentation.reading_order import reading_order
from segmentation.scale import Scale, measure, stroke_width
from segmentation.skew import estimate_skew
from segmentation.words import gap_threshold, group, runs


@dataclass(frozen=True)
class SegmentationSettings:
    """How pages are segmented.

    Attributes:
        working_side: the layout is found on the page scaled down to this long side, pixels; the pictures of lines
            and words are cut at that scale too, which is well above what the recogniser needs.
    """

    working_side: int = 2200

    def __post_init__(self) -> None:
        if self.working_side < 200:
            raise ValueError(f"working_side must be at least 200, got {self.working_side!r}")


@dataclass(frozen=True)
class Layout:
    """What was found on a page.

    Attributes:
        lines: in reading order.
        skew_degrees: by how much the writing climbs (positive: counter-clockwise), −10 … 10.
        x_height: of the page's writing, pixels of the page; 0 for an empty page.
        ink: pixels of ink at the working scale.
        discarded_ink: pixels of it that are in no line: specks, rulings, bars, the scanner's border.
    """

    lines: tuple[Line, ...]
    skew_degrees: float
    x_height: float
    ink: int
    discarded_ink: int


class SegmentedPage:
    """A page's layout together with what is needed to cut pictures from it."""

    def __init__(self, layout: Layout, flat: np.ndarray, owners: np.ndarray, slopes: list[float], frames: list[Box]):
        self.layout = layout
        self._flat = flat
        self._owners = owners
        self._slopes = slopes
        self._frames = frames

    def line_picture(self, index: int) -> np.ndarray:
        """Line ``index`` on white paper, level, uint8 (h, w): the ink of other lines is painted over.

        Column ``c`` of the picture is column ``c`` of the line's `Piece.start` and ``end``.
        """
        frame = self._frames[index]
        return _level(self._cut(index, frame), self._slopes[index])

    def word_picture(self, index: int, word: int) -> np.ndarray:
        """Word ``word`` of line ``index`` on white paper, uint8 (h, w)."""
        line = self.layout.lines[index]
        first, last = line.words[word]
        start = min(p.start for p in line.pieces[first:last])
        end = max(p.end for p in line.pieces[first:last])
        frame = self._frames[index]
        margin = max(2, frame.height // 20)
        picture = self._cut(index, frame)[:, max(0, int(start) - margin) : int(np.ceil(end)) + margin]
        return _level(picture, self._slopes[index])

    def _cut(self, index: int, frame: Box) -> np.ndarray:
        rows, columns = slice(frame.top, frame.bottom), slice(frame.left, frame.right)
        picture = self._flat[rows, columns]
        owners = self._owners[rows, columns]
        foreign = ((owners > 0) & (owners != index + 1)).astype(np.uint8)
        if not foreign.any():
            return picture
        own = owners == index + 1
        covered = (cv2.dilate(foreign, np.ones((5, 5), np.uint8)) > 0) & ~own
        return np.where(covered, np.uint8(255), picture)


def _level(picture: np.ndarray, slope: float) -> np.ndarray:
    """``picture`` sheared so that a line falling by ``slope`` rows a column becomes level."""
    h, w = picture.shape
    drop = slope * w
    if abs(drop) < 2:
        return picture
    matrix = np.array([[1, 0, 0], [-slope, 1, max(0.0, drop)]], float)
    return cv2.warpAffine(picture, matrix, (w, h + int(np.ceil(abs(drop)))), borderValue=255)


_LEAST_SKEW = 0.4
"""Degrees below which the page is not turned: lines are levelled one by one anyway."""
_LEAST_INK = 60
"""Pixels of ink below which a page is empty."""
_SMALLEST_X_HEIGHT = 9.0
_UNIT_X_HEIGHT = 18.0
_LARGEST_ENLARGEMENT = 3.0


def segment(gray: np.ndarray, settings: SegmentationSettings | None = None) -> SegmentedPage:
    """Lines and words of an upright grey page, uint8 (height, width), 0 black … 255 white.

    An empty page has no lines; that is no error.
    """
    settings = settings or SegmentationSettings()
    height, width = gray.shape
    factor = min(1.0, settings.working_side / max(height, width))
    work = _resize(gray, factor)
    flat = flatten_paper(work)
    ink = binarise(flat)
    if np.count_nonzero(ink) >= _LEAST_INK:
        small = measure(ink, components(ink)).x_height
        room = settings.working_side / max(flat.shape)
        enlargement = min(_UNIT_X_HEIGHT / small, _LARGEST_ENLARGEMENT, room)
        if small < _SMALLEST_X_HEIGHT and enlargement > 1.2:
            factor *= enlargement
            flat = flatten_paper(_resize(gray, factor))
            ink = binarise(flat)
    total_ink = int(np.count_nonzero(ink))
    if total_ink < _LEAST_INK:
        return _empty(flat, total_ink)

    layout_ink = remove_border_and_bars(ink, stroke_width(ink))
    skew = estimate_skew(layout_ink)
    turn = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    if abs(skew) >= _LEAST_SKEW:
        flat, layout_ink, turn = _turn(flat, layout_ink, skew)
    # Only now: a slanted ruling is short in every row.
    layout_ink = _without_rulings_and_specks(layout_ink)
    parts = components(layout_ink)
    if np.count_nonzero(layout_ink) < _LEAST_INK:
        return _empty(flat, total_ink)
    scale = measure(layout_ink, parts)
    curves = divide_at_gutters(find_curves(layout_ink, scale), layout_ink, scale)
    owners = assign(parts, curves, scale)
    leftovers = claim_leftovers(parts, owners, scale)
    if leftovers:
        curves = curves + leftovers
        owners = assign(parts, curves, scale)
    return _describe(flat, parts, curves, owners, scale, skew, turn, factor, (height, width), total_ink)


def _resize(gray: np.ndarray, factor: float) -> np.ndarray:
    if factor == 1.0:
        return gray
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _empty(flat: np.ndarray, ink: int) -> SegmentedPage:
    return SegmentedPage(Layout((), 0.0, 0.0, ink, ink), flat, np.zeros(flat.shape, np.int32), [], [])


def _without_rulings_and_specks(ink: np.ndarray) -> np.ndarray:
    """Ink that may be writing, of a level page without border and bars."""
    stroke = stroke_width(ink)
    ink, _ = remove_rulings(ink)
    parts = components(ink)
    keep = parts.area >= max(4, 0.6 * stroke * stroke)
    inked = parts.labels > 0
    inked[inked] = keep[parts.labels[inked]]
    return inked


def _turn(flat: np.ndarray, ink: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The page turned clockwise by ``degrees`` about its centre on a canvas that holds all of it, and the matrix."""
    h, w = flat.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), -degrees, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(np.ceil(h * sin + w * cos)), int(np.ceil(h * cos + w * sin)))
    matrix[0, 2] += (size[0] - w) / 2
    matrix[1, 2] += (size[1] - h) / 2
    turned = cv2.warpAffine(flat, matrix, size, flags=cv2.INTER_LINEAR, borderValue=255)
    mask = cv2.warpAffine(ink.astype(np.uint8) * 255, matrix, size, flags=cv2.INTER_LINEAR, borderValue=0)
    return turned, mask > 127, matrix


def _describe(flat, parts, curves, owners, scale: Scale, skew, turn, factor, shape, total_ink) -> SegmentedPage:
    """Boxes, pieces and words of all lines, in reading order."""
    ys, xs = np.nonzero(owners)
    owner = owners[ys, xs]
    order = np.argsort(owner, kind="stable")
    ys, xs, owner = ys[order], xs[order], owner[order]
    component = parts.labels[ys, xs]
    page_x, page_y = _to_page(xs, ys, turn, factor)
    bounds = np.searchsorted(owner, np.arange(1, len(curves) + 2))

    found = []
    for i, curve in enumerate(curves):
        part = slice(bounds[i], bounds[i + 1])
        if part.stop - part.start < max(6, scale.stroke_width**2):
            continue
        middle = curve.ys[np.clip(xs[part] - curve.first, 0, len(curve.ys) - 1)]
        if _is_ruling(ys[part] - middle, xs[part], scale):
            continue
        line_runs = runs(xs[part], ys[part] - middle, component[part], scale.x_height)
        found.append((i, part, middle, line_runs))
    gaps = [b.start - a.end for _, _, _, rs in found for a, b in zip(rs, rs[1:], strict=False)]
    threshold = gap_threshold(np.array(gaps, float), scale.x_height)

    drafts = []
    for i, part, middle, line_runs in found:
        boxes = [_box(page_x[part][r.pixels], page_y[part][r.pixels], factor, shape) for r in line_runs]
        small = np.array([_is_stop(ys[part][r.pixels] - middle[r.pixels], r, scale.x_height) for r in line_runs])
        starts, ends = np.array([r.start for r in line_runs]), np.array([r.end for r in line_runs])
        words = group(starts, ends, small, threshold, scale.x_height)
        margin = max(3, round(0.25 * scale.x_height))
        frame = Box(
            max(0, int(xs[part].min()) - margin),
            max(0, int(ys[part].min()) - margin),
            min(flat.shape[1], int(xs[part].max()) + 1 + margin),
            min(flat.shape[0], int(ys[part].max()) + 1 + margin),
        )
        pieces = tuple(
            Piece(b, float(r.start - frame.left), float(r.end - frame.left))
            for b, r in zip(boxes, line_runs, strict=True)
        )
        outline = _outline(xs[part], ys[part], turn, factor, scale, shape)
        drafts.append((i, frame, _slope(curves[i], scale), pieces, tuple(words), outline))

    order = reading_order([d[1] for d in drafts])
    renumber = np.zeros(len(curves) + 1, np.int32)
    lines, frames, slopes = [], [], []
    for index, k in enumerate(order):
        i, frame, slope, pieces, words, outline = drafts[k]
        renumber[i + 1] = index + 1
        box = Box(
            min(p.box.left for p in pieces),
            min(p.box.top for p in pieces),
            max(p.box.right for p in pieces),
            max(p.box.bottom for p in pieces),
        )
        lines.append(Line(index, box, outline, pieces, words))
        frames.append(frame)
        slopes.append(slope)
    owners = renumber[owners]
    claimed = int(np.count_nonzero(owners))
    layout = Layout(tuple(lines), skew, scale.x_height / factor, total_ink, max(0, total_ink - claimed))
    return SegmentedPage(layout, flat, owners, slopes, frames)


def _to_page(xs: np.ndarray, ys: np.ndarray, turn: np.ndarray, factor: float) -> tuple[np.ndarray, np.ndarray]:
    """Positions on the page, float, of pixel corners at the (turned) working scale."""
    back = cv2.invertAffineTransform(turn)
    x = back[0, 0] * xs + back[0, 1] * ys + back[0, 2]
    y = back[1, 0] * xs + back[1, 1] * ys + back[1, 2]
    return x / factor, y / factor


def _box(x: np.ndarray, y: np.ndarray, factor: float, shape: tuple[int, int]) -> Box:
    height, width = shape
    left, top = max(0, int(np.floor(x.min()))), max(0, int(np.floor(y.min())))
    right, bottom = min(width, int(np.ceil(x.max() + 1 / factor))), min(height, int(np.ceil(y.max() + 1 / factor)))
    left, top = min(left, width - 1), min(top, height - 1)
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))


def _is_stop(offsets: np.ndarray, run, x_height: float) -> bool:
    """Whether a run of ink looks like a comma or a full stop: small, and at the foot of the line."""
    height = float(np.ptp(offsets)) + 1
    return run.end - run.start < 0.7 * x_height and height < x_height and float(offsets.mean()) > 0.1 * x_height


def _is_ruling(offsets: np.ndarray, xs: np.ndarray, scale: Scale) -> bool:
    """Whether a line's ink is what was left of a ruling: long, and nowhere as high as letters."""
    low, high = np.percentile(offsets, [4, 96])
    thickness = max(0.4 * scale.x_height, 1.8 * scale.stroke_width)
    return high - low < thickness and np.ptp(xs) > 2.5 * scale.x_height


def _slope(curve: Curve, scale: Scale) -> float:
    """Rows by which a line falls per column; 0 for a line too short to tell."""
    if len(curve.ys) < 6 * scale.x_height:
        return 0.0
    return float(np.polyfit(np.arange(len(curve.ys)), curve.ys, 1)[0])


def _outline(xs, ys, turn, factor, scale: Scale, shape) -> tuple[tuple[int, int], ...]:
    """Polygon around a line's ink: its highest and lowest ink in steps of about two x-heights."""
    step = max(8.0, 2 * scale.x_height)
    cell = ((xs - xs.min()) / step).astype(int)
    n = int(cell.max()) + 1
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(n))
    occupied = np.flatnonzero(np.bincount(cell, minlength=n))
    top, bottom = np.full(n, np.inf), np.full(n, -np.inf)
    top[occupied] = np.minimum.reduceat(ys[order], starts[occupied])
    bottom[occupied] = np.maximum.reduceat(ys[order], starts[occupied])
    left = xs.min() + np.arange(n) * step
    right = np.minimum(left + step, xs.max() + 1)
    filled = np.isfinite(top)
    upper = [(x, t) for a, b, t in zip(left[filled], right[filled], top[filled], strict=True) for x in (a, b)]
    lower = [(x, t + 1) for a, b, t in zip(left[filled], right[filled], bottom[filled], strict=True) for x in (a, b)]
    points = np.array(upper + lower[::-1], float)
    x, y = _to_page(points[:, 0], points[:, 1], turn, factor)
    x, y = np.clip(np.round(x), 0, shape[1]), np.clip(np.round(y), 0, shape[0])
    return tuple((int(a), int(b)) for a, b in zip(x, y, strict=True))
