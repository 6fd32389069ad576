"""Pages whose lines are known: ``pages.jsonl``, and how its description of a page becomes samples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from htr_model.charset import canonical_text
from htr_model.readers.files import file_bytes, leads_out
from htr_model.readers.line_crops import line_crop
from htr_model.readers.tokens import running_text
from htr_model.samples import Item, Sample, Skipped, decode_gray


def read_pages(path: Path) -> Iterator[Item]:
    """Lines of page pictures, from a file with a JSON object a line (a page): image, split, writer, and lines with
    text, bbox [x, y, w, h] and where known polygon, baseline and words.
    """
    with open(path, encoding="utf-8") as file:
        for number, row in enumerate(file, start=1):
            try:
                page = json.loads(row)
                name = str(page["image"])
                if not isinstance(page["lines"], list):
                    raise TypeError("lines is no list")
            except (ValueError, KeyError, TypeError) as error:
                yield Skipped(f"{path.name}:{number}", f"not a page: {error!r}")
                continue
            if leads_out(name):
                yield Skipped(name, "name leads out of the data set's folder")
                continue
            try:
                gray = decode_gray(file_bytes(path.parent / name))
            except ValueError as error:
                yield Skipped(name, str(error))
                continue
            yield from page_lines(page, gray, path.parent.name)


def page_lines(page: dict, gray: np.ndarray, collection: str) -> Iterator[Item]:
    """Samples of a page's lines.

    Args:
        page: see `read_pages`; a line with an ``error`` is skipped with it.
        gray: uint8 (height, width), its picture.
    """
    heights = [line["bbox"][3] for line in page["lines"] if isinstance(line, dict) and line.get("bbox")]
    typical = float(np.median(heights)) if heights else 0.0
    for index, line in enumerate(page["lines"]):
        identifier = f"{page['image']}#{index}"
        try:
            text = canonical_text(running_text(line))
            reason = "no text" if not text else _unusable(line, typical)
            crop = None if reason else line_crop(gray, _outlined(line), typical)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, cv2.error) as error:
            yield Skipped(identifier, f"not a line: {error!r}")
            continue
        if reason:
            yield Skipped(identifier, reason)
        elif crop is None:
            yield Skipped(identifier, "the line lies outside the page")
        else:
            yield Sample(
                identifier,
                text,
                crop,
                collection=collection,
                writer=page.get("writer"),
                group=page["image"],
                split=page.get("split"),
            )


def _unusable(line: dict, typical_height: float) -> str | None:
    """Why a line cannot be cut out, where that is plain before it is tried."""
    if line.get("error"):
        return str(line["error"])
    if not any(line.get(key) for key in ("polygon", "bbox", "words")) and not (line.get("baseline") and typical_height):
        return "no coordinates of its outline"
    return None


def _outlined(line: dict) -> dict:
    """A line that has only its baseline with a polygon of no height, which `line_crop` replaces by a usual one."""
    return line if any(line.get(key) for key in ("polygon", "bbox", "words")) else {**line, "polygon": line["baseline"]}
