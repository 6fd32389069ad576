"""PAGE and ALTO files beside the pictures of their pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from htr_model.data.samples import DatasetError, Item, Skipped
from htr_model.readers import alto, page_xml
from htr_model.readers.described import DescribedPage
from htr_model.readers.files import collection_of, file_bytes, picture_in
from htr_model.readers.pages import page_lines
from htr_model.readers.pictures import decode_gray, has_more_pages
from htr_model.readers.safe_xml import XmlError, parse_xml
from htr_model.readers.transcription import Transcription, in_pixels_of

_PARSERS = {page_xml.ROOT: page_xml.parse_page, alto.ROOT: alto.parse_alto}
_COMPANIONS = ("mets", "trpDocMetadata")
"""Root elements of the tables of contents that exports hold beside their pages."""
_EXPORTED = ("page", "alto")
"""Folders in which Transkribus puts the files of pages, below that of their pictures."""


def xml_files(folder: Path) -> list[Path]:
    """XML files of a folder, else those of its folders ``page`` or ``alto``; empty where there are none."""
    for place in (folder, *(folder / name for name in _EXPORTED)):
        found = sorted(p for p in place.glob("*.xml") if p.is_file())
        if any(_root(path) in (*_PARSERS, None) for path in found):
            return found
    return []


def _root(path: Path) -> str | None:
    """Name of a file's root element; None where it is no XML that can be read."""
    try:
        return parse_xml(path).tag
    except (XmlError, OSError):
        return None


def read_xml(path: Path) -> Iterator[Item]:
    """Lines of the page that a PAGE or ALTO file describes.

    Raises:
        DatasetError: it is neither, or cannot be read.
    """
    try:
        transcription = _transcription(parse_xml(path))
    except (ValueError, OSError) as error:
        raise DatasetError(f"{path}: {error}") from error
    return _samples(_described(path, transcription))


def read_xml_folder(paths: list[Path]) -> Iterator[Item]:
    """Lines of the pages of a folder's files; files that cannot be used are `Skipped`."""
    for page in pages_with_pictures(paths):
        yield from _samples(page)


def pages_with_pictures(paths: list[Path]) -> Iterator[tuple[DescribedPage, np.ndarray] | Skipped]:
    """The pages of a folder's files, in pixels of their pictures, with these: uint8 (height, width). Files that cannot
    be used are `Skipped`.
    """
    for path in paths:
        try:
            root = parse_xml(path)
            if root.tag not in _COMPANIONS:
                yield _described(path, _transcription(root))
        except (ValueError, OSError) as error:
            yield Skipped(path.name, str(error))


def _samples(page: tuple[DescribedPage, np.ndarray] | Skipped) -> Iterator[Item]:
    return iter([page]) if isinstance(page, Skipped) else page_lines(*page)


def _transcription(root: Element) -> Transcription:
    """The page below a root element.

    Raises:
        ValueError: the format is another, or it holds no usable page.
    """
    if root.tag not in _PARSERS:
        raise ValueError(f"neither PAGE nor ALTO: its root element is {root.tag!r:.60}")
    return _PARSERS[root.tag](root)


def _described(path: Path, transcription: Transcription) -> tuple[DescribedPage, np.ndarray] | Skipped:
    name = transcription.picture
    if not name:
        return Skipped(path.name, "it names no picture")
    folder = path.absolute().parent
    folders = [folder, folder / "images"]
    exported = folder.name in _EXPORTED
    if exported:
        folders += [folder.parent, folder.parent / "images"]
    picture = picture_in(folders, name)
    if picture is None:
        return Skipped(path.name, f"no picture {name} beside the file or in images/")
    try:
        data = file_bytes(picture)
        if has_more_pages(data):
            raise ValueError("holds several pages; give each a picture of its own (inkbeam export --pictures)")
        gray = decode_gray(data)
        height, width = gray.shape
        lines = in_pixels_of(transcription, width, height)
    except ValueError as error:
        return Skipped(path.name, f"{name}: {error}")
    collection = collection_of(folder.parent if exported else folder)
    return DescribedPage(picture.name, picture.name, picture, collection, lines, (width, height)), gray
