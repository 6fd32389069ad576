"""Pages as ALTO XML, version 4.2 (Library of Congress)."""

from __future__ import annotations

import itertools
from xml.etree.ElementTree import Element, SubElement

from htr_model.printable import printable
from pipelines.archive.transcripts import Transcript
from pipelines.formats.shapes import baseline, outline
from pipelines.formats.xml import legal, to_bytes, written
from segmentation.geometry import Box, union


def to_alto(page: Transcript) -> bytes:
    """Lines and words with boxes and confidence."""
    root = Element("alto", xmlns="http://www.loc.gov/standards/alto/ns-v4#")
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    source = SubElement(description, "sourceImageInformation")
    SubElement(source, "fileName").text = legal(page.picture)
    SubElement(source, "fileIdentifier").text = legal(printable(page.source.ref.uri))
    processing = SubElement(description, "Processing", ID="inkbeam")
    SubElement(processing, "processingStepSettings").text = f"model {page.model_id}"
    software = SubElement(processing, "processingSoftware")
    SubElement(software, "softwareName").text = "inkbeam"
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    number = {"PHYSICAL_IMG_NR": str(page.source.ref.page_index + 1)}
    sheet = SubElement(SubElement(root, "Layout"), "Page", ID="page", **number, **size)
    space = SubElement(sheet, "PrintSpace", HPOS="0", VPOS="0", **size)
    numbers = itertools.count()
    for b, block in enumerate(page.blocks):
        # ALTO's rotation is how far a block's content is turned counter-clockwise.
        rotation = {"ROTATION": str(block.turn)} if block.turn else {}
        element = SubElement(space, "TextBlock", ID=f"block{b}", **_alto_box(block.box), **rotation)
        for words in block.lines:
            i = next(numbers)
            points = baseline(words)
            standing = {"BASELINE": written(points)} if points else {}
            box = _alto_box(union([word.box for word in words]))
            line = SubElement(element, "TextLine", ID=f"line{i}", **box, **standing)
            SubElement(SubElement(line, "Shape"), "Polygon", POINTS=written(outline(words)))
            for j, word in enumerate(words):
                if j:
                    SubElement(line, "SP")
                attributes = {"CONTENT": legal(word.text), "WC": f"{word.confidence:.4f}", **_alto_box(word.box)}
                SubElement(line, "String", ID=f"line{i}word{j}", **attributes)
    return to_bytes(root)


def _alto_box(box: Box) -> dict[str, str]:
    sides = (box.left, box.top, box.right - box.left, box.bottom - box.top)
    return dict(zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), map(str, sides), strict=True))
