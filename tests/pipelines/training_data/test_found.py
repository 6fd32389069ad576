"""Drawn pages, and the pictures of their lines as digitize would cut them."""

import dataclasses

import cv2
import numpy as np
import pytest

from htr_model.data.samples import Sample, Skipped
from htr_model.readers.page_truth import TrueLine, TruePage
from pipelines.training_data.found import found_lines
from tests.htr_model.drawing import likeness
from tests.segmentation.drawing import TEXT, DrawnPage, draw_page, turned

TEXTS = TEXT[:4]


@pytest.fixture(scope="module")
def drawn() -> DrawnPage:
    return draw_page(TEXTS)


@pytest.fixture(scope="module")
def page(drawn, tmp_path_factory) -> TruePage:
    path = tmp_path_factory.mktemp("letters") / "one.png"
    cv2.imwrite(str(path), drawn.gray)
    lines = tuple(TrueLine(text, (corners(box),)) for text, box in zip(TEXTS, drawn.lines, strict=True))
    return TruePage("letters", path, drawn.gray.shape[::-1], lines, 40.0, "train")


def corners(box) -> np.ndarray:
    return np.array([(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)], float)


def crops(drawn: DrawnPage) -> dict[str, np.ndarray]:
    """Each line as it was drawn, by its text."""
    return {t: drawn.gray[b.top : b.bottom, b.left : b.right] for t, b in zip(TEXTS, drawn.lines, strict=True)}


def shows(sample: Sample, pictures: dict[str, np.ndarray]) -> str:
    """The text of the drawn line that a picture is most like."""
    alike = {text: likeness(picture, sample.gray) for text, picture in pictures.items()}
    best = max(alike, key=alike.get)
    assert alike[best] > 0.7 > 0.2 + max(value for text, value in alike.items() if text != best)
    return best


def changed(page: TruePage, *lines: TrueLine, **changes) -> TruePage:
    return dataclasses.replace(page, lines=lines or page.lines, **changes)


def test_every_line_is_cut_and_carries_its_own_text(page, drawn):
    samples = list(found_lines([page]))
    assert [s.text for s in samples] == list(TEXTS)
    assert [shows(s, crops(drawn)) for s in samples] == list(TEXTS)
    for sample, box in zip(samples, drawn.lines, strict=True):
        assert sample.gray.dtype == np.uint8
        assert box.width <= sample.gray.shape[1] < box.width + 2 * box.height


def test_lines_know_their_page(page):
    samples = list(found_lines([page]))
    assert [s.id for s in samples] == ["one.png#0", "one.png#1", "one.png#2", "one.png#3"]
    assert {(s.collection, s.group, s.split, s.writer) for s in samples} == {("letters", "one.png", "train", None)}


def test_text_follows_the_line_whatever_the_order_of_the_truth(page, drawn):
    samples = list(found_lines([changed(page, *page.lines[::-1])]))
    assert [s.text for s in samples] == list(TEXTS[::-1])
    assert all(shows(s, crops(drawn)) == s.text for s in samples)


def test_lines_that_were_marked_but_not_read_are_left_out_without_moving_the_others_texts(page, drawn):
    unread = dataclasses.replace(page.lines[1], text="")
    samples = list(found_lines([changed(page, page.lines[0], unread, *page.lines[2:])]))
    assert [s.text for s in samples] == [TEXTS[0], *TEXTS[2:]]
    assert all(shows(s, crops(drawn)) == s.text for s in samples)


def test_lines_of_a_page_that_is_turned_are_level(page, drawn, tmp_path):
    roomy = draw_page(TEXTS, margin=200)
    h, w = roomy.gray.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), 2, 1.0)
    path = tmp_path / "turned.png"
    cv2.imwrite(str(path), turned(roomy.gray, 2))
    lines = [
        TrueLine(text, (corners(box) @ turn[:, :2].T + turn[:, 2],))
        for text, box in zip(TEXTS, roomy.lines, strict=True)
    ]
    samples = list(found_lines([changed(page, *lines, picture=path, size=(w, h))]))
    assert [s.text for s in samples] == list(TEXTS)
    assert [shows(s, crops(drawn)) for s in samples] == list(TEXTS)


def test_lines_know_their_writer_and_page_as_those_of_the_truth_do(page):
    samples = list(found_lines([changed(page, writer="w1")]))
    assert {(s.writer, s.group) for s in samples} == {("w1", "one.png")}


def test_a_line_without_a_place_does_not_move_the_others_texts(page, drawn):
    lines = (page.lines[0], TrueLine("somewhere", ()), *page.lines[1:])
    samples = [s for s in found_lines([changed(page, *lines)]) if isinstance(s, Sample)]
    assert [s.text for s in samples] == list(TEXTS)
    assert [shows(s, crops(drawn)) for s in samples] == list(TEXTS)


def test_text_is_canonical(page):
    fancy = dataclasses.replace(page.lines[0], text="  The “quick”\u00a0fox’s — ")
    first, *_ = found_lines([changed(page, fancy, *page.lines[1:])])
    assert first.text == 'The "quick" fox\'s -'


def test_true_lines_that_are_no_line_of_the_page_are_skipped(page):
    two = TrueLine(f"{TEXTS[0]} {TEXTS[1]}", page.lines[0].outlines + page.lines[1].outlines)
    gone = TrueLine("gone", (np.array([(5, 2), (200, 2), (200, 20), (5, 20)], float),))
    blank = dataclasses.replace(page.lines[3], text="\u00a0 ")
    first, second, third, fourth = found_lines([changed(page, two, gone, page.lines[2], blank)])
    assert (first, second) == (
        Skipped("one.png#0", "not found as one line"),
        Skipped("one.png#1", "not found as one line"),
    )
    assert (third.id, third.text) == ("one.png#2", TEXTS[2])
    assert fourth == Skipped("one.png#3", "no text")


def test_half_a_line_is_not_taken_for_the_whole(page, drawn):
    box = drawn.lines[0]
    half = corners(dataclasses.replace(box, right=(box.left + box.right) // 2))
    first, *others = found_lines([changed(page, TrueLine("The quick", (half,)), *page.lines[1:])])
    assert first == Skipped("one.png#0", "not found as one line")
    assert [s.text for s in others] == list(TEXTS[1:])


def test_pages_without_read_lines_give_nothing(page):
    unread = [dataclasses.replace(line, text="") for line in page.lines]
    assert not list(found_lines([changed(page, *unread), dataclasses.replace(page, lines=(), line_height=0.0)]))


def test_pages_that_cannot_be_used_are_skipped_and_the_others_read(page, drawn, tmp_path):
    broken, blank = tmp_path / "broken.png", tmp_path / "blank.png"
    broken.write_bytes(page.picture.read_bytes()[:300])
    cv2.imwrite(str(blank), np.full_like(drawn.gray, 240))
    named = Skipped("pages.jsonl:7", "not a page")
    items = found_lines(
        [
            named,
            changed(page, picture=tmp_path / "absent.png"),
            changed(page, picture=broken),
            changed(page, size=(10, 10)),
            changed(page, picture=blank),
            page,
        ]
    )
    first, absent, cut, other, *rest = items
    assert first == named
    assert absent.id == "absent.png" and "absent.png" in absent.reason
    assert cut.id == "broken.png" and cut.reason
    assert other.id == "one.png" and "10 × 10" in other.reason
    assert [s.reason for s in rest[:4]] == ["not found as one line"] * 4
    assert [s.text for s in rest[4:]] == list(TEXTS)
