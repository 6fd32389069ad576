"""Pages that were read, in the formats of other programs: plain text, ALTO XML, PAGE XML; tables as CSV.

One page a file. Words of a page are gathered from the tables file by file, so that an archive of any size fits.
"""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import pyarrow as pa
import pyarrow.compute as pc

from pipelines import tables
from pipelines.files import page_stem
from pipelines.runs import RunRecord
from segmentation.decoding import PageRef
from segmentation.geometry import Box, Cell, union

_WORD_COLUMNS = ["document_uri", "page_index", "line_index", "word_index", "text", "confidence"]
_SIDES = ["left", "top", "right", "bottom"]
_TURN, _REGION = "turn_degrees", "region_index"
_CELL = ["table_row", "table_column"]
_PAGE_COLUMNS = ["document_uri", "page_index", "run_id", "processed_at", "source_sha256", "document_pages"]
_SIZE = ["width", "height", "rotation_degrees", "word_count", "model_id"]


@dataclass(frozen=True)
class PageWord:
    """A word of a page.

    Attributes:
        confidence: 0–1.
        box: pixels of the page as it is displayed upright.
        turn: 0, 90 or 270 degrees clockwise by which the page must be turned to read it.
        region: number of its region, from 0 in reading order.
        cell: where it stands in a table; None outside of tables.
    """

    text: str
    confidence: float
    box: Box
    turn: int = 0
    region: int = 0
    cell: Cell | None = None


@dataclass(frozen=True)
class Block:
    """A region of a page.

    Attributes:
        turn: degrees clockwise by which its lines must be turned to be read: other than 0 in margins.
        cell: which it is of a table; None outside of tables.
        lines: words in reading order, line by line.
    """

    turn: int
    cell: Cell | None
    lines: tuple[tuple[PageWord, ...], ...]

    @property
    def box(self) -> Box:
        return union([word.box for line in self.lines for word in line])

    @property
    def text(self) -> str:
        """Its words, divided by spaces."""
        return " ".join(word.text for line in self.lines for word in line)


@dataclass(frozen=True)
class Source:
    """Where a page was read from.

    Attributes:
        sha256: hexadecimal checksum of the document.
        rotation: degrees clockwise by which the page was turned.
        run_id: of the run that read it.
    """

    ref: PageRef
    sha256: str
    rotation: int
    run_id: str


@dataclass(frozen=True)
class Transcript:
    """A page as its latest run read it.

    Attributes:
        name: for its file, without an ending: the document's name, and what keeps equal names apart.
        picture: name of the file that shows it, without its folder: the document's, or a picture of the page alone.
        read_at: when it was read.
        lines: words in reading order, line by line.
    """

    name: str
    picture: str
    source: Source
    width: int
    height: int
    model_id: str
    read_at: datetime
    lines: tuple[tuple[PageWord, ...], ...]

    @property
    def blocks(self) -> list[Block]:
        """Its regions in reading order."""
        regions = itertools.groupby(self.lines, lambda line: (line[0].region, line[0].turn, line[0].cell))
        return [Block(turn, cell, tuple(lines)) for (_, turn, cell), lines in regions]

    @property
    def parts(self) -> list[Block | list[Block]]:
        """Its regions in reading order, the cells of each table together."""
        parts: list[Block | list[Block]] = []
        before = None
        for block in self.blocks:
            place = block.cell and (block.cell.row, block.cell.column)
            if place is None:
                parts.append(block)
            elif before is None or place <= before:
                # Cells are read row by row: one that lies before the last begins a table, as the right page of a book.
                parts.append([block])
            else:
                parts[-1].append(block)
            before = place
        return parts


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
    for part in tables.parts(output, "words", run_ids, [*_WORD_COLUMNS, *_SIDES, _TURN, _REGION, *_CELL, "run_id"]):
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
        # Tables of earlier versions know upright words only, no regions, or no cells.
        cell = None if row[_CELL[0]] is None else Cell(*(row[c] for c in _CELL))
        found = PageWord(row["text"], row["confidence"], box, row[_TURN] or 0, row[_REGION] or 0, cell)
        lines.setdefault(row["line_index"], []).append(found)
    uri, index = page["document_uri"], page["page_index"]
    return Transcript(
        page_stem(uri, index, page["document_pages"] or 0),
        uri.rstrip("/").rsplit("/", 1)[-1],
        Source(PageRef(uri, index), page["source_sha256"], page["rotation_degrees"] or 0, page["run_id"]),
        page["width"],
        page["height"],
        page["model_id"],
        page["processed_at"],
        tuple(map(tuple, lines.values())),
    )


