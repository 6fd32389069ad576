"""A page as an XML file describes it, whatever the format."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

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
        lines: as in ``pages.jsonl``: text, and where known polygon, baseline, bbox [x, y, w, h].
    """

    picture: str
    size: tuple[float, float] | None
    in_pixels: bool
    lines: list[dict]


def base_name(written: str) -> str:
    """The last part of a path of any system; empty where there is none."""
    name = re.split(r"[/\\]", written.strip())[-1]
    return "" if name in (".", "..") or "\0" in name else name


def points(written: str | None) -> list[list[float]]:
    """Pairs of coordinates from ``x,y x,y`` (PAGE, ALTO) or ``x y x y`` (ALTO).

    Raises:
        ValueError: there is something else, an odd number of them, or a point far outside of any page.
    """
    numbers = [number(part) for part in re.split(r"[\s,]+", written.strip())] if written and written.strip() else []
    if len(numbers) % 2:
        raise ValueError(f"coordinates are not pairs: {written!r:.60}")
    return [list(pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]


def number(written: str) -> float:
    """A coordinate.

    Raises:
        ValueError: it is no number, or one far outside of any page.
    """
    if not _NUMBER.fullmatch(written) or not math.fabs(value := float(written)) <= _FARTHEST:
        raise ValueError(f"not a coordinate: {written!r:.60}")
    return value


def with_box(line: dict) -> dict:
    """The line with the box around its polygon; one of fewer than three points is none."""
    if len(line.get("polygon", ())) < 3:
        return {**line, "polygon": []}
    corners = np.array(line["polygon"])
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    return {**line, "bbox": [left, top, right - left, bottom - top]}


def in_pixels_of(transcription: Transcription, width: int, height: int) -> list[dict]:
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
    return [_scaled(line, np.array([across, down])) for line in transcription.lines]


def _scaled(line: dict, factors: np.ndarray) -> dict:
    changed = dict(line)
    for key in ("polygon", "baseline"):
        if line.get(key):
            changed[key] = (np.array(line[key]) * factors).tolist()
    if line.get("bbox"):
        changed["bbox"] = (np.array(line["bbox"]) * np.tile(factors, 2)).tolist()
    return changed
