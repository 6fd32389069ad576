"""Where the lines of writing run: ridges, traced and linked.

A line is found as a curve through the middle of its x-height zone. The method is the classical one that did best on
the project's pages: a difference of Gaussians across the writing whose scale follows the line pitch, ridges by
non-maximum suppression, ridge segments linked end to end. Where a line network (`segmentation.lines.network`) marked
the zones, the ridges are those of its answer, and the rest is the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.ink.scale import Scale

_UNIT = 6.0
"""Height of an x-height at the scale where ridges are sought, pixels."""


LETTERS_ABOVE, LETTERS_BELOW = 1.0, 0.7
"""Whether a line has ink in a column is told within so many x-heights above and below its middle: farther away other
lines' long strokes are met."""


@dataclass(frozen=True)
class Curve:
    """The middle of a line's x-height zone.

    Attributes:
        first: leftmost column.
        ys: float32, the row of the middle for each column from ``first`` on.
    """

    first: int
    ys: np.ndarray

    @property
    def last(self) -> int:
        """Rightmost column, inclusive."""
        return self.first + len(self.ys) - 1

    def band(self, above: int, below: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows from ``above`` it to ``below`` it, int (rows, n), and its columns, (n,).

        Args:
            height: of the picture, whose first and last row stand for those beyond.
        """
        rows = np.round(self.ys).astype(int)[None, :] + np.arange(-above, below + 1)[:, None]
        return np.clip(rows, 0, height - 1), np.arange(self.first, self.last + 1)


def zones_of(curves: list[Curve], reach: int, shape: tuple[int, int]) -> np.ndarray:
    """What lies within ``reach`` rows of a curve: bool of ``shape``."""
    zones = np.zeros(shape, bool)
    for curve in curves:
        zones[curve.band(reach, reach, shape[0])] = True
    return zones


def find_curves(ink: np.ndarray, scale: Scale) -> list[Curve]:
    """Curves of the lines of a page's ink, bool (h, w), in no particular order."""
    factor = _UNIT / scale.x_height
    h, w = ink.shape
    size = (max(8, round(w * factor)), max(8, round(h * factor)))
    density = cv2.resize(ink.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    pitch = scale.pitch * factor
    segments = _trace(_ridge_response(density, pitch), density)
    chains = _link(segments, _LARGEST_GAP)
    curves = [_join(chain) for chain in chains]
    curves = [c for c in curves if _is_supported(c, density)]
    long_twin, short_twin = _TWIN * min(pitch, 4.5 * _UNIT), _SHORT_TWIN * min(pitch, 6 * _UNIT)
    return [_enlarge(c, factor, w) for c in _drop_twins(curves, long_twin, short_twin)]


_MARKED = 0.5
"""A ridge of a line network's blurred answer may be a line where the answer is above this."""
_MARKED_TWIN = 0.7
"""A curve that runs closer than this to a longer one, in x-heights, follows the same marked zone."""
_MARKED_GAP = 6 * _UNIT
"""Greatest gap between two marked pieces of a line: a network leaves fewer holes than ink does."""
_LEAST_MARKED = 0.8
"""Least marked length of a curve, in x-heights: a letter."""


def curves_in_zones(zones: np.ndarray, factor: float, scale: Scale, width: int) -> list[Curve]:
    """Curves of the lines whose x-height zones a network marked, in no particular order.

    Args:
        zones: float32 (rows, columns), 0–1, how surely a pixel lies in such a zone.
        factor: pixels of ``zones`` per pixel of the page.
        width: of the page, pixels.
    """
    to_page = _UNIT / scale.x_height
    size = tuple(max(8, round(n * to_page / factor)) for n in zones.shape[::-1])
    zones = cv2.resize(zones, size, interpolation=cv2.INTER_LINEAR)
    response = cv2.GaussianBlur(zones, (0, 0), sigmaX=_UNIT, sigmaY=0.4 * _UNIT)
    segments = _segments(_crests(response) & (response > _MARKED))
    curves = [_join(chain) for chain in _link(segments, _MARKED_GAP)]
    curves = [c for c in curves if _marked(c, zones) >= _LEAST_MARKED * _UNIT]
    return [_enlarge(c, to_page, width) for c in _drop_twins(curves, _MARKED_TWIN * _UNIT, _MARKED_TWIN * _UNIT)]


def _marked(curve: Curve, zones: np.ndarray) -> int:
    """Columns of a curve that lie in a marked zone."""
    rows = np.clip(np.round(curve.ys).astype(int), 0, zones.shape[0] - 1)
    columns = np.minimum(np.arange(curve.first, curve.last + 1), zones.shape[1] - 1)
    return int(np.count_nonzero(zones[rows, columns] > 0.5))


def _ridge_response(density: np.ndarray, pitch: float) -> np.ndarray:
    """How much each pixel looks like the middle of a line: difference of Gaussians across, a long blur along."""
    sigma = float(np.clip(0.2 * pitch, 0.45 * _UNIT, 1.1 * _UNIT))
    along = cv2.GaussianBlur(density, (0, 0), sigmaX=3.5 * _UNIT, sigmaY=0.3)
    narrow = cv2.GaussianBlur(along, (0, 0), sigmaX=0.3, sigmaY=sigma)
    wide = cv2.GaussianBlur(along, (0, 0), sigmaX=0.3, sigmaY=1.9 * sigma)
    return narrow - wide


def _trace(response: np.ndarray, density: np.ndarray) -> list[np.ndarray]:
    """Ridge segments of the response to ink (see `_segments`): what is high enough and has ink nearby."""
    crests = _crests(response)
    peaks = response[crests & (response > 0)]
    if peaks.size == 0:
        return []
    least = max(0.004, 0.12 * float(np.percentile(peaks, 90)))
    near = cv2.blur(density, (int(3 * _UNIT) | 1, int(1.6 * _UNIT) | 1)) > 0.012
    return _segments(crests & (response > least) & near)


def _crests(response: np.ndarray) -> np.ndarray:
    """Pixels above both neighbours of their column: bool."""
    above = np.vstack([response[:1], response[:-1]])
    below = np.vstack([response[1:], response[-1:]])
    return (response > above) & (response >= below)


def _segments(ridge: np.ndarray) -> list[np.ndarray]:
    """Connected pieces of a mask of ridges: each float (n, 2) of (x, y), one point a column, left to right."""
    if not ridge.any():
        return []
    # One row of tolerance lets a climbing ridge stay connected; the original row is read off the ridge itself.
    tolerant = cv2.dilate(ridge.astype(np.uint8), np.ones((3, 1), np.uint8))
    _, labels = cv2.connectedComponents(tolerant, connectivity=8, ltype=cv2.CV_32S)
    ys, xs = np.nonzero(ridge)
    owners = labels[ys, xs]
    order = np.lexsort((ys, xs, owners))
    xs, ys, owners = xs[order], ys[order], owners[order]
    segments = []
    for chunk in np.split(np.arange(len(xs)), np.flatnonzero(np.diff(owners)) + 1):
        x, y = xs[chunk], ys[chunk]
        columns, start = np.unique(x, return_index=True)
        if len(columns) < 0.7 * _UNIT:
            continue
        rows = np.add.reduceat(y, start) / np.diff(np.append(start, len(y)))
        segments.append(np.column_stack([columns, rows]))
    return segments


def _end_slope(points: np.ndarray, at_end: bool) -> float:
    """Slope of a segment near one end, ±0.18 at most (about 10°)."""
    piece = points[-int(4 * _UNIT) :] if at_end else points[: int(4 * _UNIT)]
    if len(piece) < 2 * _UNIT:
        return 0.0
    return float(np.clip(np.polyfit(piece[:, 0], piece[:, 1], 1)[0], -0.18, 0.18))


_LARGEST_GAP = 9 * _UNIT
"""Greatest gap between two pieces of a line that was traced in the ink."""
_LARGEST_OFFSET = 0.9 * _UNIT
"""Greatest distance of a piece of a line from where another one leads; a little more over a wide gap."""


def _link(segments: list[np.ndarray], largest_gap: float) -> list[list[np.ndarray]]:
    """Chains of segments that continue each other, best continuations first, each end used once."""
    starts = np.array([s[0, 0] for s in segments]) if segments else np.array([])
    candidates = []
    for i, a in enumerate(segments):
        x, y = a[-1]
        slope = _end_slope(a, at_end=True)
        for j in np.flatnonzero((starts > x - 1.5 * _UNIT) & (starts < x + largest_gap)):
            b = segments[j]
            if i == j or b[-1, 0] <= x:
                continue
            gap = b[0, 0] - x
            forward = y + slope * gap - b[0, 1]
            backward = b[0, 1] - _end_slope(b, at_end=False) * gap - y
            offset = min(abs(forward), abs(backward), abs(b[0, 1] - y))
            if offset <= _LARGEST_OFFSET + 0.03 * max(gap, 0):
                candidates.append((max(gap, 0) + 4 * offset, i, int(j)))
    following: dict[int, int] = {}
    preceding: dict[int, int] = {}
    for _, i, j in sorted(candidates):
        if i not in following and j not in preceding:
            following[i], preceding[j] = j, i
    chains = []
    for i in range(len(segments)):
        if i in preceding:
            continue
        chain = [i]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        chains.append([segments[k] for k in chain])
    return chains


def _join(chain: list[np.ndarray]) -> Curve:
    """One smooth curve through the points of a chain, gaps bridged by straight lines."""
    points = np.vstack(chain)
    columns, inverse = np.unique(points[:, 0], return_inverse=True)
    rows = np.bincount(inverse, weights=points[:, 1]) / np.bincount(inverse)
    xs = np.arange(int(columns[0]), int(columns[-1]) + 1)
    ys = np.interp(xs, columns, rows).astype(np.float32)
    return Curve(int(xs[0]), _smooth(ys, 2 * _UNIT))


def _smooth(ys: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(ys.reshape(1, -1), (0, 0), sigma, borderType=cv2.BORDER_REPLICATE).ravel()


def _is_supported(curve: Curve, density: np.ndarray) -> bool:
    """Whether ink lies along the curve: at least about two letters of it."""
    reach = int(_UNIT * 0.7)
    per_column = density[curve.band(reach, reach, density.shape[0])].sum(axis=0)
    return float((per_column > 0.3).sum()) >= 0.8 * _UNIT and float(per_column.sum()) >= 1.0 * _UNIT


_TWIN, _SHORT_TWIN = 0.4, 0.62
"""A curve that runs closer than this to a longer one, as a share of the pitch, follows parts of the same line: the bars
and heads of its tall letters. The second limit, the wider one, is that of short curves."""
_SHORT = 5 * _UNIT
"""Greatest length of a short curve."""


def _drop_twins(curves: list[Curve], long_twin: float, short_twin: float) -> list[Curve]:
    """Curves without those that run along a longer one for most of their length, closer than a limit.

    Args:
        long_twin, short_twin: the limits for long and for short curves.
    """
    kept: list[Curve] = []
    for curve in sorted(curves, key=lambda c: -len(c.ys)):
        nearest = long_twin if len(curve.ys) > _SHORT else short_twin
        if not any(_mean_distance(curve, other) < nearest for other in kept):
            kept.append(curve)
    return kept


def _mean_distance(curve: Curve, other: Curve) -> float:
    """Rows between two curves where they run beside each other; infinite when that is little of ``curve``."""
    left, right = max(curve.first, other.first), min(curve.last, other.last)
    if right - left < 0.6 * len(curve.ys):
        return np.inf
    a = curve.ys[left - curve.first : right - curve.first + 1]
    b = other.ys[left - other.first : right - other.first + 1]
    return float(np.mean(np.abs(a - b)))


def _enlarge(curve: Curve, factor: float, width: int) -> Curve:
    """The curve at the page's own scale."""
    first = int(max(0, np.floor(curve.first / factor)))
    last = int(min(width - 1, np.ceil((curve.last + 1) / factor)))
    xs = np.arange(first, last + 1)
    ys = np.interp((xs + 0.5) * factor - 0.5, np.arange(curve.first, curve.last + 1), curve.ys)
    return Curve(first, ((ys + 0.5) / factor - 0.5).astype(np.float32))
