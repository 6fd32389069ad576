"""What was corrected in a review: its saved PAGE files, and pages as they read with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

from htr_model.readers.page_xml import ROOT
from htr_model.readers.safe_xml import XmlError, parse_xml
from pipelines.archive.page_pictures import picture_name
from pipelines.archive.transcripts import PageWord, Transcript
from pipelines.errors import UsageError
from pipelines.formats import FORMATS
from segmentation.geometry import union

_ENDING, _ = FORMATS["page"]
_LINE = re.compile(r"line(\d+)")


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

    def of(self, page: Transcript) -> dict[int, str] | None:
        """The texts of a page's lines by their number; lines that were emptied are not there. None where nothing was
        saved of the page, or of another scan of it.

        Raises:
            UsageError: the file cannot be read, or its lines are others than those of the page.
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
        texts = {}
        for line in sheet.iter("TextLine"):
            number = _LINE.fullmatch(line.get("id", ""))
            if number is None or int(number[1]) >= len(page.lines):
                raise UsageError(
                    f"{path}: line {line.get('id')!r} is none of the review's. To take what another program saved, "
                    "give that file to train or evaluate instead"
                )
            texts[int(number[1])] = " ".join((line.findtext("TextEquiv/Unicode") or "").split())
        return texts

    def applied(self, page: Transcript) -> Transcript:
        """The page as it was corrected, else as it is.

        Raises:
            UsageError: as `of`.
        """
        texts = self.of(page)
        if texts is None:
            return page
        lines = (_corrected(line, texts.get(i, "")) for i, line in enumerate(page.lines))
        return replace(page, lines=tuple(line for line in lines if line), corrected=True)


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
