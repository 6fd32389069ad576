"""A grey page as lines and words."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from segmentation import line_network, orientation
from segmentation.cleaning import (
    Components,
    binarise,
    components,
    flat_sheet,
    remove_border_and_bars,
    remove_rulings,
)
from segmentation.columns import divide_at_gutters
from segmentation.description import Placement, describe
from segmentation.lines import Curve, assign, claim_leftovers, curves_in_zones, find_curves
from segmentation.scale import Scale, measure, stroke_width
from segmentation.segmented import Layout, SegmentedPage
from segmentation.skew import estimate_skew

CLASSICAL, LEARNED = "classical", "learned"


@dataclass(frozen=True)
class SegmentationSettings:
    """How pages are segmented.

    Attributes:
        working_side: the layout is found on the page scaled down to this long side, pixels, or less far where the
            writing is small; the pictures of lines and words are cut at that scale too, which is above what the
            recogniser needs.
        lines: what finds the lines: `LEARNED`, the line network that ships inside the package, the folder of another
            one, or `CLASSICAL`, which needs no model.
    """

    working_side: int = 1300
    lines: str = LEARNED

    def __post_init__(self) -> None:
        if self.working_side < 200:
            raise ValueError(f"working_side must be at least 200, got {self.working_side!r}")

    @property
    def line_model(self) -> Path | None:
        """Folder of the line network; None where none is used."""
        if self.lines == CLASSICAL:
            return None
        return line_network.DEFAULT if self.lines == LEARNED else Path(self.lines)


_LEAST_SKEW = 0.4
"""Degrees below which the page is not turned: lines are levelled one by one anyway."""
_LEAST_INK = 60
"""Pixels of ink below which a page is empty."""
_SMALLEST_WRITING = 9.0
"""Size of writing, pixels, below which the page is looked at again at a larger scale."""
_UNIT_X_HEIGHT = 18.0
_LARGEST_ENLARGEMENT = 3.0
_LARGEST_SIDE = 2200
"""Pixels up to which a page with small writing is enlarged."""
_PITCH = 4.0
"""X-heights that lines mostly lie apart. Speckled paper makes an x-height small, but not the distance of lines."""


@dataclass(frozen=True)
class Prepared:
    """A page made ready for its lines to be found, at the working scale and level.

    Attributes:
        flat: uint8 (h, w), on even white paper.
        ink: bool (h, w), what may be writing; nothing of it on an empty page.
        parts: the ink's components.
        scale: sizes of the writing; None for an empty page.
        placement: where it lies on the page.
        skew_degrees: by how much the writing climbed.
        total_ink: pixels of ink before borders, rulings and specks were left out.
    """

    flat: np.ndarray
    ink: np.ndarray
    parts: Components
    scale: Scale | None
    placement: Placement
    skew_degrees: float
    total_ink: int


def prepare(gray: np.ndarray, settings: SegmentationSettings) -> Prepared:
    """An upright grey page, uint8 (height, width), cleaned, levelled and measured."""
    factor = min(1.0, settings.working_side / max(gray.shape))
    page = _prepare_at(factor, gray)
    if page.scale is None:
        return page
    size = max(page.scale.x_height, page.scale.pitch / _PITCH)
    if size >= _SMALLEST_WRITING:
        return page
    room = _LARGEST_SIDE / (factor * max(gray.shape))
    enlargement = min(_UNIT_X_HEIGHT / size, _LARGEST_ENLARGEMENT, room)
    return _prepare_at(factor * enlargement, gray) if enlargement > 1.2 else page


def _prepare_at(factor: float, gray: np.ndarray) -> Prepared:
    """The page prepared at a scale."""
    height, width = gray.shape
    flat = flat_sheet(_resize(gray, factor))
    ink = binarise(flat)
    total_ink = int(np.count_nonzero(ink))
    turn = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    skew = 0.0
    parts = None
    if total_ink >= _LEAST_INK:
        ink = remove_border_and_bars(ink, stroke_width(ink))
        skew = estimate_skew(ink)
        if abs(skew) >= _LEAST_SKEW:
            flat, ink, turn = _turn(flat, ink, skew)
        # Only now: a slanted ruling is short in every row.
        ink, parts = _without_rulings_and_specks(ink)
    parts = parts or components(ink)
    scale = measure(ink, parts) if np.count_nonzero(ink) >= _LEAST_INK else None
    return Prepared(flat, ink, parts, scale, Placement(turn, factor, height, width), skew, total_ink)


def segment(gray: np.ndarray, settings: SegmentationSettings | None = None) -> SegmentedPage:
    """Lines and words of an upright grey page, uint8 (height, width), 0 black … 255 white.

    An empty page has no lines; that is no error.

    Raises:
        LineModelError: the line network of the settings is missing or damaged.
    """
    return _describe(_find(gray, settings or SegmentationSettings()))


@dataclass(frozen=True)
class UprightPage:
    """A page turned upright, and its lines and words.

    Attributes:
        gray: uint8 (height, width).
        turn: 0, 90, 180 or 270 degrees clockwise by which the page was turned.
    """

    gray: np.ndarray
    turn: int
    segmented: SegmentedPage


def segment_upright(gray: np.ndarray, settings: SegmentationSettings | None = None) -> UprightPage:
    """A grey page, whichever way up, uint8 (height, width), turned upright, with its lines and words.

    Only a line network can tell that a page is not upright: without one it stays as it is. It also stays where the
    evidence is weak.

    Raises:
        LineModelError: the line network of the settings is missing or damaged.
    """
    settings = settings or SegmentationSettings()
    found, turn = _find(gray, settings), 0
    if found.doubt > _DOUBTFUL:
        on_its_side = _find(turned(gray, 90), settings)
        if 0 < on_its_side.doubt < min(_DOUBTFUL, _MUCH_SURER * found.doubt):
            found, turn = on_its_side, 90
    if 0 < found.doubt <= _DOUBTFUL and found.lean < _CLEAR_LEAN:
        on_its_head = _find(turned(gray, turn + 180), settings)
        if _better(on_its_head, found) > (_LEAST_EVIDENCE if turn == 0 else 0.0):
            found, turn = on_its_head, turn + 180
    return UprightPage(turned(gray, turn), turn, _describe(found))


_DOUBTFUL = 0.6
"""Doubt of the line network from which a page may lie on its side: upright pages have .25 to .6, others .7 to 2."""
_MUCH_SURER = 0.75
"""Share of a page's doubt that is left when a page that lay on its side is turned."""
_CLEAR_LEAN = 1.0
"""Lean from which a page surely does not stand on its head."""
_LEAST_EVIDENCE = 2.0
"""Evidence, as the logarithm of odds, for which a page is turned head down: scans are seldom that."""
_DOUBT_GAIN = 10.0
_MOST_CONTRARY = 1.08
"""Ratio of doubts up to which the letters alone may decide."""
_LEAST_GAIN = 0.5
"""Gain in lean that it takes however sure the network is."""


