"""Documents as PDF: pictures of their pages, and over them, unseen, the words, to be searched and copied."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from pipelines.transcripts import PageWord, Transcript
from segmentation.pictures.lettering import font_file

ENDING = ".pdf"
_FONT = "letters"
_QUALITY = 80
"""Of JPEG: half the size of what is written to be trained on, and no less legible."""
_USUAL_DPI = 200.0
"""Of scans that do not say their resolution: a sheet of A4 has 1,654 × 2,339 pixels then."""
_POINTS_AN_INCH = 72
_UNSEEN = 3
"""PDF's text rendering mode of text that is neither filled nor stroked."""
_DESCENT = 0.2
"""Of a line's height, below its baseline."""


def to_pdf(title: str, pages: Iterable[tuple[Transcript, np.ndarray]]) -> bytes:
    """A document as PDF; the same pages give the same bytes.

    Args:
        pages: each with its picture, uint8 (height, width), the way up in which it was read.
    """
    if _FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(_FONT, font_file()))
    file = io.BytesIO()
    canvas = Canvas(file, invariant=True)
    canvas.setTitle(title)
    canvas.setCreator("inkbeam")
    for page, gray in pages:
        scale = _POINTS_AN_INCH / (page.dpi or _USUAL_DPI)
        height, width = gray.shape
        canvas.setPageSize((width * scale, height * scale))
        picture = cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
        canvas.drawImage(ImageReader(io.BytesIO(picture)), 0, 0, width * scale, height * scale)
        # From here on in pixels, as boxes are, but upwards, as PDF counts.
        canvas.scale(scale, scale)
        for line in page.lines:
            _write(canvas, line, height)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _write(canvas: Canvas, line: Sequence[PageWord], page_height: int) -> None:
    """A line's words, each as long as its box, on one baseline: readers of PDF take them for one line then."""
    turn = line[0].turn
    boxes = [word.box.turned(turn) for word in line]
    middles = [(box.left + box.right) / 2 for box in boxes]
    size = float(np.median([box.height for box in boxes]))
    slope, level = np.polyfit(middles, [box.bottom for box in boxes], 1) if len(line) > 2 else (0, boxes[0].bottom)
    canvas.saveState()
    # From the upper left corner along the writing; PDF counts upwards, and turns counter-clockwise.
    canvas.translate(0, page_height)
    canvas.rotate(turn)
    for word, box, middle in zip(line, boxes, middles, strict=True):
        text = canvas.beginText(box.left, -(level + slope * middle) + _DESCENT * size)
        text.setTextRenderMode(_UNSEEN)
        text.setFont(_FONT, size)
        text.setHorizScale(100 * box.width / max(1.0, pdfmetrics.stringWidth(word.text, _FONT, size)))
        # The space keeps it apart from the next word when it is copied.
        text.textOut(f"{word.text} ")
        canvas.drawText(text)
    canvas.restoreState()
