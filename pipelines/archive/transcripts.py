"""Pages as they were read last, each with its words, regions and tables.

Words of a page are gathered from the tables file by file, so that an archive of any size fits.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.archive import tables
from pipelines.archive.picture_names import picture_name
from pipelines.archive.rows import WORD_COLUMNS, word_of_row
from pipelines.archive.runs import RunRecord
from pipelines.errors import UsageError
from pipelines.files import page_stem
from pipelines.page_text import Word, line_text
from segmentation.decoding import PageRef
from segmentation.geometry import Box, Cell, union

_PAGE_COLUMNS = ["document_uri", "page_index", "run_id", "processed_at", "source_sha256", "document_pages"]
_SIZE = ["width", "height", "dpi", "rotation_degrees", "word_count", "mean_confidence", "model_id"]


@dataclass(frozen=True)
class Block:
    """A region of a page.

    Attributes:
        turn: degrees clockwise by which most of its lines must be turned to be read: other than 0 in margins.
        cell: which it is of a table; None outside of tables.
        lines: words in reading order, line by line.
    """

    turn: int
    cell: Cell | None
    lines: tuple[tuple[Word, ...], ...]

    @property
    def box(self) -> Box:
        return union([word.box for line in self.lines for word in line])

    @property
    def text(self) -> str:
        """Its words, divided by spaces."""
        return " ".join(map(line_text, self.lines))


@dataclass(frozen=True)
class Source:
    """Where a page was read from.

    Attributes:
        pages: of the document; 0 where the tables do not say.
        sha256: hexadecimal checksum of the document.
        rotation: degrees clockwise by which the page was turned.
        run_id: of the run that read it.
    """

    ref: PageRef
    pages: int
    sha256: str
    rotation: int
    run_id: str


@dataclass(frozen=True)
class Transcript:
    """A page as its latest run read it.

    Attributes:
        name: for its file, without an ending: the document's name, and what keeps equal names apart.
        dpi: resolution of the scan, pixels per inch; None where it does not say.
        picture: name of the file that shows it, without its folder: the document's, or a picture of the page alone.
        read_at: when it was read.
        lines: words in reading order, line by line.
        corrected: whether somebody has looked at it and saved it so.
    """

    name: str
    picture: str
    source: Source
    width: int
    height: int
    dpi: float | None
    model_id: str
    read_at: datetime
    lines: tuple[tuple[Word, ...], ...]
    corrected: bool = False

    @property
    def review_picture(self) -> str:
        """Name of the picture of the page alone that a review shows (`picture_names.picture_name`)."""
        return picture_name(self.name, self.source.sha256, self.source.rotation)

    @property
    def blocks(self) -> list[Block]:
        """Its regions in reading order."""
        blocks = []
        for (_, cell), members in itertools.groupby(self.lines, lambda line: (line[0].region, line[0].cell)):
            lines = tuple(members)
            ((turn, _),) = Counter(line[0].turn for line in lines).most_common(1)
            blocks.append(Block(turn, cell, lines))
        return blocks

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


def read_pages(output: str, records: Sequence[RunRecord]) -> pa.Table:
    """Rows of the pages table, one for each time that a page was read, without texts and lines; in no order.

    Raises:
        UsageError: a table is damaged, or lacks rows.
    """
    return tables.read_whole(output, "pages", records, [*_PAGE_COLUMNS, *_SIZE])


def transcripts(output: str, pages: pa.Table) -> Iterator[Transcript]:
    """Pages with their words: first those without any, the others in the order in which the tables hold their words.

    Args:
        pages: rows of `read_pages`, all or some.

    Raises:
        UsageError: a table is damaged, or lacks words of a page; then the other pages have been given.
    """
    run_ids = pages["run_id"].unique().to_pylist()
    documents = pages["document_uri"].unique()
    place = {key: i for i, key in enumerate(zip(*(pages[c].to_pylist() for c in _PAGE_COLUMNS[:3]), strict=True))}
    wanted = pages["word_count"].to_pylist()
    yield from (_transcript(_row(pages, i), []) for i, count in enumerate(wanted) if not count)
    gathered: dict[int, list[dict]] = {}
    whole = 0
    for part in tables.parts(output, "words", run_ids, WORD_COLUMNS):
        for row in part.filter(pc.is_in(part["document_uri"], documents)).to_pylist():
            i = place.get((row["document_uri"], row["page_index"], row["run_id"]))
            if i is None:
                continue  # of a page that was read again later
            gathered.setdefault(i, []).append(row)
            # Rows of a page may lie in two files; most lie together.
            if len(gathered[i]) == wanted[i]:
                yield _transcript(_row(pages, i), gathered.pop(i))
                whole += 1
    if whole < sum(map(bool, wanted)):
        lacking = f", as {_row(pages, next(iter(gathered)))['document_uri']}" if gathered else ""
        raise UsageError(f"{output}: the words table lacks words of some pages{lacking}; restore its files")


def _row(pages: pa.Table, i: int) -> dict:
    return pages.slice(i, 1).to_pylist()[0]


def _transcript(page: dict, words: list[dict]) -> Transcript:
    lines: dict[int, list[Word]] = {}
    for row in sorted(words, key=lambda row: (row["line_index"], row["word_index"])):
        lines.setdefault(row["line_index"], []).append(word_of_row(row))
    uri, index, count = page["document_uri"], page["page_index"], page["document_pages"] or 0
    return Transcript(
        page_stem(uri, index, count),
        uri.rstrip("/").rsplit("/", 1)[-1],
        Source(PageRef(uri, index), count, page["source_sha256"], page["rotation_degrees"] or 0, page["run_id"]),
        page["width"],
        page["height"],
        page["dpi"],
        page["model_id"],
        page["processed_at"],
        tuple(map(tuple, lines.values())),
    )
