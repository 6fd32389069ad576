"""The files of an export, page by page or document by document."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from htr_model.printable import printable
from pipelines.archive.page_pictures import LostPicture, Pictures, jpeg, remove_picture
from pipelines.archive.picture_names import ENDING as PICTURE_ENDING
from pipelines.archive.reading import Archive
from pipelines.archive.transcripts import Transcript
from pipelines.corrections import Corrections
from pipelines.files import page_stem
from pipelines.formats import FORMATS
from pipelines.formats.pdf import ENDING as PDF_ENDING
from pipelines.formats.pdf import to_pdf

Lost = Callable[[LostPicture], None]
"""Is told of each page that cannot be shown."""


@dataclass(frozen=True)
class Exported:
    """A page, or a document, for other programs.

    Attributes:
        files: content by name.
        corrected: how many of its pages are as they were corrected.
    """

    files: dict[str, bytes]
    corrected: int


def exported(
    archive: Archive, form: str, corrections: Corrections | None, pictures: Pictures | None, lost: Lost
) -> Iterator[Exported]:
    """An archive's pages one after another, as PDF its documents.

    Args:
        form: key of `FORMATS`, else PDF.
        corrections: pages that were saved there are as they were corrected.
        pictures: as `page_files` takes them; PDF needs them.
    """
    take = corrections.applied if corrections else lambda page: page
    if form in FORMATS:
        return page_files(map(take, archive.transcripts()), form, pictures, lost)
    return document_files((list(map(take, document)) for document in archive.documents()), pictures, lost)


def page_files(pages: Iterable[Transcript], form: str, pictures: Pictures | None, lost: Lost) -> Iterator[Exported]:
    """The files of one page after another; pages that the format has nothing of are passed over.

    A page whose scan is no picture on which its boxes fit (`without_picture`) names the one that ``pictures`` gives.

    Args:
        form: key of `FORMATS`.
        pictures: to be written beside the pages, and named in them; None for none.
    """
    ending, write = FORMATS[form]
    for page in pages:
        own = f"{page.name}{PICTURE_ENDING}"
        if _has_no_picture(page.source.ref.uri, page.source.pages, page.source.rotation):
            page = replace(page, picture=own)
        content = write(page)
        if content is None:
            continue
        files = {}
        picture = None if pictures is None else _picture(pictures, page, lost)
        if picture is not None:
            files[own] = jpeg(picture)
            if page.picture != own:
                content = write(replace(page, picture=own))
        yield Exported({**files, f"{page.name}{ending}": content}, int(page.corrected))


def remove_former(folder: Path, archive: Archive, form: str, corrections: Corrections | None) -> None:
    """Remove files that earlier exports wrote of pages that their documents no longer have, and their pictures.

    What has been changed since is left: a file must say what it would say if it was written now.

    Args:
        form: key of `FORMATS`.
        corrections: as of `exported`.
    """
    ending, write = FORMATS[form]
    for page in archive.former().where(lambda name: (folder / f"{name}{ending}").is_file()).transcripts():
        path = folder / f"{page.name}{ending}"
        page = corrections.applied(page) if corrections else page
        shown = replace(page, picture=f"{page.name}{PICTURE_ENDING}")
        if path.is_file() and path.read_bytes() in (write(page), write(shown)):
            path.unlink()
            remove_picture(folder, page.name)


def without_picture(pages: pa.Table) -> int:
    """How many pages have a scan that is no picture on which their boxes fit: a PDF, a file of several pages, of which
    other programs show the first, or a page that was turned to be read.

    Args:
        pages: rows of `transcripts.read_pages`.
    """
    columns = (pages[name].to_pylist() for name in ("document_uri", "document_pages", "rotation_degrees"))
    return sum(_has_no_picture(uri, count or 0, turn or 0) for uri, count, turn in zip(*columns, strict=True))


def _has_no_picture(uri: str, pages: int, rotation: int) -> bool:
    return rotation != 0 or pages > 1 or uri.lower().endswith(".pdf")


def document_files(documents: Iterable[list[Transcript]], pictures: Pictures, lost: Lost) -> Iterator[Exported]:
    """The PDF of one document after another, without the pages that cannot be shown."""
    for document in documents:
        uri = document[0].source.ref.uri
        shown: list[Transcript] = []
        content = to_pdf(document[0].picture, printable(uri), _with_pictures(document, pictures, lost, shown))
        if shown:
            yield Exported({f"{page_stem(uri, 0, 1)}{PDF_ENDING}": content}, sum(page.corrected for page in shown))


def _with_pictures(
    document: list[Transcript], pictures: Pictures, lost: Lost, shown: list[Transcript]
) -> Iterator[tuple[Transcript, np.ndarray]]:
    """The pages that can be shown, one at a time: pictures are large. ``shown`` gets them."""
    for page in document:
        picture = _picture(pictures, page, lost)
        if picture is not None:
            shown.append(page)
            yield page, picture


def _picture(pictures: Pictures, page: Transcript, lost: Lost) -> np.ndarray | None:
    try:
        return pictures.picture(page.source)
    except LostPicture as error:
        lost(error)
        return None
