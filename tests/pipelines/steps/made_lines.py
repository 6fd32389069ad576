"""Lines and their readings, made up."""

from htr_model.reading import reading
from pipelines.page_text import PageFacts
from pipelines.steps.units import ImageKey, UnitReading
from segmentation.decoding import PageRef
from segmentation.geometry import Box, Line, Piece, union

FACTS = PageFacts(PageRef("/scans/letter.png", 0), 1, "", 0, None, 1000, 500, None, 0, 0.0, 0.0)
TOP, BOTTOM = 100, 140


def line_of(columns, index=0, left=200, scale=1.0, words=None):
    """A line whose pieces cover ``columns`` of its picture, ``scale`` page pixels each, from ``left`` on the page."""
    pieces = tuple(Piece(Box(left + int(a * scale), TOP, left + int(b * scale), BOTTOM), a, b) for a, b in columns)
    box = Box(pieces[0].box.left, TOP, max(p.box.right for p in pieces), BOTTOM)
    return Line(index, box, pieces, tuple(words or [(i, i + 1) for i in range(len(pieces))]))


def reading_of(text, spans, confidences=None):
    confidences = confidences or [0.5] * len(text)
    return reading(text, tuple(spans), tuple(confidences))


def whole(text, spans, confidences=None, line_index=0, left=0.0, scale=1.0):
    return UnitReading(ImageKey(FACTS.ref, line_index, None), reading_of(text, spans, confidences), left, scale)


def down(columns, turn, index, region=1):
    """A sideways line down the left margin from row 100 on, a pixel of the page for a column of its picture."""
    end = max(b for _, b in columns)
    spans = [(100 + a, 100 + b) if turn == 270 else (100 + end - b, 100 + end - a) for a, b in columns]
    pieces = tuple(Piece(Box(10, top, 50, bottom), a, b) for (a, b), (top, bottom) in zip(columns, spans, strict=True))
    words = tuple((i, i + 1) for i in range(len(pieces)))
    return Line(index, union(p.box for p in pieces), pieces, words, turn, region)


def sides(words):
    return [(w.text, w.box.left - 200, w.box.right - 200) for w in words]
