import cv2
import numpy as np
import pytest

from segmentation.ink.page_rules import rules_of
from tests.segmentation.drawing import dark, draw_page, on_ruled_lines


def test_lines_of_ruled_paper_are_found_under_the_letters():
    drawn = draw_page()
    gray = on_ruled_lines(drawn)
    rules = rules_of(gray, dark(gray))
    feet = [int(np.median([word.bottom for word in line])) for line in drawn.words]
    assert [float(np.median(rule.xs)) for rule in rules.ruled] == pytest.approx(feet, abs=2)
    assert rules.level == ()


def test_between_words_ruled_paper_is_left_out_and_letters_stay():
    drawn = draw_page()
    gray = on_ruled_lines(drawn)
    ink = dark(gray)
    removed = rules_of(gray, ink).ink(ink)
    letters = cv2.dilate(drawn.ink.astype(np.uint8), np.ones((9, 31), np.uint8)) > 0
    beside = ink & ~letters
    assert np.count_nonzero(removed & beside) > 0.9 * np.count_nonzero(beside)
    assert np.count_nonzero(removed & drawn.ink) < 0.01 * np.count_nonzero(drawn.ink)


@pytest.mark.parametrize("rules", [0, 3])
def test_writing_and_a_few_underlines_are_no_ruled_paper(rules):
    drawn = draw_page()
    gray = on_ruled_lines(drawn) if rules else drawn.gray
    gray[drawn.words[rules][0].top :] = drawn.gray[drawn.words[rules][0].top :]
    assert rules_of(gray, dark(gray)).ruled == ()