def _better(other: _Found, found: _Found) -> float:
    """Evidence that a page is upright as in ``other`` and not, the other way up, as in ``found``."""
    gain = other.lean - found.lean
    # Neither may speak against it.
    if other.doubt <= 0 or other.doubt > _MOST_CONTRARY * found.doubt or gain < _LEAST_GAIN:
        return -np.inf
    return gain / 2 + _DOUBT_GAIN * float(np.log(found.doubt / other.doubt))


def turned(gray: np.ndarray, degrees: int) -> np.ndarray:
    """A page turned clockwise by ``degrees``, a multiple of 90."""
    return np.ascontiguousarray(np.rot90(gray, -degrees // 90))


@dataclass(frozen=True)
class _Found:
    """A page and the curves of its lines.

    Attributes:
        doubt, lean: which way up it seems to be (`segmentation.orientation`); 0 where nothing is known of that. The
            doubt is infinite where the line network saw too little.
    """

    page: Prepared
    curves: list[Curve]
    doubt: float = 0.0

    @functools.cached_property
    def lean(self) -> float:
        return orientation.lean(self.page.ink, self.curves, self.page.scale) if self.curves else 0.0


def _find(gray: np.ndarray, settings: SegmentationSettings) -> _Found:
    page = prepare(gray, settings)
    if page.scale is None:
        return _Found(page, [])
    if settings.line_model is None:
        return _Found(page, find_curves(page.ink, page.scale))
    zones, factor = line_network.load(settings.line_model).find(page.flat, page.scale.x_height)
    curves = curves_in_zones(zones, factor, page.scale, page.flat.shape[1])
    # Of a page on its side the network may see nothing at all: that is no less doubtful.
    doubt = orientation.doubt(zones, factor * page.scale.x_height) or np.inf
    return _Found(page, curves, doubt)


def _describe(found: _Found) -> SegmentedPage:
    page, parts, scale = found.page, found.page.parts, found.page.scale
    if scale is None:
        return _empty(page)
    curves = divide_at_gutters(found.curves, page.ink, scale)
    owners = assign(parts, curves, scale)
    leftovers = claim_leftovers(parts, owners, scale)
    if leftovers:
        curves = curves + leftovers
        owners = assign(parts, curves, scale)
    lines = describe(owners, parts, curves, scale, page.placement)
    numbers = np.zeros(len(curves) + 1, np.int32)
    numbers[[d.curve + 1 for d in lines]] = [d.line.index + 1 for d in lines]
    owners = numbers[owners]
    discarded = max(0, page.total_ink - int(np.count_nonzero(owners)))
    x_height = scale.x_height / page.placement.factor
    layout = Layout(tuple(d.line for d in lines), page.skew_degrees, x_height, page.total_ink, discarded)
    courses, frames = [d.course for d in lines], [d.frame for d in lines]
    return SegmentedPage(layout, page.flat, owners, courses, frames, page.placement)


def _resize(gray: np.ndarray, factor: float) -> np.ndarray:
    if factor == 1.0:
        return gray
    size = (max(1, round(gray.shape[1] * factor)), max(1, round(gray.shape[0] * factor)))
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _empty(page: Prepared) -> SegmentedPage:
    layout = Layout((), 0.0, 0.0, page.total_ink, page.total_ink)
    return SegmentedPage(layout, page.flat, np.zeros(page.flat.shape, np.int32), [], [], page.placement)


def _without_rulings_and_specks(ink: np.ndarray) -> tuple[np.ndarray, Components]:
    """Ink that may be writing, of a level page without border and bars, and its components."""
    stroke = stroke_width(ink)
    ink, _ = remove_rulings(ink)
    parts = components(ink)
    parts = parts.only(parts.area >= max(4, 0.6 * stroke * stroke))
    return parts.labels > 0, parts


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
