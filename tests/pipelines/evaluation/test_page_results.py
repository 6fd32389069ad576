"""Drawn pages and their truth: what is measured of a page, and of several together."""

import dataclasses

import cv2
import numpy as np
import pytest

from htr_model.readers.page_truth import TrueLine, TruePage, TrueWord
from htr_model.scoring.page_text import comparable
from pipelines.evaluation.page_results import PageFailure, PageResult, evaluate_page, evaluate_pages, in_true_order
from pipelines.evaluation.summary import summarise
from pipelines.job import DEFAULT_MODEL
from pipelines.steps.assembling import NothingRead
from pipelines.steps.recognising import RecognizerHandler
from segmentation.scores.metrics import Scores
from tests.conftest import REPOSITORY
from tests.pipelines.jobs import inkbeam, rows
from tests.segmentation.drawing import draw_page

TEXTS = ("The quick brown fox", "a lazy dog which slept", "and nobody knew why")


@pytest.fixture(scope="module")
def drawn():
    return draw_page(TEXTS)


@pytest.fixture(scope="module")
def page(drawn, tmp_path_factory) -> TruePage:
    """A page of three lines and its truth."""
    path = tmp_path_factory.mktemp("letters") / "one.png"
    cv2.imwrite(str(path), drawn.gray)
    lines = []
    for text, box, words in zip(TEXTS, drawn.lines, drawn.words, strict=True):
        corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
        boxes = [(b.left, b.top, b.right, b.bottom) for b in words]
        true_words = tuple(TrueWord(t, b) for t, b in zip(text.split(), boxes, strict=True))
        lines.append(TrueLine(text, (np.array(corners, float),), true_words))
    height, width = drawn.gray.shape
    return TruePage("letters", path, (width, height), tuple(lines), 40.0, "train")


def changed(page, **changes) -> TruePage:
    return dataclasses.replace(page, **changes)


def test_a_page_that_was_found_as_it_is(page):
    result = evaluate_page(page)
    assert result.lines.by_threshold == (Scores(3, 3, 3), Scores(3, 3, 3))
    assert (result.lines.covered, result.lines.left_out, result.lines.tau) == (3, 0, 1.0)
    words = sum(len(t.split()) for t in TEXTS)
    assert result.words == (Scores(words, words, words), Scores(words, words, words))
    assert result.texts is None
    assert result.discarded_ink < 0.02


def test_true_order_is_the_order_of_the_truth(page):
    assert evaluate_page(changed(page, lines=page.lines[::-1])).lines.tau == -1


def test_lines_and_words_that_the_truth_lacks_are_not_counted(page):
    result = evaluate_page(changed(page, lines=page.lines[1:]))
    assert result.lines.by_threshold[0] == Scores(2, 2, 2)
    assert result.lines.left_out == 1
    words = sum(len(t.split()) for t in TEXTS[1:])
    assert result.words[0] == Scores(words, words, words)


def test_words_are_not_compared_where_a_line_lacks_theirs(page):
    wordless = dataclasses.replace(page.lines[0], words=())
    assert evaluate_page(changed(page, lines=(wordless, *page.lines[1:]))).words is None


def test_lines_without_text_count_only_where_no_line_has_text(page):
    def without_text(lines):
        return tuple(dataclasses.replace(line, text="", words=()) for line in lines)

    some = evaluate_page(changed(page, lines=without_text(page.lines[:1]) + page.lines[1:]))
    assert (some.lines.by_threshold[0], some.lines.left_out) == (Scores(2, 2, 2), 1)
    none = evaluate_page(changed(page, lines=without_text(page.lines)))
    assert (none.lines.by_threshold[0], none.lines.left_out) == (Scores(3, 3, 3), 0)


def test_a_page_without_true_lines(page):
    result = evaluate_page(changed(page, lines=(), line_height=0.0))
    assert (result.lines.by_threshold[0], result.lines.left_out) == (Scores(0, 0, 0), 3)
    assert result.words is None


def test_text_is_what_digitize_writes(page, tmp_path):
    recognizer = RecognizerHandler(DEFAULT_MODEL, 1).load_model()
    result = evaluate_page(changed(page, lines=page.lines[1:]), recognizer)
    done = inkbeam("digitize", "--input", page.picture, "--output", tmp_path / "out", "--decoder", "greedy")
    assert done.code == 0, done.err
    (row,) = rows(tmp_path / "out", "pages")
    assert result.texts.read_all == comparable(row["text"])
    assert result.texts.read == comparable("\n".join(line["text"] for line in row["lines"][1:]))
    assert result.texts.true == " ".join(TEXTS[1:])


@pytest.mark.parametrize("turn", [cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE])
def test_a_page_is_turned_upright_where_no_line_has_its_place(turn, tmp_path):
    recognizer = RecognizerHandler(DEFAULT_MODEL, 1).load_model()
    upright = TruePage("samples", REPOSITORY / "samples" / "letter.png", None, (TrueLine("My dear Cousin,", ()),), 0.0)
    cv2.imwrite(str(tmp_path / "turned.png"), cv2.rotate(cv2.imread(str(upright.picture)), turn))
    turned = changed(upright, picture=tmp_path / "turned.png")
    assert evaluate_page(turned, recognizer).texts == evaluate_page(upright, recognizer).texts


def test_lines_are_put_as_the_truth_has_them(page):
    recognizer = RecognizerHandler(DEFAULT_MODEL, 1).load_model()
    as_read = evaluate_page(page, recognizer).texts
    reversed_truth = evaluate_page(changed(page, lines=page.lines[::-1]), recognizer).texts
    assert as_read.read_in_true_order == as_read.read == reversed_truth.read
    assert reversed_truth.true == " ".join(TEXTS[::-1])
    assert sorted(reversed_truth.read_in_true_order.split()) == sorted(as_read.read.split())
    assert reversed_truth.read_in_true_order != as_read.read


def test_of_a_page_of_which_nothing_is_read_all_is_wrong(page, tmp_path):
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full_like(cv2.imread(str(page.picture), cv2.IMREAD_GRAYSCALE), 240))
    found = evaluate_page(changed(page, picture=blank), RecognizerHandler(DEFAULT_MODEL, 1).load_model())
    assert (found.texts.read, found.texts.read_in_true_order) == ("", "")
    summary = summarise([found])
    assert summary.text.cer == summary.text_in_true_order.cer == 1.0


def test_lines_without_a_true_one_stay_behind_the_line_before_them():
    assert in_true_order(["x", "b", "y", "c", "a"], [None, 1, None, 2, 0]) == ["x", "a", "b", "y", "c"]
    assert in_true_order([], []) == []


def test_pages_that_cannot_be_measured_say_why_and_cost_nothing_else(page, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(page.picture.read_bytes()[:300])
    pages = [
        changed(page, picture=tmp_path / "absent.png"),
        changed(page, picture=broken),
        changed(page, size=(10, 10)),
        page,
    ]
    threads = cv2.getNumThreads()
    absent, cut, other, good = evaluate_pages(pages, None)
    assert [type(x) for x in (absent, cut, other)] == [PageFailure] * 3
    assert "absent.png" in absent.message
    assert "10 × 10" in other.message
    assert isinstance(good, PageResult)
    assert cv2.getNumThreads() == threads


def test_a_page_of_which_no_line_can_be_read_fails_as_it_does_in_a_job(page, monkeypatch):
    recognizer = RecognizerHandler(DEFAULT_MODEL, 1).load_model()
    monkeypatch.setattr(recognizer, "read", lambda pictures: 1 / 0)
    with pytest.raises(NothingRead, match="none of the 3 lines"):
        evaluate_page(page, recognizer)