def to_text(page: Transcript) -> bytes:
    """The page's text in UTF-8: a line of writing a line, a row of a table a line with tabs between its cells, an empty
    line between regions.
    """
    parts = []
    for part in page.parts:
        if isinstance(part, Block):
            lines = [" ".join(word.text for word in line) for line in part.lines]
        else:
            lines = ["\t".join(row).rstrip("\t") for row in _rows(part)]
        parts.append("".join(f"{line}\n" for line in lines))
    return "\n".join(parts).encode()


def _rows(cells: list[Block]) -> list[list[str]]:
    """Texts of a table's cells, row by row; empty where there is none. Lines of a cell are joined by a space."""
    texts = {(block.cell.row, block.cell.column): block.text for block in cells}
    last_row, last_column = (max(place[k] for place in texts) for k in (0, 1))
    return [[texts.get((row, column), "") for column in range(last_column + 1)] for row in range(last_row + 1)]


def to_alto(page: Transcript) -> bytes:
    """The page as ALTO XML, version 4.2 (Library of Congress): lines and words with boxes and confidence."""
    root = Element("alto", xmlns="http://www.loc.gov/standards/alto/ns-v4#")
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    source = SubElement(description, "sourceImageInformation")
    SubElement(source, "fileName").text = _legal(page.picture)
    SubElement(source, "documentIdentifier").text = str(page.source.ref.page_index + 1)
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
            line = SubElement(element, "TextLine", ID=f"line{i}", **_alto_box(union([word.box for word in words])))
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
    """The page as PAGE XML of 2019 (Pletschacher and Antonacopoulos 2010): lines, words, boxes, confidence, tables."""
    root = Element("PcGts", xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15")
    metadata = SubElement(root, "Metadata")
    SubElement(metadata, "Creator").text = "inkbeam"
    # The time of reading, not of writing: the same page gives the same file.
    for name in ("Created", "LastChange"):
        SubElement(metadata, name).text = f"{page.read_at:%Y-%m-%dT%H:%M:%SZ}"
    SubElement(metadata, "Comments").text = f"page {page.source.ref.page_index + 1}, model {page.model_id}"
    size = {"imageWidth": str(page.width), "imageHeight": str(page.height)}
    sheet = SubElement(root, "Page", imageFilename=_legal(page.picture), **size)
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
    return _file(root)


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
        _coords(line, union([word.box for word in words]))
        for j, word in enumerate(words):
            element = SubElement(line, "Word", id=f"line{i}word{j}")
            _coords(element, word.box)
            _says(element, word.text, word.confidence)
        _says(line, " ".join(word.text for word in words), min(word.confidence for word in words))


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


def to_csv(page: Transcript) -> bytes | None:
    """The page's tables in UTF-8, rows and cells as they were read, an empty line between two; None without any."""
    tables = [part for part in page.parts if not isinstance(part, Block)]
    if not tables:
        return None
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for i, cells in enumerate(tables):
        if i:
            writer.writerow([])
        writer.writerows(_rows(cells))
    return text.getvalue().encode()


FORMATS: dict[str, tuple[str, Callable[[Transcript], bytes | None]]] = {
    "text": (".txt", to_text),
    "alto": (".alto.xml", to_alto),
    "page": (".page.xml", to_page),
    "csv": (".csv", to_csv),
}
"""Ending of the files, and what writes one, by name of the format; None for a page that the format has nothing of."""
