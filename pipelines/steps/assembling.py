"""Layouts and readings → the text of pages."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

import apache_beam as beam
from apache_beam.metrics import Metrics

from htr_model.confidence import geometric_mean
from pipelines.inputs import Document
from pipelines.page_text import Failure, PageFacts, PageText, TextLine, Word, is_scrap, line_text
from pipelines.steps.failures import FAILURES, NAMESPACE, failure
from pipelines.steps.layouts import PageLayout
from pipelines.steps.units import UnitReading
from pipelines.steps.words import words_read
from segmentation.geometry import Line


class NothingRead(Exception):
    """No line of a page could be recognised; the lines have failures of their own."""


def page_text(layout: PageLayout, readings: list[UnitReading]) -> PageText:
    """A page's text, of the way up in which it reads better.

    Raises:
        NothingRead: it has lines, and none of them was read.
    """
    facts = layout.facts
    if layout.lines and not readings:
        number = facts.ref.page_index + 1
        raise NothingRead(f"{facts.ref.uri}: none of the {len(layout.lines)} lines of page {number} could be read")
    page = assemble(facts, layout.lines, readings, layout.other_way)
    if other := layout.on_its_head:
        page = better_way_up(page, assemble(other.facts, other.lines, readings, other.other_way))
    return page


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
    words_of = {line.index: words_read(line, by_line.get(line.index, [])) for line in lines + other_way}
    texts, words = [], []
    for place, line in enumerate(_better_way(lines, other_way, words_of)):
        found = words_of[line.index]
        words += [replace(word, line=place) for word in found]
        text, confidence = line_text(found), geometric_mean([w.confidence for w in found])
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


def lost_page(layout: PageLayout, error: Exception) -> Failure:
    """The failure of a page that could not be assembled."""
    facts = layout.facts
    page = facts.ref.page_index
    tried = Document(facts.ref.uri, facts.source_size, facts.source_modified, failed=((page, layout.attempt - 1),))
    return failure("assemble", tried, page, error, facts.document_pages)


class AssemblePages(beam.DoFn):
    """Layouts and readings of a page → its text, or a failure: without a row in the pages table it is tried again."""

    def process(self, element):
        _, groups = element
        readings = list(groups["readings"])
        for layout in groups["layout"]:
            try:
                page = page_text(layout, readings)
            except Exception as error:
                yield beam.pvalue.TaggedOutput(FAILURES, lost_page(layout, error))
                continue
            Metrics.counter(NAMESPACE, "pages").inc()
            Metrics.counter(NAMESPACE, "words").inc(len(page.words))
            yield page
