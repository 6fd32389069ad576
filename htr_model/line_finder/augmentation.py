"""Pieces of pages for the network that finds lines, changed as scans differ: turned, scaled, seen through, ruled."""

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
    target = _bands(page, matrix, side)
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
    return Crop(picture.astype(np.float32) / 255, _bands(page, matrix, (height, width)), weight)


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


def _bands(page: LinePage, matrix: np.ndarray, size: int | tuple[int, int]) -> np.ndarray:
    """The bands of a page's lines in a piece of it, float32, at the network's answer's resolution."""
    height, width = size if isinstance(size, tuple) else (size, size)
    drawn = np.zeros((height, width), np.uint8)
    thickness = max(2, round(BAND * STORED * float(np.linalg.norm(matrix[:, 1]))))
    # Sixteenths of a pixel: OpenCV draws to a fixed point.
    for line in page.lines:
        points = line @ matrix[:, :2].T + matrix[:, 2]
        if points[:, 1].max() > -thickness and points[:, 1].min() < height + thickness:
            cv2.polylines(drawn, [np.round(points * 16).astype(np.int32)], False, 255, thickness, cv2.LINE_8, 4)
    small = cv2.resize(drawn, (width // STRIDE, height // STRIDE), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255


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
