"""What was corrected in a review: its saved PAGE files, and pages as they read with them."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from htr_model.readers.page_xml import ROOT
from htr_model.readers.safe_xml import XmlError, parse_xml
from htr_model.readers.transcription import number, points
from pipelines.archive.transcripts import Transcript
from pipelines.errors import UsageError
from pipelines.formats import FORMATS
from pipelines.formats.page_xml import created
from pipelines.formats.shapes import outline
from pipelines.formats.xml import written
from pipelines.page_text import Word
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

    Args:
        lost: is told of each file that cannot be used; its page counts as not corrected.

    Raises:
        UsageError: there is no such folder.
    """

    def __init__(self, folder: Path, lost: Callable[[str], None]):
        if not folder.is_dir():
            raise UsageError(f"{folder}: no folder of this machine; give the one in which the saved pages lie")
        self._folder = folder
        self._lost = lost

    def holds(self, name: str) -> bool:
        """Whether a page of this name (`Transcript.name`) was saved."""
        return self._path(name).is_file()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_ENDING}"

    @functools.cached_property
    def _pictures(self) -> dict[Path, str | None]:
        """The folder's files, each with the picture that it is of; None where it does not say."""
        found: dict[Path, str | None] = {}
        for path in sorted(self._folder.glob("*.xml")):
            try:
                sheet = parse_xml(path).find("Page")
            except (XmlError, OSError):
                sheet = None
            found[path] = None if sheet is None else sheet.get("imageFilename")
        return found

    def taken(self, pictures: Mapping[str, str]) -> set[str]:
        """Names of the pages that were corrected as they are scanned now.

        Args:
            pictures: name of each page's picture by the page's name (`Archive.pictures`).
        """
        return {name for name, picture in pictures.items() if self._pictures.get(self._path(name)) == picture}

    def left_over(self, pictures: Mapping[str, str]) -> list[str]:
        """Messages about saved files that correct no page of the archive as it is scanned now, one for each.

        Args:
            pictures: as of `taken`, of all pages of the archive.
        """
        expected = {self._path(name): picture for name, picture in pictures.items()}
        said = []
        for path, picture in self._pictures.items():
            if path not in expected:
                said.append(
                    f"{path}: no page of the archive has this name; give a page that was saved again the name of the "
                    "file before, whose place it takes, and remove other files"
                )
            elif picture is not None and picture != expected[path]:
                said.append(
                    f"{path}: was saved of another scan of its page; correct the page as it is now, or remove the file"
                )
        return said

    def of(self, page: Transcript) -> list[SavedLine] | None:
        """A page's lines as they were saved, in reading order, without those that were emptied. None where nothing was
        saved of the page as it is scanned now, or nothing that can be used."""
        if not self.holds(page.name):
            return None
        path = self._path(page.name)
        try:
            return _lines_of(page, parse_xml(path))
        except (XmlError, OSError) as error:
            self._lost(f"{path}: {error}; its page goes uncorrected: save it again, or remove the file")
        except ValueError as error:
            self._lost(
                f"{path}: {error}; its page goes uncorrected. To take what another program saved, give that file to "
                "train or evaluate instead"
            )
        return None

    def applied(self, page: Transcript) -> Transcript:
        """The page as it was corrected, else as it is."""
        saved = self.of(page)
        if saved is None:
            return page
        places = [block.lines[0][0] for block in page.blocks]
        lines: list[tuple[Word, ...]] = []
        for line in saved:
            # A line belongs to the region into which it was moved; where nothing was found there is none.
            place = places[min(line.block, len(places) - 1)] if places else Word("", 1.0, line.box)
            if line.number is None:
                words = _drawn(line, place.turn or 90)
            else:
                words = _corrected(page.lines[line.number], line.text)
            lines.append(tuple(replace(word, region=place.region, cell=place.cell) for word in words))
        return replace(page, lines=tuple(lines), corrected=True)


def _lines_of(page: Transcript, root: Element) -> list[SavedLine] | None:
    """The lines of a saved page as `Corrections.of` gives them; None of another scan.

    Raises:
        ValueError: it is none of the review's.
    """
    sheet = root.find("Page") if root.tag == ROOT else None
    if sheet is None or sheet.get("imageFilename") != page.review_picture:
        return None
    # A page of a PDF is as large as the resolution makes it with which it was read.
    size = np.array([number(sheet.get(side, "")) for side in ("imageWidth", "imageHeight")])
    if not (size > 0).all():
        raise ValueError("it does not tell the page's size")
    scale = np.array([page.width, page.height]) / size
    outlines = [written(outline(words)) for words in page.lines]
    regions = list(sheet.iter("TextRegion"))
    lines = [
        _saved(element, block, outlines, scale)
        for block, region in enumerate(regions)
        for element in region.findall("TextLine")
    ]
    if root.findtext("Metadata/Created") != created(page):
        lines = _in_blocks(page, lines, len(regions))
    return [line for line in lines if line.text]


