"""Pieces of pages for the network that finds lines, changed as scans differ.

They are turned and scaled, get words squeezed in between lines, rulings, and the back of their sheet showing through.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from htr_model.line_finder.pages import BAND, STORED, STRIDE, UNIT, LinePage


@dataclass(frozen=True)
class Crop:
    """A piece of a page to learn from.

    Attributes:
        picture: float32 (side, side), 0 paper … 1 ink.
        target: float32 (side / 2, side / 2), share of a pixel that a line's band covers.
        weight: float32 (side / 2, side / 2), 0 where nothing is known, else 1.
    """

    picture: np.ndarray
    target: np.ndarray
    weight: np.ndarray


_MOST_DEGREES = 4.0
_ZOOM = 1.4
"""Pages are shown up to so many times larger or smaller: their x-height may have been measured wrongly."""
_STRETCH = 1.18
"""Of the height alone: lines stand closer or farther apart."""
_SLANT = 0.25


def random_crop(page: LinePage, other: LinePage, side: int, rng: np.random.Generator) -> Crop:
    """A changed piece of a page.

    Args:
        other: shows through the sheet, mirrored, now and then.
        side: of the piece, pixels, even.
    """
    zoom = _spread(rng, _ZOOM)
    picture, matrix = _piece(page, zoom, side, rng)
    bands = _bands(page, matrix, (side, side))
    if rng.random() < 0.3:
        _squeeze_in(picture, bands, page, matrix, rng)
    target = _answer(bands)
    flags = cv2.INTER_NEAREST
    unknown = cv2.warpAffine(page.unknown.astype(np.uint8), matrix, (side, side), flags=flags)
    weight = 1.0 - unknown[::STRIDE, ::STRIDE].astype(np.float32)
    ink = picture.astype(np.float32) / 255
    ink = np.clip(ink, 0, 1) ** rng.uniform(0.7, 1.5) * rng.uniform(0.5, 1.2)
    if rng.random() < 0.4:
        ink = _seen_through(ink, other, zoom, rng)
    if rng.random() < 0.3:
        ink = _ruled(ink, zoom, rng)
    if rng.random() < 0.5:
        ink = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.5:
        ink = ink + rng.normal(0, rng.uniform(0, 0.05), ink.shape)
    return Crop(np.clip(ink, 0, 1).astype(np.float32), target, weight)


def whole(page: LinePage, multiple: int) -> Crop:
    """A page as it is at the network's scale, with paper added up to sides that are multiples of ``multiple``."""
    factor = UNIT / STORED
    h, w = page.picture.shape
    height, width = (-(-max(1, round(n * factor)) // multiple) * multiple for n in (h, w))
    matrix = np.array([[factor, 0, 0.5 * factor - 0.5], [0, factor, 0.5 * factor - 0.5]])
    picture = cv2.warpAffine(page.picture, matrix, (width, height), flags=cv2.INTER_LINEAR)
    unknown = cv2.warpAffine(page.unknown.astype(np.uint8), matrix, (width, height), flags=cv2.INTER_NEAREST)
    weight = 1.0 - unknown[::STRIDE, ::STRIDE].astype(np.float32)
    return Crop(picture.astype(np.float32) / 255, _answer(_bands(page, matrix, (height, width))), weight)


def _spread(rng: np.random.Generator, most: float) -> float:
    """A factor from 1 / ``most`` to ``most``, smaller and larger alike."""
    return float(most ** rng.uniform(-1, 1))


def _piece(page: LinePage, zoom: float, side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A turned and scaled piece, uint8 (side, side), and the map (2, 3) that takes the page's points to it."""
    height, width = page.picture.shape
    centre = np.array([rng.uniform(0, width), rng.uniform(0, height)])
    if page.lines and rng.random() < 0.7:
        line = page.lines[rng.integers(len(page.lines))]
        centre = line[rng.integers(len(line))].astype(float)
    angle = np.deg2rad(rng.uniform(-_MOST_DEGREES, _MOST_DEGREES))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    slant = np.array([[1.0, rng.uniform(-_SLANT, _SLANT)], [0.0, 1.0]])
    scale = UNIT / STORED * zoom
    linear = turn @ slant @ np.diag([scale, scale * _spread(rng, _STRETCH)])
    place = side * rng.uniform(0.2, 0.8, 2)
    matrix = np.column_stack([linear, place - linear @ centre])
    return cv2.warpAffine(page.picture, matrix, (side, side), flags=cv2.INTER_LINEAR), matrix


def _bands(page: LinePage, matrix: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The bands of a page's lines in a piece of it, uint8 (height, width) = ``size``, 255 in a band."""
    drawn = np.zeros(size, np.uint8)
    for line in page.lines:
        _draw_line(drawn, line, matrix, BAND)
    return drawn


def _draw_line(picture: np.ndarray, line: np.ndarray, matrix: np.ndarray, height: float) -> None:
    """Draw a line's middle, so many x-heights high, into a piece of its page; in place."""
    thickness = max(2, round(height * STORED * float(np.linalg.norm(matrix[:, 1]))))
    points = line @ matrix[:, :2].T + matrix[:, 2]
    if points[:, 1].max() > -thickness and points[:, 1].min() < len(picture) + thickness:
        # Sixteenths of a pixel: OpenCV draws to a fixed point.
        cv2.polylines(picture, [np.round(points * 16).astype(np.int32)], False, 255, thickness, cv2.LINE_8, 4)


def _answer(bands: np.ndarray) -> np.ndarray:
    """Bands uint8 at the network's answer's resolution, float32, 0–1."""
    height, width = bands.shape
    small = cv2.resize(bands, (width // STRIDE, height // STRIDE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


_SQUEEZED = (0.55, 1.0)
"""Size of words that are squeezed in between two lines, of the others'."""


def _squeeze_in(
    picture: np.ndarray, bands: np.ndarray, page: LinePage, matrix: np.ndarray, rng: np.random.Generator
) -> None:
    """Put a few words of the page between two of its lines, as writers do who forgot them; in place.

    Args:
        picture: uint8 (side, side), the piece.
        bands: uint8 (side, side), its bands.
        matrix: the map (2, 3) from the page's points to the piece's.
    """
    source = page.lines[rng.integers(len(page.lines))] if page.lines else np.zeros((0, 2))
    first = rng.integers(max(1, len(source) - 3))
    piece = source[first : first + rng.integers(3, 11)]  # the points of a line stand an x-height apart
    place = _between_lines(bands, STORED * float(np.linalg.norm(matrix[:, 1])), rng)
    if len(piece) < 3 or place is None:
        return
    linear = matrix[:, :2] * rng.uniform(*_SQUEEZED)
    own = np.column_stack([linear, place - linear @ piece.mean(axis=0)])
    words = np.zeros_like(picture)
    _draw_line(words, piece, own, 2.2)
    written = cv2.warpAffine(page.picture, own, picture.shape[::-1], flags=cv2.INTER_LINEAR)
    np.maximum(picture, np.where(words > 0, written, 0), out=picture)
    _draw_line(bands, piece, own, BAND)


def _between_lines(bands: np.ndarray, x_height: float, rng: np.random.Generator) -> np.ndarray | None:
    """A point (x, y) in the middle between two bands one below the other, by chance; None where there is no such."""
    column = int(rng.integers(bands.shape[1]))
    edges = np.flatnonzero(np.diff(bands[:, column] > 0))
    inside = bands[edges, column] > 0
    ends = [(a, b) for a, b, leaves in zip(edges, edges[1:], inside, strict=False) if leaves]
    gaps = [(a, b) for a, b in ends if 0.9 * x_height < b - a < 5 * x_height]
    if not gaps:
        return None
    top, bottom = gaps[rng.integers(len(gaps))]
    return np.array([column, (top + bottom) / 2 + rng.uniform(-0.15, 0.15) * x_height])


def _seen_through(ink: np.ndarray, other: LinePage, zoom: float, rng: np.random.Generator) -> np.ndarray:
    """The piece with the back of its sheet showing: mirrored, pale and blurred."""
    back, _ = _piece(other, zoom * _spread(rng, 1.15), len(ink), rng)
    back = cv2.GaussianBlur(back[:, ::-1].astype(np.float32) / 255, (0, 0), rng.uniform(0.4, 1.6))
    return 1 - (1 - ink) * (1 - rng.uniform(0.15, 0.7) * back)


def _ruled(ink: np.ndarray, zoom: float, rng: np.random.Generator) -> np.ndarray:
    """The piece on ruled paper: lines across, sometimes down too."""
    side = len(ink)
    rules = np.zeros((side, side), np.uint8)
    slope = np.tan(np.deg2rad(rng.uniform(-_MOST_DEGREES, _MOST_DEGREES)))
    pitch = UNIT * zoom * rng.uniform(1.2, 5)
    shade = int(rng.uniform(25, 220))
    for row in np.arange(rng.uniform(-pitch, 0) - 0.1 * side, 1.1 * side, pitch):
        cv2.line(rules, (0, round(row)), (side, round(row + slope * side)), shade, 1, cv2.LINE_AA)
    if rng.random() < 0.4:
        step = pitch if rng.random() < 0.5 else side
        for column in np.arange(rng.uniform(0, step), side, step):
            cv2.line(rules, (round(column), 0), (round(column - slope * side), side), shade, 1, cv2.LINE_AA)
    return np.maximum(ink, rules.astype(np.float32) / 255)
