"""What was corrected in a review: its saved PAGE files, and pages as they read with them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from htr_model.readers.page_xml import ROOT
from htr_model.readers.safe_xml import XmlError, parse_xml
from pipelines.formats import FORMATS
from pipelines.options import UsageError
from pipelines.page_pictures import picture_name
from pipelines.transcripts import PageWord, Transcript
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

    def of(self, page: Transcript) -> dict[int, str] | None:
        """The texts of a page's lines by their number; lines that were emptied are not there. None where nothing was
        saved of the page, or of another scan of it.

        Raises:
            UsageError: the file cannot be read.
        """
        path = self._folder / f"{page.name}{_ENDING}"
        if not path.is_file():
            return None
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
            if number:
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
        return replace(page, lines=tuple(line for line in lines if line))


def _corrected(line: tuple[PageWord, ...], text: str) -> tuple[PageWord, ...]:
    """A line that says ``text``: word by word, or as one where some were joined or parted. What was changed is sure."""
    said = text.split()
    if len(said) == len(line):
        pairs = zip(line, said, strict=True)
        return tuple(word if word.text == now else replace(word, text=now, confidence=1.0) for word, now in pairs)
    if not said:
        return ()
    baseline = None
    if line[0].baseline and line[-1].baseline:
        baseline = line[0].baseline[0], line[-1].baseline[1]
    box = union([word.box for word in line])
    return (replace(line[0], text=text, confidence=1.0, box=box, baseline=baseline, alternatives=()),)
