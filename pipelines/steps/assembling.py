"""Layouts and readings → the text of pages."""

from __future__ import annotations

import apache_beam as beam
from apache_beam.metrics import Metrics

from pipelines.assembly import assemble, better_way_up
from pipelines.inputs import Document
from pipelines.page_text import Failure, PageText
from pipelines.steps.failures import FAILURES, NAMESPACE, failure
from pipelines.steps.layouts import PageLayout
from pipelines.steps.units import UnitReading


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
