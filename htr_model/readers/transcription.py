"""A page as an XML file describes it, whatever the format."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from htr_model.readers.described import DescribedLine

_FARTHEST = 1_000_000
"""From a page's corner, beyond which no coordinate is believed."""
_DISTORTION = 0.02
"""Difference of the picture's proportions from those that the file tells, above which it is another picture."""
_NUMBER = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Transcription:
    """Lines of a page with their text.

    Attributes:
        picture: name of its picture, without any folder.
        size: width and height of the page in the unit of the coordinates; None where the file does not tell.
        in_pixels: whether that unit is the picture's pixel.
        lines: in that unit.
    """

    picture: str
    size: tuple[float, float] | None
    in_pixels: bool
    lines: tuple[DescribedLine, ...]


def base_name(written: str) -> str:
    """The last part of a path of any system; empty where there is none."""
    name = re.split(r"[/\\]", written.strip())[-1]
    return "" if name in (".", "..") or "\0" in name else name


def points(written: str | None) -> np.ndarray:
    """Points, float (n, 2), from ``x,y x,y`` (PAGE, ALTO) or ``x y x y`` (ALTO).

    Raises:
        ValueError: there is something else, an odd number of them, or a point far outside of any page.
    """
    numbers = [number(part) for part in re.split(r"[\s,]+", written.strip())] if written and written.strip() else []
    if len(numbers) % 2:
        raise ValueError(f"coordinates are not pairs: {written!r:.60}")
    return np.array(numbers).reshape(-1, 2)


def number(written: str) -> float:
    """A coordinate.

    Raises:
        ValueError: it is no number, or one far outside of any page.
    """
    if not _NUMBER.fullmatch(written) or not math.fabs(value := float(written)) <= _FARTHEST:
        raise ValueError(f"not a coordinate: {written!r:.60}")
    return value


def line_inside(text: str, polygon: np.ndarray, baseline: np.ndarray) -> DescribedLine:
    """A line with the box around its polygon; one of fewer than three points is none."""
    if len(polygon) < 3:
        return DescribedLine(text, baseline=baseline)
    box = np.concatenate([polygon.min(axis=0), np.ptp(polygon, axis=0)])
    return DescribedLine(text, polygon, baseline, box)


def in_pixels_of(transcription: Transcription, width: int, height: int) -> tuple[DescribedLine, ...]:
    """The lines in pixels of a picture ``width`` × ``height`` large, also one that was reduced since.

    Raises:
        ValueError: the picture has other proportions than the page of the file.
    """
    if transcription.size is None:
        if not transcription.in_pixels:
            raise ValueError("coordinates are not in pixels, and the file does not tell the page's size")
        return transcription.lines
    across, down = width / transcription.size[0], height / transcription.size[1]
    if abs(across / down - 1) > _DISTORTION:
        page = " × ".join(f"{side:g}" for side in transcription.size)
        raise ValueError(f"the picture is {width} × {height} pixels, but the file describes a page of {page}")
    if across == down == 1:
        return transcription.lines
    return tuple(_scaled(line, np.array([across, down])) for line in transcription.lines)


def _scaled(line: DescribedLine, factors: np.ndarray) -> DescribedLine:
    box = None if line.box is None else line.box * np.tile(factors, 2)
    return replace(line, polygon=line.polygon * factors, baseline=line.baseline * factors, box=box)