def _saved(line: Element, block: int, outlines: Sequence[str], scale: np.ndarray) -> SavedLine:
    """A line of a saved page.

    Args:
        outlines: of the page's lines, as PAGE has them. A page that was read again since then may have other lines.
        scale: of the page against the saved one, across and down.

    Raises:
        ValueError: it is none of the review's.
    """
    name, coords = line.get("id", ""), line.find("Coords")
    outlined = "" if coords is None else coords.get("points", "")
    corners = points(outlined)
    if not _NAME.fullmatch(name) or not len(corners):
        raise ValueError(f"line {name!r} is none of the review's")
    left, top = (np.min(corners, axis=0).astype(int) * scale).astype(int).tolist()
    right, bottom = ((np.max(corners, axis=0).astype(int) + 1) * scale).astype(int).tolist()
    text = " ".join((line.findtext("TextEquiv/Unicode") or "").split())
    found = int(name.removeprefix("line")) if name.startswith("line") else None
    if found is not None and outlines[found : found + 1] != [outlined]:
        found = outlines.index(outlined) if outlined in outlines else None
    return SavedLine(text, block, found, Box(left, top, max(right, left + 1), max(bottom, top + 1)))


def _in_blocks(page: Transcript, lines: Sequence[SavedLine], regions: int) -> list[SavedLine]:
    """Lines that were saved of an earlier reading, each with its block of today, ordered by block.

    Each saved region becomes the block that holds most of its lines today. A line lying today in a block claimed by
    another region was moved by the reviewer and follows its saved region, and so does a line that lies in no block;
    every other line stays in its own block.

    Args:
        lines: with the numbers of the saved regions.
        regions: how many of them there are, also of those without lines.
    """
    of_line = [block for block, found in enumerate(page.blocks) for _ in found.lines]
    if not of_line:
        return list(lines)
    boxes = [union([word.box for word in words]) for words in page.lines]
    stands = [_block_of(line, of_line, boxes) for line in lines]
    shifts = Counter(now - line.block for line, now in zip(lines, stands, strict=True) if now is not None)
    shift = shifts.most_common(1)[0][0] if shifts else 0
    homes = []
    for region in range(regions):
        inside = Counter(now for line, now in zip(lines, stands, strict=True) if line.block == region)
        del inside[None]
        likely = min(max(region + shift, 0), of_line[-1])
        homes.append(max(inside, key=lambda block: (inside[block], -abs(block - likely)), default=likely))
    placed = []
    for line, now in zip(lines, stands, strict=True):
        was_moved = now is None or now in homes[: line.block] + homes[line.block + 1 :]
        placed.append(replace(line, block=homes[line.block] if was_moved else now))
    return sorted(placed, key=lambda line: line.block)


def _block_of(line: SavedLine, of_line: Sequence[int], boxes: Sequence[Box]) -> int | None:
    """Number of the block in which a saved line lies today: that of the line with its number, without one that of a
    line over the middle of its box; None where there is no such line.

    Args:
        of_line: block of each of the page's lines.
        boxes: of these lines.
    """
    if line.number is not None:
        return of_line[line.number]
    x, y = (line.box.left + line.box.right) / 2, (line.box.top + line.box.bottom) / 2
    over = (i for i, box in enumerate(boxes) if box.left <= x < box.right and box.top <= y < box.bottom)
    return next((of_line[i] for i in over), None)


def _drawn(line: SavedLine, sideways: int) -> tuple[Word, ...]:
    """The words of a line that the latest reading did not find, side by side in its box.

    Args:
        sideways: the turn by which it is read if it is higher than wide.
    """
    turn = sideways if line.box.height > line.box.width and len(line.text) > 2 else 0
    return tuple(_saying((Word(line.text, 1.0, line.box, line=None, turn=turn),), line.text.split()))


def _corrected(line: tuple[Word, ...], text: str) -> tuple[Word, ...]:
    """The words of a line that was corrected to ``text``. Those that stayed are as they were; changed ones have the
    confidence 1."""
    said = text.split()
    words: list[Word] = []
    for before, now in _pieces([word.text for word in line], said):
        words += _saying(line[before], said[now])
    return tuple(words)


def _pieces(before: Sequence[str], now: Sequence[str]) -> list[tuple[slice, slice]]:
    """Pairs of slices: words of a line, and the words of its corrected text that took their place. Words that were
    added belong to the piece before them, at the beginning of the line to the piece behind them."""
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


def _saying(words: tuple[Word, ...], texts: Sequence[str]) -> list[Word]:
    """Words that say ``texts``: each word one of them where there are as many, else the words' common box is shared out
    by numbers of letters."""
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
