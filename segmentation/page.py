"""A grey page, or the two of an open book, as lines and words."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from segmentation.ink.binarisation import Tones
from segmentation.ink.preparation import prepare
from segmentation.layout import lay_out
from segmentation.lines import network as line_network
from segmentation.lines import orientation
from segmentation.lines.curves import curves_in_zones, find_curves
from segmentation.lines.pale_writing import pale_writing
from segmentation.lines.sideways import find_sideways
from segmentation.lines.small_print import find_small_print
from segmentation.order.gutter import find_gutter
from segmentation.scaling import turned
from segmentation.segmented import SegmentedPage
from segmentation.spread import halves, join
from segmentation.way_up import Found, likely_ways_up

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
    """Yields a grey page, uint8 (height, width), turned the way that is most likely upright, with its lines and words;
    if that is uncertain, yields it a second time the other way up.

    Reading both decides. Without a line network the page is never turned.

    Raises:
        LineModelError: the line network of the settings is missing or damaged.
    """
    settings = settings or SegmentationSettings()
    for turn, found in likely_ways_up(gray, functools.partial(_find, settings=settings)):
        picture = turned(gray, turn)
        yield UprightPage(picture, turn, _lay_out(picture, found, settings))


def _find(gray: np.ndarray, settings: SegmentationSettings) -> Found:
    found = _find_once(gray, settings)
    for _ in range(_MOST_LOOKS):
        tones = pale_writing(found.page, found.curves)
        if tones is None:
            break
        found = _find_once(gray, settings, tones)
    return found


_MOST_LOOKS = 2
"""Greatest number of further looks at a page with pale writing: what the first one finds of it tells how pale the rest
is."""


def _find_once(gray: np.ndarray, settings: SegmentationSettings, tones: Tones | None = None) -> Found:
    page = prepare(gray, settings.working_side, tones)
    if page.scale is None:
        return Found(page, [])
    if settings.line_model is None:
        return Found(page, find_curves(page.ink, page.scale))
    zones, factor = line_network.load(settings.line_model).find(page.flat, page.scale.x_height)
    curves = curves_in_zones(zones, factor, page.scale, page.flat.shape[1])
    return Found(page, curves, orientation.doubt(zones, factor * page.scale.x_height))


def _lay_out(gray: np.ndarray, found: Found, settings: SegmentationSettings) -> SegmentedPage:
    """A picture's layout, whether it shows a page or an open book.

    Args:
        gray: the picture, the way up in which ``found`` was.
    """
    gutter = find_gutter(gray, found.page, found.curves)
    if gutter is None:
        return _lay_out_page(found, settings)
    left, right, column = halves(gray, gutter)
    return join(*(_lay_out_page(_find(half, settings), settings) for half in (left, right)), column)


def _lay_out_page(found: Found, settings: SegmentationSettings) -> SegmentedPage:
    page, curves = found.page, found.curves
    if not curves or settings.line_model is None:
        return lay_out(page, curves)
    network = line_network.load(settings.line_model)
    small = find_small_print(page.flat, page.parts, curves, page.scale, network)
    if small is not None:
        page, curves = replace(page, parts=small.other_parts), small.other_curves
    sideways = find_sideways(page.flat, page.parts, curves, page.scale, network)
    return lay_out(page, curves, sideways, small)
