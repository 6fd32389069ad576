"""Documents → their pages."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from htr_model.printable import printable
from pipelines.files import read_bytes
from pipelines.inputs import Document
from pipelines.steps.failures import FAILURES, failure
from segmentation.decoding import DecodingSettings, PageRef, check_bytes, count_pages


@dataclass(frozen=True)
class PageTask:
    """A page to be read, and what was known of its document when it was listed."""

    ref: PageRef
    document: Document
    document_pages: int


class UnusableName(Exception):
    """A file's name is not text, so that no table can hold it."""


def pages_of(document: Document, settings: DecodingSettings) -> list[PageTask]:
    """The pages of a document that are to be read.

    Raises:
        UnusableName, OSError, DecodingError: the file cannot be named or read, or is no document.
    """
    name = printable(document.uri)
    if name != document.uri:
        raise UnusableName(f"{name}: the file's name is not valid UTF-8. Rename it.")
    check_bytes(document.size, document.uri, settings)
    pages = count_pages(read_bytes(document.uri), document.uri, settings)
    return [PageTask(PageRef(document.uri, i), document, pages) for i in range(pages) if i not in document.left_out]


class ListPages(beam.DoFn):
    """Documents → their pages."""

    def __init__(self, settings: DecodingSettings):
        self._settings = settings

    def process(self, document: Document):
        try:
            yield from pages_of(document, self._settings)
        except Exception as error:
            yield beam.pvalue.TaggedOutput(FAILURES, failure("list", document, None, error, None))
