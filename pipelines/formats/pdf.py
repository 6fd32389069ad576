"""Documents as PDF: pictures of their pages, and over them, unseen, the words, to be searched and copied."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import numpy as np
from reportlab import rl_config
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from pipelines.archive.page_pictures import jpeg
from pipelines.archive.transcripts import Transcript
from pipelines.page_text import Word
from segmentation.drawing.lettering import font_file

ENDING = ".pdf"
_FONT = "letters"
_QUALITY = 80
"""Of JPEG: half the size of what is written to be trained on, and no less legible."""
_USUAL_DPI = 200.0
"""Of scans that do not say their resolution: a sheet of A4 has 1,654 × 2,339 pixels then."""
_LEAST_DPI = 100.0
"""What says less is no scan: photographs state 72, which means nothing."""
_POINTS_AN_INCH = 72
_UNSEEN = 3
"""PDF's text rendering mode of text that is neither filled nor stroked."""
_LETTERS = 0.55
"""Size of the letters, of a line's height: where letters as high as the line reach into the next one of a page that is
askew, readers mix both up. Words in the order of their text, as pdfium gives them, on two pages: 0.93 and 0.92; with
letters as high as the line 0.90 and 0.88."""
_DESCENT = 0.2
"""Of a line's height, below its baseline where that is not known."""


def to_pdf(title: str, uri: str, pages: Iterable[tuple[Transcript, np.ndarray]]) -> bytes:
    """A document as PDF; the same pages give the same bytes. Letters that DejaVu Sans lacks are not found in it.

    Args:
        uri: of the scans, which the file names as its subject.
        pages: each with its picture, as `page_pictures.Pictures` gives it.
    """
    if _FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(_FONT, font_file()))
    rl_config.useA85 = 0  # pictures as they are, not as text, which makes them a quarter larger
    file = io.BytesIO()
    canvas = Canvas(file, invariant=True)
    canvas.setTitle(title)
    canvas.setSubject(uri)
    canvas.setAuthor("")
    canvas.setCreator("inkbeam")
    for page, picture in pages:
        dpi = page.dpi if page.dpi and page.dpi >= _LEAST_DPI else _USUAL_DPI
        scale = _POINTS_AN_INCH / dpi
        height, width = picture.shape[:2]
        canvas.setPageSize((width * scale, height * scale))
        canvas.drawImage(ImageReader(io.BytesIO(jpeg(picture, _QUALITY))), 0, 0, width * scale, height * scale)
        # From here on in pixels, as boxes are, but upwards, as PDF counts.
        canvas.scale(scale, scale)
        for line in page.lines:
            _write(canvas, line, height)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _write(canvas: Canvas, line: Sequence[Word], page_height: int) -> None:
    """A line's words, each as long as its box, on the line's baseline: readers of PDF take them for one line then."""
    turn = line[0].turn
    boxes = [word.box.turned(turn) for word in line]
    size = float(np.median([box.height for box in boxes]))
    usual = float(np.median([box.bottom for box in boxes])) - _DESCENT * size
    letters = _LETTERS * size
    canvas.saveState()
    # From the upper left corner along the writing; PDF counts upwards, and turns counter-clockwise.
    canvas.translate(0, page_height)
    canvas.rotate(turn)
    for word, box in zip(line, boxes, strict=True):
        level = usual if word.baseline is None else sum(word.baseline) / 2 * (-1 if turn == 270 else 1)
        text = canvas.beginText(box.left, -level)
        text.setTextRenderMode(_UNSEEN)
        text.setFont(_FONT, letters)
        text.setHorizScale(100 * box.width / max(1.0, pdfmetrics.stringWidth(word.text, _FONT, letters)))
        # The space keeps it apart from the next word when it is copied.
        text.textOut(f"{word.text} ")
        canvas.drawText(text)
    canvas.restoreState()
