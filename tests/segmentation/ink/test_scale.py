import numpy as np
import pytest

from segmentation.ink.components import components
from segmentation.ink.scale import line_pitch, measure, stroke_width, x_height
from tests.segmentation.drawing import PRINT, SCRIPT, TEXT, dark, draw_page, draw_word, paper


@pytest.mark.parametrize("width", [3, 5, 8, 12])
def test_stroke_width_of_bars_is_known(width):
    ink = np.zeros((400, 400), bool)
    for top in range(20, 380, 40):
        ink[top : top + width, 20:380] = True
    assert stroke_width(ink) == pytest.approx(width, rel=0.05)
    assert stroke_width(ink.T) == pytest.approx(width, rel=0.05)


def test_stroke_width_of_nothing_is_zero():
    assert stroke_width(np.zeros((10, 10), bool)) == 0.0


@pytest.mark.parametrize("size", [20, 40, 80])
@pytest.mark.parametrize("font", [PRINT, SCRIPT])
def test_x_height_is_that_of_the_letter_x(size, font):
    true = draw_word(paper(300, 300), "x", 100, 200, size, font).height
    ink = draw_page(size=size, font=font).ink
    assert x_height(ink, components(ink), stroke_width(ink)) == pytest.approx(true, rel=0.25)


def test_an_engraving_is_no_writing():
    """Hatching, which runs together as the strokes of letters do, outweighs the few words beside it."""
    words = draw_page(TEXT[:2], size=40)
    true = draw_word(paper(300, 300), "x", 100, 200, 40).height
    ink = np.zeros((900, 1400), bool)
    ink[: words.ink.shape[0], : words.ink.shape[1]] = words.ink
    ink[300:800, 500:1300:9] = ink[300:800, 501:1300:9] = ink[300:800, 502:1300:9] = True
    assert x_height(ink, components(ink), stroke_width(ink)) == pytest.approx(true, rel=0.25)


@pytest.mark.parametrize("size", [20, 40, 60])
@pytest.mark.parametrize("pitch", [1.4, 1.9, 3.0])
def test_pitch_is_the_distance_of_lines_and_not_a_multiple(size, pitch):
    ink = draw_page(size=size, pitch=pitch).ink
    assert measure(ink, components(ink)).pitch == pytest.approx(round(pitch * size), rel=0.12)


def test_pitch_of_lines_of_different_lengths():
    texts = [t[: 8 + 5 * (i % 4)] for i, t in enumerate(TEXT)]
    ink = draw_page(texts, size=40).ink
    assert measure(ink, components(ink)).pitch == pytest.approx(76, rel=0.12)


def test_one_line_gives_no_pitch_and_falls_back():
    ink = draw_page(TEXT[:1]).ink
    assert line_pitch(ink, 20.0) == pytest.approx(3.5 * 20)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (12, 12)])
@pytest.mark.parametrize("value", [False, True])
def test_tiny_blank_and_full_pages_have_a_finite_scale(shape, value):
    ink = np.full(shape, value)
    scale = measure(ink, components(ink))
    assert np.isfinite([scale.stroke_width, scale.x_height, scale.pitch]).all()
    assert scale.x_height > 0 and scale.pitch > 0


def test_scale_grows_with_the_page():
    ink = draw_page(size=30).ink
    large = np.kron(ink, np.ones((2, 2), bool))
    small, big = measure(ink, components(ink)), measure(large, components(large))
    assert big.x_height == pytest.approx(2 * small.x_height, rel=0.15)
    assert big.pitch == pytest.approx(2 * small.pitch, rel=0.15)


def test_specks_do_not_move_the_scale():
    page = draw_page(size=40)
    specks = np.random.default_rng(1).random(page.gray.shape) < 0.001
    clean, dirty = (measure(i, components(i)) for i in (page.ink, dark(page.gray) | specks))
    assert dirty.x_height == pytest.approx(clean.x_height, rel=0.2)
    assert dirty.pitch == pytest.approx(clean.pitch, rel=0.1)
