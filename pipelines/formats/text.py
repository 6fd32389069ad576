"""Pages as plain text, their tables as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from htr_model.confidence import geometric_mean
from pipelines.archive.transcripts import Block, Transcript
from pipelines.page_text import Word, is_scrap, line_text


def to_text(page: Transcript) -> bytes:
    """The page's text in UTF-8: a line of writing a line, a row of a table a line with tabs between its cells, an empty
    line between regions. Scraps are left out, as of the pages table's text, unless the page was corrected.
    """
    parts = []
    for part in page.parts:
        if isinstance(part, Block):
            lines = [line_text(line) for line in part.lines if page.corrected or not _is_scrap(line)]
            if not lines:
                continue
        else:
            lines = ["\t".join(row).rstrip("\t") for row in _rows(part)]
        parts.append("".join(f"{line}\n" for line in lines))
    return "\n".join(parts).encode()


def _is_scrap(line: Sequence[Word]) -> bool:
    return is_scrap(line_text(line), geometric_mean([word.confidence for word in line]))


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


def _rows(cells: list[Block]) -> list[list[str]]:
    """Texts of a table's cells, row by row; empty where there is none. Lines of a cell are joined by a space."""
    texts = {(block.cell.row, block.cell.column): block.text for block in cells}
    last_row, last_column = (max(place[k] for place in texts) for k in (0, 1))
    return [[texts.get((row, column), "") for column in range(last_column + 1)] for row in range(last_row + 1)]
