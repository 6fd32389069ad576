"""Writing that runs up or down the page beside its upright lines, as in the margins of letters whose sheet was full.

The line network marks it on the page turned by a quarter, and is sure of it: of upright writing on its side it is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentation.ink.components import Components
from segmentation.ink.scale import Scale
from segmentation.lines.curves import Curve, curves_in_zones
from segmentation.lines.network import LineNetwork
from segmentation.lines.ownership import REACH, nearest_curve
from segmentation.lines.second_look import CORE, own_stretches, sureness
from segmentation.scaling import turned

_BESIDE = 1.6
"""X-heights from a line's middle within which its ink lies, but for the longest strokes."""
_LEAST_BESIDE = 0.04
"""Share of a page's ink beside all upright lines from which sideways writing is looked for; half of all pages have less
than .02."""
_LEAST_LENGTH = 6.0
"""X-heights of a line: a short word."""
_ANCHORS = ((20.0, 0.97), (12.0, 0.985))
"""Least length in x-heights, and least mean answer of the line network along it, of a line without which none is
believed: the shorter, the surer. Of 742 pages of letters, wills and registers those without sideways writing have none;
columns of numbers of 36 and 79 x-heights came to .967, printed words of 8 to .988."""
_FAIRLY_SURE = 0.88
"""Least mean answer of the line network along the other lines, where one is believed."""
_SURE_NUMBER = 0.985
"""Least mean answer of the line network along a short upright line for it to be one."""
_LONG = 30.0
"""X-heights from which a line counts as long."""
_MOST_SHARED, _LITTLE_SHARED = 0.4, 0.2
"""Largest share of the core of a long line, and of another one, that may lie in the core of upright lines, which may
reach into the margin. Down a column of upright writing nearly all does."""


@dataclass(frozen=True)
class Sideways:
    """Writing that runs sideways.

    Attributes:
        ink: bool (h, w) of the upright page, what belongs to it.
        curves: of its lines, on the page turned clockwise by 90 degrees.
        upright: curves of the page's upright lines, as far as they do not run across it.
    """

    ink: np.ndarray
    curves: list[Curve]
    upright: list[Curve]


def find_sideways(
    flat: np.ndarray, parts: Components, upright: list[Curve], scale: Scale, network: LineNetwork
) -> Sideways | None:
    """The sideways writing of a level page; None where there is none.

    Args:
        flat: uint8 (h, w), the page on even white paper.
        parts: components of its ink.
        upright: curves of what seem to be upright lines. They may be led on across sideways writing, letter by letter.
    """
    lines = _upright_lines(flat, parts.labels, upright, scale, network)
    if lines is None:
        return None
    h, w = flat.shape
    ys, xs = np.nonzero(parts.labels)
    # Where a pixel lies on the turned page.
    turned_ys, turned_xs = xs, h - 1 - ys
    core = CORE * scale.x_height
    zones, factor = network.find(turned(flat, 90), scale.x_height)
    candidates = curves_in_zones(zones, factor, scale, h)
    sure = np.array([sureness(c, zones, factor) for c in candidates])
    nearest, along = nearest_curve(turned_ys, turned_xs, candidates, h, scale)
    in_core = along <= core
    ink_of = np.maximum(np.bincount(nearest[in_core], minlength=len(candidates)), 1)

    def believable(across: np.ndarray) -> list[Curve]:
        shared = np.bincount(nearest[in_core & (across <= core)], minlength=len(candidates)) / ink_of
        return _believable(candidates, shared, sure, scale.x_height)

    _, across = nearest_curve(ys, xs, lines, w, scale)
    believed: list[Curve] = []
    # An upright line that ran on across some of them shares less with the next one, once it is cut.
    while len(found := believable(across)) > len(believed):
        believed = found
        _, along = nearest_curve(turned_ys, turned_xs, believed, h, scale)
        line, across = nearest_curve(ys, xs, upright, w, scale)
        within = across <= core
        foreign = along[within] <= 2 * core
        upright = own_stretches(upright, line[within], xs[within], foreign, scale.x_height, _LEAST_LENGTH)
        _, across = nearest_curve(ys, xs, upright, w, scale)
    if not believed:
        return None
    ink = np.zeros((h, w), bool)
    ink[ys, xs] = _is_sideways(parts.labels[ys, xs], across, along, scale)
    return Sideways(ink, believed, upright)


def _upright_lines(
    flat: np.ndarray, labels: np.ndarray, upright: list[Curve], scale: Scale, network: LineNetwork
) -> list[Curve] | None:
    """The curves that surely are of upright lines; None where they leave too little ink for others."""
    lines = [c for c in upright if len(c.ys) >= _LEAST_LENGTH * scale.x_height]
    if _share_beside(lines, labels, scale) < _LEAST_BESIDE:
        return None
    short = [c for c in upright if len(c.ys) < _LEAST_LENGTH * scale.x_height]
    if short:
        # A number that the network is sure of is no letter of sideways writing, and a column of numbers no line of it.
        zones, factor = network.find(flat, scale.x_height)
        lines += [c for c in short if sureness(c, zones, factor) >= _SURE_NUMBER]
        if _share_beside(lines, labels, scale) < _LEAST_BESIDE:
            return None
    return lines


def _share_beside(curves: list[Curve], labels: np.ndarray, scale: Scale) -> float:
    """Share of a page's ink, 0–1, that lies in no upright line."""
    # Every page is asked: a part of the pixels tells as much.
    ys, xs = np.nonzero(labels[:, ::4])
    _, across = nearest_curve(ys, 4 * xs, curves, labels.shape[1], scale)
    return float(np.mean(across > _BESIDE * scale.x_height)) if len(ys) else 0.0


def _believable(curves: list[Curve], shared: np.ndarray, sure: np.ndarray, x_height: float) -> list[Curve]:
    """Lines of sideways writing: long and sure ones and, where there are such, also short ones that are apart."""
    length = np.array([len(c.ys) for c in curves]) / x_height
    apart = shared <= np.where(length >= _LONG, _MOST_SHARED, _LITTLE_SHARED)
    anchors = np.any([(length >= least) & (sure >= surest) for least, surest in _ANCHORS], axis=0)
    if not (anchors & apart).any():
        return []
    good = (sure >= _FAIRLY_SURE) & (length >= _LEAST_LENGTH) & apart
    return [c for c, g in zip(curves, good, strict=True) if g]


def _is_sideways(component: np.ndarray, across: np.ndarray, along: np.ndarray, scale: Scale) -> np.ndarray:
    """Whether each pixel of ink belongs to sideways writing: bool (n,).

    A component goes whole to the writing whose lines hold more of its ink in their core, or else pass nearer; where
    both hold a letter's ink of it, it is divided.

    Args:
        component: of each pixel.
        across, along: rows to the nearest upright line's middle, columns to that of the nearest sideways one.
    """
    count = int(component.max()) + 1
    reach = CORE * scale.x_height
    of_upright = np.bincount(component[across <= reach], minlength=count)
    of_sideways = np.bincount(component[along <= reach], minlength=count)
    nearest_upright, nearest_sideways = np.full(count, np.inf), np.full(count, np.inf)
    np.minimum.at(nearest_upright, component, across)
    np.minimum.at(nearest_sideways, component, along)
    whole = np.where(
        of_upright + of_sideways > 0,
        of_sideways > of_upright,
        (nearest_sideways < nearest_upright) & (nearest_sideways <= REACH * scale.x_height),
    )
    divided = (of_upright > scale.letter_ink) & (of_sideways > scale.letter_ink)
    return np.where(divided[component], along < across, whole[component])
