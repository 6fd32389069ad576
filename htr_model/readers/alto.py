"""ALTO XML, versions 2 to 4 (Library of Congress), as kraken, eScriptorium and Transkribus write it."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import numpy as np

from htr_model.readers.described import DescribedLine
from htr_model.readers.transcription import Transcription, base_name, line_inside, number, points

ROOT = "alto"

_HYPHENS = str.maketrans({"\u00ad": "-", "¬": "-"})
"""Marks of a divided word that stand for the hyphen on the paper."""


def parse_alto(root: Element) -> Transcription:
    """The page of a file with the root element ``alto``; lines in the order of the file.

    Raises:
        ValueError: it has no page or several, or the page's size is no number.
    """
    pages = root.findall("Layout/Page")
    if len(pages) != 1:
        raise ValueError(f"it describes {len(pages)} pages; one is expected, with one picture")
    width, height = (number(pages[0].get(key, "0")) for key in ("WIDTH", "HEIGHT"))
    size = (width, height) if width > 0 and height > 0 else None
    unit = (root.findtext("Description/MeasurementUnit") or "pixel").strip()
    name = root.findtext("Description/sourceImageInformation/fileName") or ""
    lines = tuple(map(_line, pages[0].iter("TextLine")))
    return Transcription(base_name(name), size, unit == "pixel", lines)


def _line(element: Element) -> DescribedLine:
    text = _text(element)
    try:
        outline = element.find("Shape/Polygon")
        polygon = points(None if outline is None else outline.get("POINTS"))
        sides = [element.get(key) for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
        box = None if None in sides else np.array([number(side) for side in sides])
        baseline = _baseline(element.get("BASELINE"), box)
    except ValueError as error:
        return DescribedLine(text, error=str(error))
    if box is not None and not len(polygon):
        return DescribedLine(text, baseline=baseline, box=box)
    return line_inside(text, polygon, baseline)


def _baseline(written: str | None, box: np.ndarray | None) -> np.ndarray:
    """Points of the baseline (version 4), or the level line at the one height that earlier versions give."""
    parts = (written or "").replace(",", " ").split()
    if len(parts) != 1:
        return points(written)
    height = number(parts[0])
    return points(None) if box is None else np.array([[box[0], height], [box[0] + box[2], height]])


def _text(line: Element) -> str:
    """The line's strings as they stand on the page: with the spaces and hyphens between them."""
    spaced = line.find("SP") is not None
    text = ""
    for element in line:
        if element.tag == "String":
            text += ("" if spaced or not text else " ") + element.get("CONTENT", "")
        elif element.tag == "SP":
            text += " "
        elif element.tag == "HYP":
            text += element.get("CONTENT", "-").translate(_HYPHENS) or "-"
    return text
