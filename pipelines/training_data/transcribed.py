"""Training lines from pages of which the text is known, but not where its lines stand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from htr_model.charset import canonical_text
from htr_model.data.line_matching import match_lines
from htr_model.data.samples import DatasetError, Item, Sample, Skipped
from htr_model.readers.files import collection_of, file_bytes
from htr_model.readers.text_files import text_lines, text_pairs
from htr_model.recognizer import Recognizer
from segmentation.decoding import DecodingError, DecodingSettings, PageRef, decode_page
from segmentation.page import ways_up
from segmentation.segmented import SegmentedPage

_MOST_LINES = 2_000
"""Of a page: a larger text is that of a book."""


def transcribed_lines(folder: Path, recognizer: Recognizer) -> Iterator[Item]:
    """The lines of page pictures with their text from files of the same name, cut as ``digitize`` cuts them. Lines of
    which it is not sure what they say are `Skipped`.

    Args:
        folder: holds pictures and .txt or .gt.txt files, a line of the page in each of their lines.
        recognizer: tells which line is which.

    Raises:
        DatasetError: no folder, or no picture in it has a text.
    """
    pairs = text_pairs(folder) if folder.is_dir() else []
    if not pairs:
        raise DatasetError(f"{folder}: no folder of page pictures with .txt files of the same name")
    for picture, path in pairs:
        try:
            known = _known_lines(path)
            page = decode_page(file_bytes(picture), PageRef(str(picture), 0), DecodingSettings())
        except (ValueError, DecodingError) as error:
            yield Skipped(picture.name, str(error))
            continue
        ways = (_matched(way.segmented, known, recognizer) for way in ways_up(page.gray))
        pictures, said_by = max(ways, key=lambda way: len(way[1]))
        for i, gray in enumerate(pictures):
            name = f"{picture.name}#{i}"
            if i not in said_by:
                yield Skipped(name, "not surely one of the page's transcribed lines")
                continue
            yield Sample(name, known[said_by[i]], gray, collection_of(folder), group=picture.name)


def _known_lines(path: Path) -> list[str]:
    """Lines of a page's transcription.

    Raises:
        ValueError: it cannot be read, or is too long for a page.
    """
    known = [text for text in map(canonical_text, text_lines(path)) if text]
    if len(known) > _MOST_LINES:
        raise ValueError(f"{path.name} holds {len(known):,} lines, more than a page can; give each page its own file")
    return known


def _matched(page: SegmentedPage, known: list[str], recognizer: Recognizer) -> tuple[list[np.ndarray], dict[int, int]]:
    """Pictures of a page's lines, and which of those known they are."""
    pictures = [page.line_picture(i) for i in range(len(page.layout.lines))]
    return pictures, match_lines(known, [reading.text for reading in recognizer.read_gray(pictures)])
