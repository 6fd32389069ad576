"""What costs a page or a word, as a row of the failures table."""

from __future__ import annotations

import traceback

from apache_beam.metrics import Metrics

from htr_model.printable import printable
from pipelines.inputs import Document
from pipelines.page_text import Failure

FAILURES = "failures"
"""The output of a step that has failures."""
NAMESPACE = "inkbeam"
"""Of the job's metrics."""


def failure(stage: str, document: Document, page_index: int | None, error: Exception, pages: int | None) -> Failure:
    """A failure row of an exception; ``pages`` of the document where they are known."""
    Metrics.counter(NAMESPACE, f"failures_{stage}").inc()
    texts = (type(error).__name__, str(error), "".join(traceback.format_exception(error)))
    return Failure(
        stage,
        printable(document.uri),
        page_index,
        *map(printable, texts),
        attempts=document.attempt(page_index),
        source_size=document.size,
        source_modified=document.modified,
        document_pages=pages,
    )
