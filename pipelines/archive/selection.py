"""What of the documents is left to read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipelines.archive.history import History
from pipelines.errors import UsageError
from pipelines.inputs import Document


@dataclass(frozen=True)
class Selection:
    """Documents to read, and what of them is skipped.

    Attributes:
        documents: each with the pages that are left out of it, and how often it and its pages have failed.
        done_pages: how many pages are skipped as done, of documents that are left out and of those that are read.
        set_aside: pages that failed too often to be tried again: uri and index, None for a whole document.
    """

    documents: tuple[Document, ...]
    done_pages: int
    set_aside: tuple[tuple[str, int | None], ...] = ()


def select(documents: list[Document], history: History, existing: str, max_attempts: int) -> Selection:
    """What is left to read.

    Args:
        documents: pages that are left out of them already stay left out.
        history: what earlier runs made of the documents.
        existing: ``skip`` leaves done pages out, ``redo`` reads them again, ``abort`` refuses.
        max_attempts: a page that failed in so many runs in a row is set aside until its file changes; 0 for no limit.

    Raises:
        UsageError: ``existing`` is ``abort`` and a page is done.
    """
    left, pages = [], 0
    set_aside: list[tuple[str, int | None]] = []
    for document, done in zip(documents, history.done_of([d.fingerprint() for d in documents]), strict=True):
        failed = history.failed_of(*document.fingerprint())
        if existing == "redo":
            left.append(replace(document, failed=tuple(failed.attempts.items())) if failed.attempts else document)
            continue
        if done.indices and existing == "abort":
            raise UsageError(
                f"{document.uri} was read by an earlier run, and --existing abort was given; "
                "use --existing skip to read only what is new, or redo to read it again"
            )
        pages += len(done.indices)
        if done.whole:
            continue
        hopeless = {p for p, n in failed.attempts.items() if 0 < max_attempts <= n} - done.indices
        set_aside += [(document.uri, p) for p in hopeless]
        left_out = document.left_out | done.indices | (hopeless - {None})
        count = max(done.document_pages, failed.document_pages)
        if None not in hopeless and not 0 < count <= len(left_out):
            left.append(replace(document, left_out=left_out, failed=tuple(failed.attempts.items())))
    return Selection(tuple(left), pages, tuple(set_aside))
