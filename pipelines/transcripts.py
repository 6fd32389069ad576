"""Pages that were read, in the formats of other programs: plain text, ALTO XML, PAGE XML.

One page a file. Words of a page are gathered from the tables file by file, so that an archive of any size fits.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import tables
from pipelines.files import page_stem
from pipelines.runs import RunRecord
from segmentation.geometry import Box, union

_WORD_COLUMNS = ["document_uri", "page_index", "line_index", "word_index", "text", "confidence"]
_SIDES = ["left", "top", "right", "bottom"]
_TURN, _REGION = "turn_degrees", "region_index"
_PAGE_COLUMNS = ["document_uri", "page_index", "run_id", "processed_at", "source_sha256", "document_pages"]
_SIZE = ["width", "height", "word_count", "model_id"]


@dataclass(frozen=True)
class PageWord:
    """A word of a page.

    Attributes:
        confidence: 0–1.
        box: pixels of the page as it is displayed upright.
        turn: 0, 90 or 270 degrees clockwise by which the page must be turned to read it.
        region: number of its region, from 0 in reading order.
    """

    text: str
    confidence: float
    box: Box
    turn: int = 0
    region: int = 0


@dataclass(frozen=True)
class Transcript:
    """A page as its latest run read it.

    Attributes:
        name: for its file, without an ending: the document's name, and what keeps equal names apart.
        document: name of the document's file, without its folder.
        page_index: of the page in it, from 0.
        lines: words in reading order, line by line.
    """

    name: str
    document: str
    page_index: int
    width: int
    height: int
    model_id: str
    run_id: str
    lines: tuple[tuple[PageWord, ...], ...]

    @property
    def text(self) -> str:
        """Its lines, each ended by a line break."""
        return "".join(" ".join(word.text for word in line) + "\n" for line in self.lines)

    @property
    def blocks(self) -> list[tuple[int, list[tuple[PageWord, ...]]]]:
        """Its lines by region, each with the degrees by which its lines must be turned: other than 0 in margins."""
        regions = itertools.groupby(self.lines, lambda line: (line[0].region, line[0].turn))
        return [(turn, list(lines)) for (_, turn), lines in regions]


def transcripts(output: str, records: Sequence[RunRecord]) -> Iterator[Transcript]:
    """Every page of an archive once, as its latest run read it.

    Raises:
        UsageError: a table is damaged.
    """
    run_ids = [record.run_id for record in records]
    pages = tables.latest(tables.read(output, "pages", run_ids, [*_PAGE_COLUMNS, *_SIZE]), "processed_at")
    place = {key: i for i, key in enumerate(zip(*(pages[c].to_pylist() for c in _PAGE_COLUMNS[:3]), strict=True))}
    wanted = pages["word_count"].to_pylist()
    gathered: dict[int, list[dict]] = {}
    for part in tables.parts(output, "words", run_ids, [*_WORD_COLUMNS, *_SIDES, _TURN, _REGION, "run_id"]):
        for row in part.to_pylist():
            i = place.get((row["document_uri"], row["page_index"], row["run_id"]))
            if i is None:
                continue  # of a page that was read again later
            gathered.setdefault(i, []).append(row)
            # Rows of a page may lie in two files; most lie together.
            if len(gathered[i]) == wanted[i]:
                yield _transcript(_row(pages, i), gathered.pop(i))
    for i in [*gathered, *pc.indices_nonzero(pc.equal(pages["word_count"], 0)).to_pylist()]:
        yield _transcript(_row(pages, i), gathered.get(i, []))


def _row(pages: pa.Table, i: int) -> dict:
    return pages.slice(i, 1).to_pylist()[0]


def _transcript(page: dict, words: list[dict]) -> Transcript:
    lines: dict[int, list[PageWord]] = {}
    for row in sorted(words, key=lambda row: (row["line_index"], row["word_index"])):
        box = Box(*(row[side] for side in _SIDES))
        # Tables of earlier versions know upright words only, or no regions.
        found = PageWord(row["text"], row["confidence"], box, row[_TURN] or 0, row[_REGION] or 0)
        lines.setdefault(row["line_index"], []).append(found)
    uri, index = page["document_uri"], page["page_index"]
    return Transcript(
        page_stem(uri, index, page["document_pages"] or 0, page["source_sha256"]),
        uri.rstrip("/").rsplit("/", 1)[-1],
        index,
        page["width"],
        page["height"],
        page["model_id"],
        page["run_id"],
        tuple(map(tuple, lines.values())),
    )


def to_text(page: Transcript) -> bytes:
    """The page's text in UTF-8, a line of writing a line."""
    return page.text.encode()


