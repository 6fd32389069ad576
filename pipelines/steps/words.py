"""Readings of a line or of its words → words with their boxes: what was read at once is divided where the ink is."""

from __future__ import annotations

from htr_model.reading import word_slices
from pipelines.page_text import Word
from pipelines.steps.units import UnitReading
from segmentation.geometry import Box, Line, Piece, union


def words_read(line: Line, units: list[UnitReading]) -> list[Word]:
    """What was read in a line, as a whole or word by word; nothing where no unit of it was read."""
    if units and units[0].key.word_index is None:
        return words_of_line(line, units[0])
    return _words_of_units(line, sorted(units, key=lambda u: u.key.word_index))


def _words_of_units(line: Line, units: list[UnitReading]) -> list[Word]:
    boxes = line.word_boxes()
    return [
        Word(
            text=" ".join(u.reading.text.split()),
            confidence=u.reading.confidence,
            box=boxes[u.key.word_index],
            line=line.index,
            turn=line.turn,
            region=line.region,
            cell=line.cell,
            baseline=line.baseline_at(boxes[u.key.word_index]),
            alternatives=u.reading.alternatives,
            min_char_confidence=u.reading.min_char_confidence,
        )
        for u in units
        if u.reading.text.strip()
    ]


def words_of_line(line: Line, unit: UnitReading) -> list[Word]:
    """Words of a line that was read at once: its text divided at spaces, its ink divided where they were seen."""
    slices = word_slices(unit.reading.text)
    if not slices:
        return []

    def column(c: float) -> float:
        return unit.left + c / unit.scale

    spans = [(column(a), column(b)) for a, b in unit.reading.spans]
    cuts = [
        _cut(line.pieces, spans[previous[1] - 1], spans[following[0]])
        for previous, following in zip(slices, slices[1:], strict=False)
    ]
    edges = [float("-inf"), *cuts, float("inf")]
    alternatives = unit.reading.word_alternatives
    words = []
    for i, (first, last) in enumerate(slices):
        probabilities = unit.reading.char_confidences[first:last]
        box = _box_between(line, edges[i], edges[i + 1], spans[first][0], spans[last - 1][1])
        words.append(
            Word(
                text=unit.reading.text[first:last],
                confidence=unit.reading.word_confidences[i],
                box=box,
                line=line.index,
                turn=line.turn,
                region=line.region,
                cell=line.cell,
                baseline=line.baseline_at(box),
                alternatives=alternatives[i] if alternatives else (),
                min_char_confidence=min(probabilities),
            )
        )
    return words


def _cut(pieces: tuple[Piece, ...], before: tuple[float, float], after: tuple[float, float]) -> float:
    """Column between two words.

    CTC marks a letter at a moment, not over its whole width, so the true gap is sought between the middles of the
    last letter before and the first letter after the space; the widest gap in the ink there is taken.
    """
    low, high = (before[0] + before[1]) / 2, (after[0] + after[1]) / 2
    best, width = (before[1] + after[0]) / 2, 0.0
    reach = float("-inf")
    for piece in pieces:
        gap = piece.start - reach
        middle = (piece.start + reach) / 2
        if low <= middle <= high and gap > width:
            best, width = middle, gap
        reach = max(reach, piece.end)
    return best


def _box_between(line: Line, left: float, right: float, seen_from: float, seen_to: float) -> Box:
    """Box of a line's ink between two columns; a piece across a cut is divided there.

    Where no ink lies between them (the recogniser saw two words in one stroke) the columns it looked at are used.
    """
    parts = [clipped for p in line.pieces if (clipped := _clip(p, left, right, line.turn)) is not None]
    if parts:
        return union(parts)
    start, end = line.pieces[0].start, line.pieces[-1].end
    seen = [min(max((column - start) / max(end - start, 1.0), 0.0), 1.0) for column in (seen_from, seen_to)]
    return line.box.part(*seen, line.turn)


def _clip(piece: Piece, left: float, right: float, turn: int) -> Box | None:
    """The part of a piece's box between two columns of the line's picture; None for less than a column of it."""
    start, end = max(piece.start, left), min(piece.end, right)
    if end - start < 1:
        return None
    if start == piece.start and end == piece.end:
        return piece.box
    length = piece.end - piece.start
    return piece.box.part((start - piece.start) / length, (end - piece.start) / length, turn)
