"""Pages with known lines, and what the network that finds lines learns of them."""

import dataclasses

import cv2
import numpy as np
import pytest

from htr_model.data.samples import Skipped
from htr_model.line_finder.pages import STORED
from htr_model.readers.page_truth import TrueLine, TruePage
from pipelines.training_data.line_network_pages import line_page, line_pages
from tests.segmentation.drawing import SCRIPT, TEXT, draw_line, draw_page, turned


def corners(box):
    return np.array([(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)], float)


def true_page(drawn, path="page.png", baselines=False):
    lines = []
    for box, words in zip(drawn.lines, drawn.words, strict=True):
        foot = np.median([w.bottom for w in words])
        baseline = np.array([[box.left, foot], [box.right, foot]]) if baselines else np.zeros((0, 2))
        lines.append(TrueLine("text", (corners(box),), (), baseline))
    return TruePage("letters", path, None, tuple(lines), 40.0, "train")


@pytest.mark.parametrize("baselines", [False, True])
def test_a_lines_middle_runs_through_its_x_height_zone(baselines):
    drawn = draw_page(("nun mum sum rum vow nose", "a crew on a cone seen", "xenon sour meows"), size=60)
    made = line_page(true_page(drawn, baselines=baselines), drawn.gray)
    assert (made.collection, made.split) == ("letters", "train")
    assert made.picture.dtype == np.uint8 and not made.unknown.any()
    for line, box in zip(made.lines, drawn.lines, strict=True):
        factor = made.picture.shape[0] / drawn.gray.shape[0]
        middle = (box.top + box.bottom) / 2 * factor
        assert np.abs(line[:, 1] - middle).max() < 0.15 * STORED
        assert line[0, 0] == pytest.approx(box.left * factor, abs=3)
        assert line[-1, 0] == pytest.approx(box.right * factor, abs=3)
        assert (np.diff(line[:, 0]) > 0).all()
        assert box.height * factor == pytest.approx(STORED, rel=0.3)


def test_the_lines_of_a_page_that_is_turned_level_are_turned_with_it():
    drawn = draw_page(margin=200)
    page = true_page(drawn)
    h, w = drawn.gray.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), 3, 1.0)
    lines = [
        dataclasses.replace(line, outlines=tuple(o @ turn[:, :2].T + turn[:, 2] for o in line.outlines))
        for line in page.lines
    ]
    made = line_page(dataclasses.replace(page, lines=tuple(lines)), turned(drawn.gray, 3))
    assert len(made.lines) == len(drawn.lines)
    for line in made.lines:
        assert np.ptp(line[:, 1]) < 0.6 * STORED
        near = made.picture[int(line[:, 1].min()) - 3 : int(line[:, 1].max()) + 4, int(line[0, 0]) : int(line[-1, 0])]
        assert (near > 128).any(axis=0).mean() > 0.4


def test_what_the_truth_leaves_out_is_unknown_and_pale_ink_is_not():
    drawn = draw_page(TEXT[:4], margin=160)
    gray = drawn.gray.copy()
    draw_line(gray, "Number Seven", 60, 60, 40)
    pale = np.full_like(gray, 240)
    draw_line(pale, "seen through the sheet", 300, gray.shape[0] - 50, 40)
    gray = np.minimum(gray, np.where(pale < 140, 205, 240)).astype(np.uint8)
    made = line_page(true_page(drawn), gray)
    factor = made.picture.shape[0] / gray.shape[0]
    assert made.unknown[: int(70 * factor)].any()
    rows = slice(int((drawn.lines[0].top - 5) * factor), None)
    assert not made.unknown[rows].any()


def test_lines_too_pale_to_be_ink_are_unknown():
    drawn = draw_page(TEXT[:4])
    gray = drawn.gray.copy()
    last = drawn.lines[-1]
    middle = (last.left + last.right) // 2
    gray[last.top - 9 :] = np.maximum(gray[last.top - 9 :], 232)
    above = drawn.lines[-2]
    gray[above.top - 3 : above.bottom + 9, middle:] = np.maximum(gray[above.top - 3 : above.bottom + 9, middle:], 232)
    made = line_page(true_page(drawn), gray)
    factor = made.picture.shape[0] / gray.shape[0]
    assert len(made.lines) == 3
    inside = [int(n * factor) for n in (last.top + 3, last.bottom - 3, last.left + 3, last.right - 3)]
    assert made.unknown[inside[0] : inside[1], inside[2] : inside[3]].all()
    row = int((above.top + above.bottom) / 2 * factor)
    columns = made.unknown[row, int(above.left * factor) + 3 : int(above.right * factor) - 3]
    assert 0.3 < columns.mean() < 0.6 and not columns[: len(columns) // 3].any()


def test_an_empty_page_teaches_nothing_and_lines_without_ink_are_left_out():
    drawn = draw_page(TEXT[:3], font=SCRIPT)
    page = true_page(drawn)
    assert line_page(page, np.full_like(drawn.gray, 240)) is None
    gone = TrueLine("gone", (np.array([[5, 2], [200, 2], [200, 9], [5, 9]], float),))
    outside = TrueLine("far", (np.array([[9000, 9000], [9100, 9000], [9100, 9050]], float),))
    assert len(line_page(dataclasses.replace(page, lines=(gone, outside, *page.lines)), drawn.gray).lines) == 3


@pytest.mark.parametrize("workers", [1, 2])
def test_pages_that_cannot_be_used_are_told_of(tmp_path, caplog, workers):
    drawn = draw_page(TEXT[:2])
    cv2.imwrite(str(tmp_path / "good.png"), drawn.gray)
    cv2.imwrite(str(tmp_path / "blank.png"), np.full_like(drawn.gray, 240))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    names = ("good.png", "blank.png", "broken.png", "absent.png")
    pages = [Skipped("pages.jsonl:7", "not a page"), *(true_page(drawn, tmp_path / name) for name in names)]
    assert len(list(line_pages(pages, workers))) == 1
    assert len(caplog.records) == 4
    for name in ("pages.jsonl:7", *names[1:]):
        assert name in caplog.text


def test_a_line_without_a_place_is_left_out():
    drawn = draw_page(TEXT[:3])
    page = true_page(drawn)
    lost = dataclasses.replace(page.lines[1], outlines=())
    made = line_page(dataclasses.replace(page, lines=(page.lines[0], lost, page.lines[2])), drawn.gray)
    assert len(made.lines) == 2