def to_alto(page: Transcript) -> bytes:
    """The page as ALTO XML, version 4.2 (Library of Congress): lines and words with boxes and confidence."""
    root = Element("alto", xmlns="http://www.loc.gov/standards/alto/ns-v4#")
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    source = SubElement(description, "sourceImageInformation")
    SubElement(source, "fileName").text = _legal(page.document)
    SubElement(source, "documentIdentifier").text = str(page.page_index + 1)
    processing = SubElement(description, "Processing", ID="inkbeam")
    SubElement(processing, "processingStepSettings").text = f"model {page.model_id}"
    software = SubElement(processing, "processingSoftware")
    SubElement(software, "softwareName").text = "inkbeam"
    size = {"WIDTH": str(page.width), "HEIGHT": str(page.height)}
    sheet = SubElement(SubElement(root, "Layout"), "Page", ID="page", PHYSICAL_IMG_NR=str(page.page_index + 1), **size)
    space = SubElement(sheet, "PrintSpace", HPOS="0", VPOS="0", **size)
    numbers = itertools.count()
    for b, (turn, lines) in enumerate(page.blocks):
        # ALTO's rotation is how far a block's content is turned counter-clockwise.
        rotation = {"ROTATION": str(turn)} if turn else {}
        every = union([word.box for line in lines for word in line])
        block = SubElement(space, "TextBlock", ID=f"block{b}", **_alto_box(every), **rotation)
        for words in lines:
            i = next(numbers)
            line = SubElement(block, "TextLine", ID=f"line{i}", **_alto_box(union([word.box for word in words])))
            for j, word in enumerate(words):
                if j:
                    SubElement(line, "SP")
                attributes = {"CONTENT": _legal(word.text), "WC": f"{word.confidence:.4f}", **_alto_box(word.box)}
                SubElement(line, "String", ID=f"line{i}word{j}", **attributes)
    return _file(root)


def _alto_box(box: Box) -> dict[str, str]:
    sides = (box.left, box.top, box.right - box.left, box.bottom - box.top)
    return dict(zip(("HPOS", "VPOS", "WIDTH", "HEIGHT"), map(str, sides), strict=True))


def to_page(page: Transcript) -> bytes:
    """The page as PAGE XML of 2019 (Pletschacher and Antonacopoulos 2010): lines, words, boxes, confidence."""
    root = Element("PcGts", xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15")
    metadata = SubElement(root, "Metadata")
    SubElement(metadata, "Creator").text = "inkbeam"
    # The time of reading, which the run's name begins with: the same page gives the same file.
    stamp = re.match(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", page.run_id)
    time = "{}-{}-{}T{}:{}:{}Z".format(*stamp.groups()) if stamp else "1970-01-01T00:00:00Z"
    for name in ("Created", "LastChange"):
        SubElement(metadata, name).text = time
    SubElement(metadata, "Comments").text = f"page {page.page_index + 1}, model {page.model_id}"
    size = {"imageWidth": str(page.width), "imageHeight": str(page.height)}
    sheet = SubElement(root, "Page", imageFilename=_legal(page.document), **size)
    _reading_order(sheet, len(page.blocks))
    numbers = itertools.count()
    for b, (turn, lines) in enumerate(page.blocks):
        # Of writing in the margin, the angle by which it must be turned clockwise, −180 … 180.
        margin = {"type": "marginalia", "orientation": str(turn - 360 if turn > 180 else turn)} if turn else {}
        region = SubElement(sheet, "TextRegion", id=f"region{b}", **margin)
        _coords(region, union([word.box for line in lines for word in line]))
        for words in lines:
            i = next(numbers)
            line = SubElement(region, "TextLine", id=f"line{i}")
            _coords(line, union([word.box for word in words]))
            for j, word in enumerate(words):
                element = SubElement(line, "Word", id=f"line{i}word{j}")
                _coords(element, word.box)
                _says(element, word.text, word.confidence)
            _says(line, " ".join(word.text for word in words), min(word.confidence for word in words))
    return _file(root)


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
    SubElement(SubElement(element, "TextEquiv", conf=f"{confidence:.4f}"), "Unicode").text = _legal(text)


def _legal(text: str) -> str:
    """The text without characters that XML cannot hold, which names of files may have."""
    return re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _file(root: Element) -> bytes:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True) + b"\n"


FORMATS: dict[str, tuple[str, Callable[[Transcript], bytes]]] = {
    "text": (".txt", to_text),
    "alto": (".alto.xml", to_alto),
    "page": (".page.xml", to_page),
}
"""Ending of the files, and what writes one, by name of the format."""
