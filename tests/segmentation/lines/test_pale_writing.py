"""Pale writing beside something much darker."""

import cv2
import numpy as np
import pytest

from segmentation.page import segment
from tests.segmentation.drawing import INK, TEXT, draw_line, draw_page, paper

SIZE = 40


def pale_page(shade, frame):
    """A page of writing of a shade; with a black frame around it and a bold heading, or without."""
    page = draw_page(TEXT, size=SIZE, margin=160)
    dark = (page.gray.astype(np.float32) - INK) / (page.gray.max() - INK)
    gray = np.round(shade + dark * (page.gray.max() - shade)).astype(np.uint8)
    if frame:
        height, width = gray.shape
        cv2.rectangle(gray, (0, 0), (width, height), 0, 60)
        cv2.putText(gray, "Archives of the city", (200, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 0, 7)
    return gray, page


def share_found(layout, page):
    """Share of the writing's ink that lies in the box of a line."""
    inside = np.zeros_like(page.ink)
    for line in layout.lines:
        inside[line.box.top : line.box.bottom, line.box.left : line.box.right] = True
    return np.count_nonzero(page.ink & inside) / np.count_nonzero(page.ink)


@pytest.mark.parametrize("shade", [INK, 120, 150])
def test_writing_is_found_however_dark_its_surroundings(shade):
    gray, page = pale_page(shade, frame=True)
    assert share_found(segment(gray).layout, page) > 0.95


@pytest.mark.parametrize("shade", [INK, 190])
def test_writing_alone_on_its_page_is_found_as_before(shade):
    gray, page = pale_page(shade, frame=False)
    layout = segment(gray).layout
    assert share_found(layout, page) > 0.99
    assert len(layout.lines) == len(TEXT)


def test_paper_with_a_dark_frame_and_no_writing_has_no_lines():
    gray = paper(900, 700)
    cv2.rectangle(gray, (0, 0), (700, 900), 0, 60)
    assert segment(gray).layout.lines == ()


def test_a_line_of_print_does_not_make_ink_of_the_paper():
    gray = paper(900, 700)
    draw_line(gray, "One line of print", 100, 300, SIZE)
    grain = np.random.default_rng(3).normal(0, 4, gray.shape)
    noisy = np.clip(gray + grain, 0, 255).astype(np.uint8)
    assert len(segment(noisy).layout.lines) == 1
