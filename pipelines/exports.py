"""The files of an export, page by page or document by document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa

from pipelines.archive.page_pictures import ENDING as PICTURE_ENDING
from pipelines.archive.page_pictures import LostPicture, Pictures, jpeg
from pipelines.archive.transcripts import Transcript
from pipelines.files import page_stem, printable
from pipelines.formats import FORMATS
from pipelines.formats.pdf import ENDING as PDF_ENDING
from pipelines.formats.pdf import to_pdf

Files = dict[str, bytes]
"""Content of files by name."""
Lost = Callable[[LostPicture], None]
"""Is told of each page that cannot be shown."""


def page_files(pages: Iterable[Transcript], form: str, pictures: Pictures | None, lost: Lost) -> Iterator[Files]:
    """The files of one page after another; pages that the format has nothing of are passed over.

    A page whose scan is no picture on which its boxes fit (`without_picture`) names the one that ``pictures`` gives.

    Args:
        form: key of `FORMATS`.
        pictures: to be written beside the pages, and named in them; None for none.
    """
    ending, write = FORMATS[form]
    for page in pages:
        files = {}
        picture = None if pictures is None else _picture(pictures, page, lost)
        if picture is not None or _has_no_picture(page.source.ref.uri, page.source.pages, page.source.rotation):
            page = replace(page, picture=f"{page.name}{PICTURE_ENDING}")
        if picture is not None:
            files[page.picture] = jpeg(picture)
        content = write(page)
        if content is not None:
            yield {**files, f"{page.name}{ending}": content}


def without_picture(pages: pa.Table) -> int:
    """How many pages have a scan that is no picture on which their boxes fit: a PDF, a file of several pages, of which
    other programs show the first, or a page that was turned to be read.

    Args:
        pages: rows of `transcripts.latest_pages`.
    """
    columns = (pages[name].to_pylist() for name in ("document_uri", "document_pages", "rotation_degrees"))
    return sum(_has_no_picture(uri, count or 0, turn or 0) for uri, count, turn in zip(*columns, strict=True))


def _has_no_picture(uri: str, pages: int, rotation: int) -> bool:
    return rotation != 0 or pages > 1 or uri.lower().endswith(".pdf")


def document_files(documents: Iterable[list[Transcript]], pictures: Pictures, lost: Lost) -> Iterator[Files]:
    """The PDF of one document after another, without the pages that cannot be shown."""
    for document in documents:
        uri = document[0].source.ref.uri
        shown: list[str] = []
        content = to_pdf(document[0].picture, printable(uri), _with_pictures(document, pictures, lost, shown))
        if shown:
            yield {f"{page_stem(uri, 0, 1)}{PDF_ENDING}": content}


def _with_pictures(
    document: list[Transcript], pictures: Pictures, lost: Lost, shown: list[str]
) -> Iterator[tuple[Transcript, np.ndarray]]:
    """The pages that can be shown, one at a time: pictures are large. ``shown`` gets their names."""
    for page in document:
        picture = _picture(pictures, page, lost)
        if picture is not None:
            shown.append(page.name)
            yield page, picture


def _picture(pictures: Pictures, page: Transcript, lost: Lost) -> np.ndarray | None:
    try:
        return pictures.picture(page.source)
    except LostPicture as error:
        lost(error)
        return None
