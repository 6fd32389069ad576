"""Figures of evaluated pages together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from htr_model.scoring.metrics import ErrorRates, error_rates
from htr_model.scoring.page_text import shared_words
from pipelines.evaluation.page_results import WORD_THRESHOLDS, PageResult, PageTexts
from segmentation.scores.line_scores import THRESHOLDS
from segmentation.scores.metrics import Scores


@dataclass(frozen=True)
class Summary:
    """Figures of several pages.

    Attributes:
        pages: their number.
        lines: scores of lines at each of `segmentation.scores.line_scores.THRESHOLDS`. Of lines the figures are those
            of the pages whose ground truth says where they stand; None where no page's does.
        coverage: share of the true lines that are covered, 0–1.
        left_out: found lines in places that the ground truth leaves out.
        lost_ink: share of the true lines' ink that is in no found line.
        discarded_ink: share of all ink that is in no line, mean of the pages.
        tau: mean of the pages' agreement of reading order; None where no page has two matched lines.
        words: scores of word boxes; None where no page has true ones.
        text, text_in_true_order, text_all: error rates of the lines that are counted, of the same in the order of the
            ground truth, and of all that was read; None without text, or where no true line's place is known.
        bag_of_words: scores of words regardless of order, of the lines that are counted; None without text.
        segment_seconds, segment_cpu_seconds, read_seconds: mean of the pages.
    """

    pages: int
    lines: tuple[Scores, ...] | None
    coverage: float | None
    left_out: int | None
    lost_ink: float | None
    discarded_ink: float
    tau: float | None
    words: tuple[Scores, ...] | None
    text: ErrorRates | None
    text_in_true_order: ErrorRates | None
    text_all: ErrorRates | None
    bag_of_words: Scores | None
    segment_seconds: float
    segment_cpu_seconds: float
    read_seconds: float


def summarise(results: list[PageResult]) -> Summary:
    """Figures of some pages together: counts are summed before shares are taken.

    Raises:
        ValueError: there are no pages.
    """
    if not results:
        raise ValueError("no pages to summarise")
    placed = [r.lines for r in results if r.lines is not None]
    lines = _sums((scores.by_threshold for scores in placed), len(THRESHOLDS))
    words = [r.words for r in results if r.words is not None]
    taus = [scores.tau for scores in placed if scores.tau is not None]
    texts = [r.texts for r in results if r.texts is not None]
    true = [t.true for t in texts]
    in_order = [t for t in texts if t.read_in_true_order is not None]
    return Summary(
        pages=len(results),
        lines=lines if placed else None,
        coverage=(sum(s.covered for s in placed) / lines[0].true if lines[0].true else 1.0) if placed else None,
        left_out=sum(s.left_out for s in placed) if placed else None,
        lost_ink=sum(s.lost_ink for s in placed) / max(1, sum(s.true_ink for s in placed)) if placed else None,
        discarded_ink=float(np.mean([r.discarded_ink for r in results])),
        tau=float(np.mean(taus)) if taus else None,
        words=_sums(words, len(WORD_THRESHOLDS)) if words else None,
        text=error_rates(true, [t.read for t in texts]) if texts else None,
        text_in_true_order=error_rates([t.true for t in in_order], [t.read_in_true_order for t in in_order])
        if in_order
        else None,
        text_all=error_rates(true, [t.read_all for t in texts]) if texts else None,
        bag_of_words=sum((bag_of_words(t) for t in texts), Scores(0, 0, 0)) if texts else None,
        segment_seconds=float(np.mean([r.segment_seconds for r in results])),
        segment_cpu_seconds=float(np.mean([r.segment_cpu_seconds for r in results])),
        read_seconds=float(np.mean([r.read_seconds for r in results])),
    )


def bag_of_words(texts: PageTexts) -> Scores:
    """Scores of a page's words, whatever their order."""
    return Scores(shared_words(texts.true, texts.read), len(texts.read.split()), len(texts.true.split()))


def _sums(scores: Iterable[tuple[Scores, ...]], count: int) -> tuple[Scores, ...]:
    total = (Scores(0, 0, 0),) * count
    for row in scores:
        total = tuple(a + b for a, b in zip(total, row, strict=True))
    return total
