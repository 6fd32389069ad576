"""PAGE XML (Pletschacher and Antonacopoulos 2010), as Transkribus, eScriptorium and kraken write it."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element

import numpy as np

from htr_model.readers.described import DescribedLine
from htr_model.readers.transcription import Transcription, base_name, line_inside, number, points

ROOT = "PcGts"


def parse_page(root: Element) -> Transcription:
    """The page of a file with the root element ``PcGts``; lines in the reading order of their regions where the file
    tells one, else in the order of the file.

    Raises:
        ValueError: it has no page, or its size is no number.
    """
    page = root.find("Page")
    if page is None:
        raise ValueError("it describes no page")
    width, height = (number(page.get(key, "0")) for key in ("imageWidth", "imageHeight"))
    size = (width, height) if width > 0 and height > 0 else None
    lines = tuple(map(_line, _in_order(page)))
    return Transcription(base_name(page.get("imageFilename", "")), size, True, lines)


def _in_order(page: Element) -> list[Element]:
    """The lines of a page; those of regions that the reading order does not name come last."""
    place = {name: i for i, name in enumerate(_reading_order(page))}
    regions = sorted(page.iter("TextRegion"), key=lambda region: place.get(region.get("id"), len(place)))
    inside = [line for region in regions for line in region.findall("TextLine")]
    held = set(map(id, inside))
    return inside + [line for line in page.iter("TextLine") if id(line) not in held]


def _reading_order(page: Element) -> list[str]:
    """Names of regions in the order in which the file says that they are to be read; groups may hold groups."""
    names, left = [], page.findall("ReadingOrder")
    while left:
        element = left.pop()
        names += filter(None, [element.get("regionRef")])
        left += sorted(element, key=lambda child: _float(child.get("index")))[::-1]
    return names


def _line(element: Element) -> DescribedLine:
    text = _text(element)
    try:
        return line_inside(text, _points(element.find("Coords")), _points(element.find("Baseline")))
    except ValueError as error:
        return DescribedLine(text, error=str(error))


def _points(element: Element | None) -> np.ndarray:
    """Points of an attribute (since 2013) or of elements (before); none without the element."""
    if element is None:
        return points(None)
    if element.get("points") is not None:
        return points(element.get("points"))
    corners = [[number(point.get("x", "")), number(point.get("y", ""))] for point in element.findall("Point")]
    return np.array(corners).reshape(-1, 2)


def _text(line: Element) -> str:
    """The text of the line itself, else that of its words."""
    text = _chosen(line)
    return text or " ".join(filter(None, (_chosen(word) for word in line.findall("Word"))))


def _chosen(element: Element) -> str:
    """Of several readings the one with the lowest index, which the format calls the main one; then the surest."""

    def rank(reading: Element) -> tuple[float, float]:
        return _float(reading.get("index")), -_float(reading.get("conf"))

    readings = sorted(element.findall("TextEquiv"), key=rank)
    for reading in readings[:1]:
        for name in ("Unicode", "PlainText"):
            text = reading.findtext(name)
            if text and text.strip():
                return text.strip()
    return ""


def _float(written: str | None) -> float:
    """A number of the format; 0 for none."""
    try:
        value = float(written or 0)
    except ValueError:
        return 0.0
    return value if math.isfinite(value) else 0.0
