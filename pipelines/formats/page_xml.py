"""Pages as PAGE XML of 2019 (Pletschacher and Antonacopoulos 2010)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement

from htr_model.printable import printable
from pipelines.archive.transcripts import Block, Transcript
from pipelines.formats.shapes import baseline, outline
from pipelines.formats.xml import legal, to_bytes, written
from pipelines.page_text import line_text
from segmentation.geometry import Box, union


def to_page(page: Transcript) -> bytes:
    """Lines, words, boxes, confidence, tables, reading order."""
    root = Element("PcGts", xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15")
    metadata = SubElement(root, "Metadata", externalRef=legal(printable(page.source.ref.uri)))
    SubElement(metadata, "Creator").text = "inkbeam"
    for name in ("Created", "LastChange"):
        SubElement(metadata, name).text = created(page)
    SubElement(metadata, "Comments").text = f"page {page.source.ref.page_index + 1}, model {page.model_id}"
    size = {"imageWidth": str(page.width), "imageHeight": str(page.height)}
    sheet = SubElement(root, "Page", imageFilename=legal(page.picture), **size)
    _reading_order(sheet, len(page.blocks))
    regions, lines, tables = itertools.count(), itertools.count(), itertools.count()
    for part in page.parts:
        if isinstance(part, Block):
            _region(sheet, part, next(regions), lines)
            continue
        table = SubElement(sheet, "TableRegion", id=f"table{next(tables)}")
        _coords(table, union([block.box for block in part]))
        for block in part:
            _region(table, block, next(regions), lines)
    return to_bytes(root)


def created(page: Transcript) -> str:
    """The time that a page's file tells: of reading, not of writing, so that the same page gives the same file."""
    return f"{page.read_at:%Y-%m-%dT%H:%M:%SZ}"


def _region(parent: Element, block: Block, number: int, lines: Iterator[int]) -> None:
    """A region of PAGE XML with its lines, which take their numbers from ``lines``."""
    # Of writing in the margin, the angle by which it must be turned clockwise, −180 … 180.
    turn = block.turn - 360 if block.turn > 180 else block.turn
    margin = {"type": "marginalia", "orientation": str(turn)} if turn else {}
    region = SubElement(parent, "TextRegion", id=f"region{number}", **margin)
    _coords(region, block.box)
    if block.cell:
        place = {"rowIndex": str(block.cell.row), "columnIndex": str(block.cell.column)}
        SubElement(SubElement(region, "Roles"), "TableCellRole", **place)
    for words in block.lines:
        i = next(lines)
        line = SubElement(region, "TextLine", id=f"line{i}")
        SubElement(line, "Coords", points=written(outline(words)))
        points = baseline(words)
        if points:
            SubElement(line, "Baseline", points=written(points))
        for j, word in enumerate(words):
            element = SubElement(line, "Word", id=f"line{i}word{j}")
            _coords(element, word.box)
            _says(element, word.text, word.confidence)
        _says(line, line_text(words), min(word.confidence for word in words))


def _reading_order(sheet: Element, regions: int) -> None:
    """Says that regions are to be read as they are numbered: programs may sort them by their place otherwise."""
    if regions < 2:
        return
    group = SubElement(SubElement(sheet, "ReadingOrder"), "OrderedGroup", id="order")
    for i in range(regions):
        SubElement(group, "RegionRefIndexed", index=str(i), regionRef=f"region{i}")


def _coords(element: Element, box: Box) -> None:
    # Of PAGE's points the last pixel is part, of our boxes it is not.
    right, bottom = max(box.left, box.right - 1), max(box.top, box.bottom - 1)
    corners = ((box.left, box.top), (right, box.top), (right, bottom), (box.left, bottom))
    SubElement(element, "Coords", points=" ".join(f"{max(0, x)},{max(0, y)}" for x, y in corners))


def _says(element: Element, text: str, confidence: float) -> None:
    SubElement(SubElement(element, "TextEquiv", conf=f"{confidence:.4f}"), "Unicode").text = legal(text)
