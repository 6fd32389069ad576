"""A grey page, or the two of an open book, as lines and words."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from segmentation.ink.binarisation import Tones
from segmentation.ink.preparation import Prepared, prepare, turned
from segmentation.layout import lay_out
from segmentation.lines import network as line_network
from segmentation.lines import orientation
from segmentation.lines.curves import Curve, curves_in_zones, find_curves
from segmentation.lines.pale_writing import pale_writing
from segmentation.lines.sideways import find_sideways
from segmentation.lines.small_print import find_small_print
from segmentation.order.gutter import find_gutter
from segmentation.segmented import SegmentedPage
from segmentation.spread import halves, join

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


def segment(gray: np.ndarray, settings: SegmentationSettings | None = None) -> SegmentedPage:
    """Lines and words of an upright grey page, uint8 (height, width), 0 black … 255 white.

    An empty page has no lines; that is no error.

    Raises:
        LineModelError: the line network of the settings is missing or damaged.
    """
    settings = settings or SegmentationSettings()
    return _lay_out(gray, _find(gray, settings), settings)


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

    Raises:
        LineModelError: the line network of the settings is missing or damaged.
    """
    return next(ways_up(gray, settings))


def ways_up(gray: np.ndarray, settings: SegmentationSettings | None = None) -> Iterator[UprightPage]:
    """A grey page, uint8 (height, width), as it probably is upright; where its letters leave that in doubt, it is there
    a second time, the other way up, for whoever can read to decide.

    Only a line network can tell that a page is not upright: without one it stays as it is. It comes first as it is
    where the evidence is weak.

    Raises:
        LineModelError: the line network of the settings is missing or damaged.
    """
    settings = settings or SegmentationSettings()
    found, turn = _find(gray, settings), 0
    if found.doubt > _DOUBTFUL:
        on_its_side = _find(turned(gray, 90), settings)
        if 0 < on_its_side.doubt < min(_DOUBTFUL, _MUCH_SURER * found.doubt):
            found, turn = on_its_side, 90
    ways = [(turn, found)]
    if 0 < found.doubt <= _DOUBTFUL and found.lean < _CLEAR_LEAN:
        on_its_head = _find(turned(gray, turn + 180), settings)
        wrong = _better(on_its_head, found) > (_LEAST_EVIDENCE if turn == 0 else 0.0)
        if wrong or (on_its_head.curves and _evidence(found, on_its_head) < _SURE):
            ways.append(((turn + 180) % 360, on_its_head))
        if wrong:
            ways.reverse()
    for turn, found in ways:
        picture = turned(gray, turn)
        yield UprightPage(picture, turn, _lay_out(picture, found, settings))


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


_SURE = 1.0
"""Evidence from which a page that is left as it is need not be read the other way up. Of 177 training pages and parts
with five lines or more 175 had it upright; on their head the other two."""


def _evidence(found: _Found, other: _Found) -> float:
    """Evidence that a page is upright as in ``found``; ∞ where nothing can be made of it the other way up."""
    if not 0 < other.doubt < np.inf:
        return np.inf
    return found.lean - other.lean + 5.0 * float(np.log(other.doubt / found.doubt))


@dataclass(frozen=True)
class _Found:
    """A page and the curves of its lines.

    Attributes:
        doubt, lean: which way up it seems to be (`segmentation.lines.orientation`); 0 where nothing is known of that.
    """

    page: Prepared
    curves: list[Curve]
    doubt: float = 0.0

    @functools.cached_property
    def lean(self) -> float:
        return orientation.lean(self.page.ink, self.curves, self.page.scale) if self.curves else 0.0


def _find(gray: np.ndarray, settings: SegmentationSettings) -> _Found:
    found = _find_once(gray, settings)
    for _ in range(_MOST_LOOKS):
        tones = pale_writing(found.page, found.curves)
        if tones is None:
            break
        found = _find_once(gray, settings, tones)
    return found


_MOST_LOOKS = 2
"""Further looks at a page with pale writing: what the first one finds of it tells how pale the rest is."""


def _find_once(gray: np.ndarray, settings: SegmentationSettings, tones: Tones | None = None) -> _Found:
    page = prepare(gray, settings.working_side, tones)
    if page.scale is None:
        return _Found(page, [])
    if settings.line_model is None:
        return _Found(page, find_curves(page.ink, page.scale))
    zones, factor = line_network.load(settings.line_model).find(page.flat, page.scale.x_height)
    curves = curves_in_zones(zones, factor, page.scale, page.flat.shape[1])
    return _Found(page, curves, orientation.doubt(zones, factor * page.scale.x_height))


def _lay_out(gray: np.ndarray, found: _Found, settings: SegmentationSettings) -> SegmentedPage:
    """A picture's layout, whether it shows a page or an open book.

    Args:
        gray: the picture, the way up in which ``found`` was.
    """
    gutter = find_gutter(gray, found.page, found.curves)
    if gutter is None:
        return _lay_out_page(found, settings)
    left, right, column = halves(gray, gutter)
    return join(*(_lay_out_page(_find(half, settings), settings) for half in (left, right)), column)


def _lay_out_page(found: _Found, settings: SegmentationSettings) -> SegmentedPage:
    page, curves = found.page, found.curves
    if not curves or settings.line_model is None:
        return lay_out(page, curves)
    network = line_network.load(settings.line_model)
    small = find_small_print(page.flat, page.parts, curves, page.scale, network)
    if small is not None:
        page, curves = replace(page, parts=small.other_parts), small.other_curves
    sideways = find_sideways(page.flat, page.parts, curves, page.scale, network)
    return lay_out(page, curves, sideways, small)
