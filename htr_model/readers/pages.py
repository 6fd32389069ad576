"""How the description of a page becomes samples of its lines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from htr_model.charset import canonical_text
from htr_model.data.samples import Item, Sample, Skipped
from htr_model.readers.described import DescribedPage
from htr_model.readers.files import file_bytes
from htr_model.readers.line_crops import line_crop
from htr_model.readers.page_rows import page_rows
from htr_model.readers.pictures import decode_gray


def read_pages(path: Path) -> Iterator[Item]:
    """Lines of the pages of a ``pages.jsonl`` (`htr_model.readers.page_rows`)."""
    for page in page_rows(path):
        if isinstance(page, Skipped):
            yield page
            continue
        try:
            gray = decode_gray(file_bytes(page.picture))
        except ValueError as error:
            yield Skipped(page.name, str(error))
        else:
            yield from page_lines(page, gray)


def page_lines(page: DescribedPage, gray: np.ndarray) -> Iterator[Item]:
    """Samples of a page's lines.

    Args:
        gray: uint8 (height, width), its picture.
    """
    line_height = page.line_height
    for index, line in enumerate(page.lines):
        identifier = f"{page.name}#{index}"
        text = canonical_text(line.running_text)
        try:
            if line.error or not text:
                raise ValueError(line.error or "no text")
            crop = line_crop(gray, line, line_height)
        except ValueError as error:
            yield Skipped(identifier, str(error))
        else:
            yield Sample(identifier, text, crop, page.collection, page.writer, page.picture.name, page.split)
