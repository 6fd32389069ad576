"""Training lines as the pipeline sees them: found by the segmentation, with the text of the true line that they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from htr_model.charset import canonical_text
from htr_model.data.samples import Item, Sample, Skipped
from htr_model.readers.page_truth import TruePage
from pipelines.evaluation.ground_truth import UnusableTruth, compare, load_page
from segmentation.decoding import DecodingError
from segmentation.page import segment
from segmentation.scores.line_scores import THRESHOLDS
from segmentation.scores.metrics import best_pairs

_SAME = THRESHOLDS[1]
"""Intersection over union of their ink from which a found line is taken for a true one, whole and alone."""


def found_lines(pages: Iterable[TruePage | Skipped]) -> Iterator[Item]:
    """The lines of pages, cut as ``digitize`` cuts them, but that pages are not turned upright. True lines that were
    not found so are `Skipped`.
    """
    for page in pages:
        if isinstance(page, Skipped):
            yield page
            continue
        try:
            decoded = load_page(page)
        except (OSError, DecodingError, UnusableTruth) as error:
            yield Skipped(page.picture.name, str(error))
            continue
        segmented = segment(decoded.gray)
        ious = compare(page, decoded.gray, segmented).ink.ious
        found_of = {true: found for found, true in best_pairs(ious, _SAME)}
        for i, line in enumerate(line for line in page.lines if line.text and line.outlines):
            name = f"{page.picture.name}#{i}"
            text = canonical_text(line.text)
            if i not in found_of or not text:
                yield Skipped(name, "no text" if not text else "not found as one line")
                continue
            picture = segmented.line_picture(found_of[i])
            yield Sample(name, text, picture, page.collection, page.writer, page.picture.name, page.split)
