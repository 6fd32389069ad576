"""What was corrected in a review: its saved PAGE files, and pages as they read with them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from htr_model.readers.page_xml import ROOT
from htr_model.readers.safe_xml import XmlError, parse_xml
from htr_model.readers.transcription import points
from pipelines.archive.page_pictures import picture_name
from pipelines.archive.transcripts import PageWord, Transcript
from pipelines.errors import UsageError
from pipelines.formats import FORMATS
from pipelines.formats.shapes import outline
from pipelines.formats.xml import written
from segmentation.geometry import Box, union

_ENDING, _ = FORMATS["page"]
_NAME = re.compile(r"(line|new)\d+")


@dataclass(frozen=True)
class SavedLine:
    """A line of a saved page.

    Attributes:
        text: what it says.
        block: number of the page's block (`Transcript.blocks`) that it stands in.
        number: which of the page's lines it is; None of one that was drawn, or found by an earlier reading only.
        box: where it stands, pixels of the page.
    """

    text: str
    block: int
    number: int | None
    box: Box


class Corrections:
    """The files in a review's folder, which is on this machine.

    Raises:
        UsageError: there is no such folder.
    """

    def __init__(self, folder: Path):
        if not folder.is_dir():
            raise UsageError(f"{folder}: no folder of this machine; give the one in which the saved pages lie")
        self._folder = folder

    def holds(self, name: str) -> bool:
        """Whether a page of this name (`Transcript.name`) was saved."""
        return self._path(name).is_file()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_ENDING}"

    def of(self, page: Transcript) -> list[SavedLine] | None:
        """A page's lines as they were saved, in the order in which they are to be read; those that were emptied are not
        there. None where nothing was saved of the page, or of another scan of it.

        Raises:
            UsageError: the file cannot be read, or is not the review's.
        """
        if not self.holds(page.name):
            return None
        path = self._path(page.name)
        try:
            root = parse_xml(path)
        except (XmlError, OSError) as error:
            raise UsageError(f"{path}: {error}; save the page again, or remove the file") from error
        sheet = root.find("Page") if root.tag == ROOT else None
        if sheet is None or sheet.get("imageFilename") != picture_name(page.name, page.source):
            return None
        outlines = [written(outline(words)) for words in page.lines]
        try:
            lines = [_saved(element, block, outlines) for block, element in _lines(sheet)]
        except ValueError as error:
            raise UsageError(
                f"{path}: {error}. To take what another program saved, give that file to train or evaluate instead"
            ) from error
        return [line for line in lines if line.text]

    def applied(self, page: Transcript) -> Transcript:
        """The page as it was corrected, else as it is.

        Raises:
            UsageError: as `of`.
        """
        saved = self.of(page)
        if saved is None:
            return page
        places = [block.lines[0][0] for block in page.blocks]
        lines: list[tuple[PageWord, ...]] = []
        for line in saved:
            # A line belongs to the region into which it was moved; where nothing was found there is none.
            place = places[min(line.block, len(places) - 1)] if places else PageWord("", 1.0, line.box)
            if line.number is None:
                words = _drawn(line, place.turn or 90)
            else:
                words = _corrected(page.lines[line.number], line.text)
            lines.append(tuple(replace(word, region=place.region, cell=place.cell) for word in words))
        return replace(page, lines=tuple(lines), corrected=True)


def _lines(sheet: Element) -> Iterator[tuple[int, Element]]:
    """The lines of a page, each with the number of its region."""
    for block, region in enumerate(sheet.iter("TextRegion")):
        yield from ((block, line) for line in region.findall("TextLine"))


def _saved(line: Element, block: int, outlines: Sequence[str]) -> SavedLine:
    """A line of a saved page.

    Args:
        outlines: of the page's lines, as PAGE has them. A page that was read again since then may have other lines.

    Raises:
        ValueError: it is none of the review's.
    """
    name, coords = line.get("id", ""), line.find("Coords")
    outlined = "" if coords is None else coords.get("points", "")
    corners = points(outlined)
    if not _NAME.fullmatch(name) or not corners:
        raise ValueError(f"line {name!r} is none of the review's")
    (left, top), (right, bottom) = np.min(corners, axis=0).astype(int), np.max(corners, axis=0).astype(int)
    text = " ".join((line.findtext("TextEquiv/Unicode") or "").split())
    number = int(name.removeprefix("line")) if name.startswith("line") else None
    if number is not None and outlines[number : number + 1] != [outlined]:
        number = outlines.index(outlined) if outlined in outlines else None
    return SavedLine(text, block, number, Box(int(left), int(top), int(right) + 1, int(bottom) + 1))


def _drawn(line: SavedLine, sideways: int) -> tuple[PageWord, ...]:
    """The words of a line that was not found, side by side in its box.

    Args:
        sideways: the turn by which it is read if it is higher than wide.
    """
    turn = sideways if line.box.height > line.box.width and len(line.text) > 2 else 0
    return tuple(_saying((PageWord(line.text, 1.0, line.box, turn, line=None),), line.text.split()))


def _corrected(line: tuple[PageWord, ...], text: str) -> tuple[PageWord, ...]:
    """A line that says ``text``. Words that stayed keep their places; what was changed is sure."""
    said = text.split()
    words: list[PageWord] = []
    for before, now in _pieces([word.text for word in line], said):
        words += _saying(line[before], said[now])
    return tuple(words)


def _pieces(before: Sequence[str], now: Sequence[str]) -> list[tuple[slice, slice]]:
    """Words and those that took their place, piece by piece; new ones go with the word beside them."""
    pieces: list[list[int]] = []
    for tag, first, last, new_first, new_last in SequenceMatcher(None, before, now, autojunk=False).get_opcodes():
        if tag == "equal":
            pieces += ([first + i, first + i + 1, new_first + i, new_first + i + 1] for i in range(last - first))
        elif tag == "insert" and pieces:
            pieces[-1][3] = new_last
        else:
            pieces.append([first, last, new_first, new_last])
    if len(pieces) > 1 and pieces[0][0] == pieces[0][1]:
        (_, _, new_first, _), *pieces = pieces
        pieces[0][2] = new_first
    return [(slice(a, b), slice(c, d)) for a, b, c, d in pieces]


def _saying(words: tuple[PageWord, ...], texts: Sequence[str]) -> list[PageWord]:
    """Words that say ``texts`` now: each its own, or where they are more or fewer, in shares of the words' room."""
    if len(words) == len(texts):
        pairs = zip(words, texts, strict=True)
        return [word if word.text == now else replace(word, text=now, confidence=1.0) for word, now in pairs]
    box, turn = union([word.box for word in words]), words[0].turn
    ends = words[0].baseline and words[-1].baseline and (words[0].baseline[0], words[-1].baseline[1])
    letters, first, made = len(" ".join(texts)), 0, []
    for text in texts:
        share = first / letters, (first + len(text)) / letters
        baseline = tuple(round(ends[0] + (ends[1] - ends[0]) * at) for at in share) if ends else None
        now = replace(words[0], text=text, confidence=1.0, box=box.part(*share, turn), baseline=baseline)
        made.append(replace(now, alternatives=()))
        first += len(text) + 1
    return made
