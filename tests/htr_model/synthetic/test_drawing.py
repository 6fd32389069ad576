import numpy as np
import pytest

from htr_model.charset import LATIN
from htr_model.normalization import Normalization, normalize
from htr_model.synthetic.drawing import draw_line
from htr_model.synthetic.fonts import find


@pytest.fixture(scope="module")
def fonts(font_folder):
    return {font.look: font for font in find(font_folder, LATIN)[0]}


LOOKS = pytest.mark.parametrize("look", ["hand", "typed", "printed"])
TEXTS = ("The river is high", "à", "£1 12s. 6d.", "I", "...", "(WEYMOUTH) Qy, j'ai été là-bas hier avant midi, en été.")


def draw(font, text, seed=0, neighbours=("", "")):
    return draw_line(text, font, np.random.default_rng([seed]), neighbours)


@LOOKS
@pytest.mark.parametrize("text", TEXTS)
def test_pictures_have_the_promised_heights_and_hold_ink(fonts, look, text):
    for seed in range(4):
        gray = draw(fonts[look], text, seed, ("above it", "below it") if seed % 2 else ("", ""))
        assert gray.dtype == np.uint8
        assert 40 <= gray.shape[0] <= 90
        assert gray.shape[1] >= 8
        assert int(gray.max()) - int(gray.min()) > 40


@LOOKS
def test_longer_texts_are_wider_and_ink_grows_with_the_letters(fonts, look):
    font = fonts[look]
    ink = {}
    for text in ("mm", "mm mm mm mm"):
        pictures = [normalize(draw(font, text, seed), Normalization()).pixels for seed in range(6)]
        ink[text] = np.median([p.shape[1] / p.shape[0] for p in pictures])
    assert ink["mm mm mm mm"] > 3 * ink["mm"]


@LOOKS
def test_the_first_and_last_letter_are_whole(fonts, look):
    """Between the writing and the sides of the picture there is paper."""
    for seed in range(12):
        gray = draw(fonts[look], "Hamburg", seed).astype(int)
        paper, ink = np.percentile(gray, 80), np.percentile(gray, 1)
        edge = np.concatenate([gray[:, 0], gray[:, -1]])
        assert np.mean(edge < (paper + 2 * ink) / 3) < 0.12  # a ruled line may run to the edge


def test_same_seed_same_picture(fonts):
    one, two, other = (draw(fonts["hand"], "The river", seed) for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_neighbours_reach_in_at_the_edges(fonts):
    plain, beside = [], []
    for seed in range(12):
        for found, neighbours in ((plain, ("", "")), (beside, ("gypsy jugglers", "Half The Hall"))):
            gray = draw(fonts["printed"], "more or less", seed, neighbours).astype(int)
            edges = np.concatenate([gray[:4], gray[-4:]])
            found.append(np.mean(edges < (np.percentile(gray, 80) + np.percentile(gray, 2)) / 2))
    assert np.mean(beside) > 3 * np.mean(plain) + 0.02


def test_what_a_font_lacks_is_refused(fonts):
    for text in ("שלום", "", " "):
        with pytest.raises(ValueError, match="cannot draw"):
            draw(fonts["hand"], text)
