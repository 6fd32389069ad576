"""A job on one machine, divided into runs of some hundred pages, each with a commit of its own.

Beam's in-process runner holds all that a graph groups in memory, until the last page is read. With runs of some hundred
pages neither the memory nor what a crash can cost grows with the archive, but with its largest document: none is
divided, and one may have 10,000 pages (`DecodingSettings.max_pages`).
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import BinaryIO

from pipelines import files
from pipelines.archive import lease
from pipelines.errors import JobFailed
from pipelines.inputs import Document
from pipelines.running import memory
from pipelines.running.beam_options import is_local
from pipelines.running.launch import run_with_attempts
from pipelines.running.outcomes import Outcome, together
from pipelines.running.plans import Plan
from pipelines.wording import counted
from segmentation.decoding import DecodingError, DecodingSettings
from segmentation.decoding.tiff import page_offsets

log = logging.getLogger(__name__)

PAGES_IN_A_RUN = 300
"""Some minutes of work on two cores: a model is loaded for each run, which takes a second or two."""
_PDF, _TIFF = ".pdf", (".tif", ".tiff")
_BYTES_OF_A_PDF_PAGE = 200_000
"""A small scanned page. The pages of a PDF are counted only when it is read."""
_BYTES_OF_A_FRAME = 10_000_000
"""A grey page of 300 dpi without compression, of a TIFF whose frames cannot be counted beforehand."""


def run_in_portions(
    planned: Plan, beam_options: list[str], attempts: int, tell_kept: Callable[[Outcome], None]
) -> Outcome:
    """Run the pipeline on all documents of a plan: on one machine portion by portion, on a cluster at once.

    The caller holds the output for the plan's run. The first portion's run has its name, the others' end in
    ``-part2`` and so on.

    Args:
        tell_kept: told what the committed portions did, where a later one does not come to its end.

    Raises:
        UsageError: the output or Beam's options are unusable, before a portion was committed.
        JobFailed: a portion broke as often as ``attempts`` allows, or could not begin; those before it are committed.
        KeyboardInterrupt: somebody has asked the job to end.
    """
    documents = planned.selection.documents
    parts = list(divided(documents)) if is_local(beam_options) else [documents]
    outcomes: list[Outcome] = []
    for number, part in enumerate(parts, 1):
        # Short enough that `run_with_attempts` does not cut the part off when it names a second attempt.
        run_id = planned.job.run_id if number == 1 else f"{planned.job.run_id[:110]}-part{number}"
        portion = replace(
            planned,
            job=replace(planned.job, run_id=run_id),
            selection=replace(planned.selection, documents=part),
        )
        try:
            with lease.held(planned.job.output, run_id) if number > 1 else contextlib.nullcontext():
                outcomes.append(run_with_attempts(portion, beam_options, attempts))
            if len(parts) > 1:
                memory.give_back()
                done = together(outcomes)
                log.info("part %d of %d is committed: %d pages in %.0f s", number, len(parts), done.pages, done.seconds)
        except BaseException as error:
            if not outcomes:
                raise
            kept = together(outcomes)
            tell_kept(kept)
            if not isinstance(error, Exception):
                raise
            raise JobFailed(f"{error}. What was written before it is kept: {counted(kept.pages, 'page')}") from error
    return together(outcomes)


def divided(documents: tuple[Document, ...]) -> Iterator[tuple[Document, ...]]:
    """Documents in portions of about `PAGES_IN_A_RUN` pages; a document is never divided."""
    portion: list[Document] = []
    pages = 0
    for document in documents:
        if portion and pages + likely_pages(document) > PAGES_IN_A_RUN:
            yield tuple(portion)
            portion, pages = [], 0
        portion.append(document)
        pages += likely_pages(document)
    if portion:
        yield tuple(portion)


def likely_pages(document: Document) -> int:
    """About how many pages of a document will be read."""
    name = document.uri.lower()
    if name.endswith(_PDF):
        pages = document.size // _BYTES_OF_A_PDF_PAGE
    elif name.endswith(_TIFF):
        pages = _frames(document)
    else:
        pages = 1
    return max(1, pages - len(document.left_out))


def _frames(document: Document) -> int:
    """Pages of a TIFF, from its chain of directories alone where it lies on this machine."""
    if files.is_local(document.uri):
        try:
            with open(document.uri, "rb") as file:
                return len(page_offsets(_Bytes(file), document.uri, DecodingSettings()))
        except (OSError, ValueError, DecodingError):
            pass  # Reading it will say what is wrong.
    return document.size // _BYTES_OF_A_FRAME


class _Bytes:
    """A file as the bytes in it, read where they are asked for.

    A mapped file that another program cuts short meanwhile, as one that is being copied, would end this process.
    """

    def __init__(self, file: BinaryIO):
        self._file = file
        self._size = os.fstat(file.fileno()).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, place: slice) -> bytes:
        start, stop, _ = place.indices(self._size)
        self._file.seek(start)
        return self._file.read(max(stop - start, 0))
