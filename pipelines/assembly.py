"""Readings of lines or words, put together to a page's text and word boxes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from htr_model.confidence import geometric_mean
from htr_model.reading import word_slices
from pipelines.page_text import PageFacts, PageText, TextLine, Word, is_scrap
from pipelines.steps.units import UnitReading
from segmentation.geometry import Box, Line, Piece, union


def assemble(
    facts: PageFacts, lines: tuple[Line, ...], readings: list[UnitReading], other_way: tuple[Line, ...] = ()
) -> PageText:
    """The page's text in reading order. A unit that was not read (it failed) leaves a line without text or a gap.

    Args:
        lines, other_way: as in `segmentation.segmented.Layout`. Of the sideways lines of each page (an open book has
            two), those of each margin that are read one way or the other are taken, whichever reads better.
    """
    by_line: dict[int, list[UnitReading]] = {}
    for reading in readings:
        by_line.setdefault(reading.key.line_index, []).append(reading)
    words_of = {line.index: _words(line, by_line.get(line.index, [])) for line in lines + other_way}
    texts, words = [], []
    for place, line in enumerate(_better_way(lines, other_way, words_of)):
        found = words_of[line.index]
        words += [replace(word, line=place) for word in found]
        text, confidence = " ".join(w.text for w in found), geometric_mean([w.confidence for w in found])
        # In a cell a doubtful number is a number.
        texts.append(TextLine(text, confidence, line.box, line.cell is None and is_scrap(text, confidence)))
    return PageText(facts, tuple(texts), tuple(words))


def _better_way(
    lines: tuple[Line, ...], other_way: tuple[Line, ...], words_of: dict[int, list[Word]]
) -> Iterator[Line]:
    """The lines, those of each sideways region the way in which more of its letters are probably right."""
    ways: dict[int, list[list[Line]]] = {}
    for one in (lines, other_way):
        by_region = sorted(one, key=lambda line: line.region)
        for region, group in itertools.groupby(by_region, lambda line: line.region):
            ways.setdefault(region, []).append(list(group))
    for region in sorted(ways):
        yield from max(ways[region], key=lambda way: _letters_read(way, words_of))


_READS_BETTER = 1.25
"""How many times as many letters must be right the other way up: writing on its head is read at half the confidence,
and a recogniser that cannot read a page must not turn it."""


def better_way_up(likelier: PageText, other: PageText) -> PageText:
    """Of a page read both ways up the one that reads better, where that is plain, else the likelier one."""
    ours, others = (_probably_right(page.words) for page in (likelier, other))
    return other if others > _READS_BETTER * ours else likelier


def _letters_read(lines: list[Line], words_of: dict[int, list[Word]]) -> float:
    return _probably_right(word for line in lines for word in words_of[line.index])


def _probably_right(words: Iterable[Word]) -> float:
    """Letters of some words that are probably right."""
    return sum(word.confidence * len(word.text) for word in words)


def _words(line: Line, units: list[UnitReading]) -> list[Word]:
    """What was read in a line, as a whole or word by word."""
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
