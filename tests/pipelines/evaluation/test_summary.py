"""Figures of several pages together."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.evaluation.page_results import PageResult, PageTexts
from pipelines.evaluation.summary import bag_of_words, summarise
from segmentation.scores.line_scores import LineScores
from segmentation.scores.metrics import Scores


def result(name="a", *, matched=1, found=1, true=1, covered=1, tau=None, words=None, texts=None, ink=(100, 0)):
    """A page's result of which only some figures matter."""
    lines = LineScores((Scores(matched, found, true),) * 2, (), covered, 0, *ink, tau)
    return PageResult(name, Path("x.png"), None, lines, words, texts, 0.25, 20.0, 1.0, 0.5, 2.0)


def test_figures_of_several_pages_are_shares_of_summed_counts():
    summary = summarise(
        [
            result(matched=1, found=1, true=1, covered=1, tau=1.0, ink=(100, 50)),
            result(matched=1, found=2, true=9, covered=4, tau=0.5, ink=(300, 50)),
            result(matched=0, found=0, true=0, covered=0, ink=(0, 0)),
        ]
    )
    assert summary.pages == 3
    assert summary.lines[0] == Scores(2, 3, 10)
    assert (summary.coverage, summary.tau, summary.lost_ink) == (0.5, 0.75, 0.25)
    assert (summary.words, summary.bag_of_words) == (None, None)
    assert (summary.text, summary.text_in_true_order, summary.text_all) == (None, None, None)
    assert (summary.discarded_ink, summary.segment_seconds, summary.read_seconds) == (0.25, 1.0, 2.0)


def test_of_pages_whose_lines_are_not_placed_text_alone_counts():
    unplaced = replace(result(texts=PageTexts("abcd", "abxd", None, "abxd")), lines=None)
    placed = result(tau=1.0, texts=PageTexts("ab", "ab", "ab", "ab"))
    alone, both = summarise([unplaced]), summarise([unplaced, placed])
    assert alone.lines is alone.coverage is alone.left_out is alone.lost_ink is alone.text_in_true_order is None
    assert alone.text.cer == pytest.approx(1 / 4) and both.text.cer == pytest.approx(1 / 6)
    assert (both.lines[0], both.coverage, both.text_in_true_order.cer) == (Scores(1, 1, 1), 1.0, 0.0)


def test_texts_of_several_pages_are_taken_together():
    texts = [PageTexts("ab cd", "cd ab", "ab cd", "cd ab xy"), PageTexts("abcde", "abcd", "abcd", "abcd")]
    summary = summarise([result(texts=t) for t in texts])
    # Five edits of ten characters: "ab cd" to "cd ab" needs four, the other one.
    assert summary.text.cer == pytest.approx(0.5)
    assert summary.text_in_true_order.cer == pytest.approx(0.1)
    assert summary.text_all.cer == pytest.approx(0.6)
    assert summary.bag_of_words == Scores(2, 3, 3)


def test_words_regardless_of_order():
    assert bag_of_words(PageTexts("a b b", "b a a a", "", "")) == Scores(2, 4, 3)


def test_no_pages_have_no_figures():
    with pytest.raises(ValueError, match="no pages"):
        summarise([])
