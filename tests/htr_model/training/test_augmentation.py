import numpy as np
import pytest

from htr_model.normalization import Normalization, normalize
from htr_model.training import augmentation
from htr_model.training.augmentation import augment, leave_out, rearrange
from tests.htr_model.drawing import word


def test_same_seed_gives_the_same_picture():
    gray, neighbour = word("seed"), word("other")
    for seed in range(20):
        a, b = (augment(gray, np.random.default_rng(seed), neighbour) for _ in range(2))
        np.testing.assert_array_equal(a, b)


def test_other_seeds_give_other_pictures():
    pictures = [augment(word("seed"), np.random.default_rng(seed)) for seed in range(20)]
    assert len({p.tobytes() for p in pictures}) > 15


def test_the_input_is_left_alone():
    gray, neighbour = word("input"), word("next")
    before = gray.copy(), neighbour.copy()
    for seed in range(60):
        augment(gray, np.random.default_rng(seed), neighbour)
    np.testing.assert_array_equal(gray, before[0])
    np.testing.assert_array_equal(neighbour, before[1])


def test_writing_is_still_there_and_can_be_normalised():
    """Over many seeds the ink still spans the word: nothing is erased or swallowed by a ruling or a shadow."""
    gray, settings = word("minimum", 100), Normalization()
    plain = normalize(gray, settings).pixels
    share = np.count_nonzero(plain > 96) / plain.shape[1]
    for seed in range(300):
        picture = augment(gray, np.random.default_rng(seed), word("by"))
        assert picture.dtype == np.uint8
        assert picture.ndim == 2
        pixels = normalize(picture, settings).pixels
        ink = pixels > 96
        assert np.count_nonzero(ink) / pixels.shape[1] > 0.3 * share, seed
        assert np.count_nonzero(ink.any(axis=0)) > 0.5 * pixels.shape[1], seed


def test_ink_stays_darker_than_the_paper():
    gray = word("dark")
    for seed in range(100):
        picture = augment(gray, np.random.default_rng(seed)).astype(int)
        paper = np.median(picture)
        assert paper - picture.min() > picture.max() - paper, seed


def test_width_changes_stay_within_readable_bounds():
    gray = word("bounds", 72)
    for seed in range(200):
        picture = augment(gray, np.random.default_rng(seed))
        aspect = (picture.shape[1] / picture.shape[0]) / (gray.shape[1] / gray.shape[0])
        assert 0.4 < aspect < 2.0, seed


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 200), (200, 3), (1, 300), (300, 1)])
def test_tiny_pictures_come_through(size):
    for seed in range(60):
        rng = np.random.default_rng(seed)
        gray = rng.integers(0, 256, size).astype(np.uint8)
        picture = augment(gray, rng, gray)
        assert picture.dtype == np.uint8
        assert picture.size > 0


def test_very_wide_picture_comes_through():
    for seed in range(8):
        assert augment(np.full((40, 33_000), 255, np.uint8), np.random.default_rng(seed)).size > 0


@pytest.mark.parametrize(
    "change",
    ["slant_and_scale", "warp_elastically", "change_stroke", "draw_ruling", "lower_resolution", "change_ink",
     "dirty_paper", "binarise"],
)  # fmt: skip
def test_each_change_does_something_and_keeps_uint8(change):
    gray = word("change", 72)
    pictures = [getattr(augmentation, change)(gray, np.random.default_rng(seed)) for seed in range(10)]
    assert all(p.dtype == np.uint8 and p.ndim == 2 and p.size for p in pictures)
    assert any(p.shape != gray.shape or not np.array_equal(p, gray) for p in pictures)


def test_neighbours_ink_stays_at_the_edge():
    gray, dark = np.full((60, 200), 250, np.uint8), np.zeros((60, 200), np.uint8)
    for seed in range(50):
        picture = augmentation.intrude(gray, dark, np.random.default_rng(seed))
        assert picture[12:48].min() == 250


TEXT = "ab cd ef gh"
LEVELS = {"ab": 10, "cd": 60, "ef": 110, "gh": 160}


def levels() -> np.ndarray:
    """A "line" whose words are told apart by their level: 30 columns each, the gaps in the middle of 10 more."""
    return np.hstack([np.full((20, 40), level, np.uint8) for level in LEVELS.values()])


def test_pictures_and_words_change_places_together():
    texts = set()
    for seed in range(200):
        gray, text = rearrange(levels(), TEXT, (0.25, 0.5, 0.75), np.random.default_rng(seed))
        shown = gray[0, ::40].tolist()
        assert shown == [LEVELS[w] for w in text.split(" ")]
        assert gray.shape == (20, 40 * len(shown))
        texts.add(text)
    assert TEXT in texts and "cd ef gh ab" in texts and "ef" in texts and len(texts) > 20


def test_words_are_not_parted_where_no_gap_is_known():
    nan = float("nan")
    for seed in range(100):
        _, text = rearrange(levels(), TEXT, (nan, 0.5, nan), np.random.default_rng(seed))
        assert text in ("ab cd ef gh", "ef gh ab cd", "ab cd", "ef gh")
    gray, text = rearrange(levels(), TEXT, (nan,) * 3, np.random.default_rng(0))
    assert text == TEXT
    np.testing.assert_array_equal(gray, levels())


def test_gaps_at_the_edges_leave_something_to_read():
    for seed in range(100):
        gray, text = rearrange(levels(), TEXT, (0.0, 0.0, 1.0), np.random.default_rng(seed))
        assert gray.size and text


def test_what_is_left_out_is_small():
    gray = word("several words of a line", 100)
    plain = np.count_nonzero(gray < 128)
    shares = [np.count_nonzero(leave_out(gray, np.random.default_rng(s)) < 128) / plain for s in range(100)]
    assert 0.7 < np.mean(shares) < 0.97 and min(shares) > 0.4
