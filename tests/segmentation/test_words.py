import numpy as np
import pytest

from segmentation.words import gap_threshold, group, runs

X_HEIGHT = 20.0


def block(left, right, top, bottom):
    """Pixels (columns, rows below the line's middle) of a rectangle."""
    xs, offsets = np.meshgrid(np.arange(left, right), np.arange(top, bottom))
    return xs.ravel(), offsets.ravel().astype(float)


def line_of(*blocks):
    """Columns, offsets and component numbers of blocks, a component each, in shuffled order."""
    xs, offsets = (np.concatenate(a) for a in zip(*(block(*b) for b in blocks), strict=True))
    component = np.repeat(np.arange(1, len(blocks) + 1), [block(*b)[0].size for b in blocks])
    order = np.random.default_rng(0).permutation(len(xs))
    return xs[order], offsets[order], component[order]


# ------------------------------------------------------------------------------------------------ runs


def test_runs_are_the_stretches_without_an_empty_column():
    found = runs(*line_of((10, 20, -10, 10), (15, 40, -5, 5), (41, 50, -10, 10), (70, 80, -10, 10)), X_HEIGHT)
    assert [(r.start, r.end) for r in found] == [(10, 40), (41, 50), (70, 80)]
    assert [len(r.pixels) for r in found] == [10 * 20 + 25 * 10, 9 * 20, 10 * 20]


def test_a_tail_under_the_next_letter_stays_with_its_own():
    xs, offsets, component = line_of((10, 20, -10, 10), (30, 40, -10, 10))
    tail = block(12, 40, 25, 28)
    xs, offsets = np.concatenate([xs, tail[0]]), np.concatenate([offsets, tail[1]])
    component = np.concatenate([component, np.ones(tail[0].size, int)])
    first, second = runs(xs, offsets, component, X_HEIGHT)
    assert len(first.pixels) == 200 + tail[0].size and len(second.pixels) == 200


@pytest.mark.parametrize(("left", "home"), [(11, 0), (21, 0), (26, 1), (33, 1), (90, 2)])
def test_a_high_dot_goes_to_the_nearest_run(left, home):
    found = runs(
        *line_of((10, 20, -10, 10), (30, 40, -10, 10), (60, 80, -10, 10), (left, left + 3, -40, -36)), X_HEIGHT
    )
    assert [len(r.pixels) for r in found] == [n + 12 * (i == home) for i, n in enumerate([200, 200, 400])]


def test_ink_that_is_all_outside_the_middle_still_has_runs():
    found = runs(*line_of((10, 20, -60, -50), (30, 40, -60, -50)), X_HEIGHT)
    assert [(r.start, r.end) for r in found] == [(10, 20), (30, 40)]


@pytest.mark.parametrize("seed", range(10))
def test_every_pixel_is_in_one_run_and_runs_go_from_left_to_right(seed):
    rng = np.random.default_rng(seed)
    blocks = []
    for _ in range(12):
        left, top = int(rng.integers(0, 300)), int(rng.integers(-60, 50))
        blocks.append((left, left + int(rng.integers(1, 30)), top, top + int(rng.integers(1, 40))))
    xs, offsets, component = line_of(*blocks)
    found = runs(xs, offsets, component, X_HEIGHT)
    assert sorted(np.concatenate([r.pixels for r in found]).tolist()) == list(range(len(xs)))
    assert all(r.start < r.end for r in found)
    assert all(a.end < b.start for a, b in zip(found, found[1:], strict=False))


# ------------------------------------------------------------------------------------------------ threshold


def two_modes(x_height, letters=0.15, words=1.2, counts=(150, 60), spread=0.2, seed=0):
    rng = np.random.default_rng(seed)
    return x_height * np.concatenate(
        [rng.lognormal(np.log(m), spread, n) for m, n in zip((letters, words), counts, strict=True)]
    )


@pytest.mark.parametrize("x_height", [12.0, 20.0, 60.0])
@pytest.mark.parametrize("counts", [(150, 60), (20, 60), (400, 40)])
@pytest.mark.parametrize(("letters", "words"), [(0.15, 1.2), (0.4, 1.6), (0.1, 0.6)])
def test_the_threshold_lies_between_gaps_in_words_and_gaps_between_words(x_height, counts, letters, words):
    gaps = two_modes(x_height, letters, words, counts)
    threshold = gap_threshold(gaps, x_height)
    inside, between = gaps[: counts[0]], gaps[counts[0] :]
    assert np.mean(inside < threshold) > 0.97 and np.mean(between >= threshold) > 0.97


def test_the_order_of_gaps_does_not_matter():
    gaps = two_modes(20.0)
    assert gap_threshold(gaps[::-1].copy(), 20.0) == pytest.approx(gap_threshold(gaps, 20.0))


@pytest.mark.parametrize("factor", [2, 5])
def test_the_threshold_grows_with_the_writing(factor):
    gaps = two_modes(30.0)
    assert gap_threshold(factor * gaps, 30.0 * factor) == pytest.approx(factor * gap_threshold(gaps, 30.0))


def test_touching_runs_and_wide_empty_stretches_do_not_move_the_threshold():
    gaps = two_modes(20.0)
    odd = np.concatenate([gaps, np.zeros(40), np.full(5, -7.0), np.full(10, 900.0)])
    assert gap_threshold(odd, 20.0) == pytest.approx(gap_threshold(gaps, 20.0), rel=0.35)


@pytest.mark.parametrize("gaps", [[], [5.0], [2.0] * 8, [1.0, 30.0] * 5])
def test_few_gaps_give_the_usual_threshold(gaps):
    assert 0.4 * 20 < gap_threshold(np.array(gaps), 20.0) < 0.8 * 20


@pytest.mark.parametrize("gap", [0.0, 1.0, 5.0, 100.0])
def test_equal_gaps_give_a_plausible_threshold(gap):
    threshold = gap_threshold(np.full(50, gap), 20.0)
    assert np.isfinite(threshold) and 0.2 * 20 < threshold < 4 * 20


# ------------------------------------------------------------------------------------------------ words


def words_of(spans, small=None, threshold=10.0, x_height=20.0):
    starts, ends = (np.array(a, int) for a in zip(*spans, strict=True)) if spans else (np.array([], int),) * 2
    return group(starts, ends, np.array(small or [False] * len(spans), bool), threshold, x_height)


def test_no_runs_are_no_words():
    assert words_of([]) == []


def test_one_run_is_one_word():
    assert words_of([(0, 10)]) == [(0, 1)]


def test_words_are_divided_at_gaps_of_the_threshold_and_above():
    assert words_of([(0, 10), (19, 30), (40, 50), (61, 70)]) == [(0, 2), (2, 3), (3, 4)]


def test_a_small_stop_stays_with_the_word_on_its_left():
    assert words_of([(0, 10), (22, 25), (50, 60)], [False, True, False]) == [(0, 2), (2, 3)]


def test_a_small_stop_far_from_the_word_stands_alone():
    assert words_of([(0, 10), (60, 63), (90, 99)], [False, True, False]) == [(0, 1), (1, 2), (2, 3)]


def test_the_word_after_a_small_stop_is_divided_as_usual():
    assert words_of([(0, 10), (12, 15), (24, 30), (41, 50)], [False, True, False, False]) == [(0, 3), (3, 4)]


def test_a_gap_is_measured_from_the_farthest_ink_so_far():
    assert words_of([(0, 50), (10, 20), (55, 60)]) == [(0, 3)]


@pytest.mark.parametrize("seed", range(10))
def test_every_run_is_in_one_word_in_order(seed):
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.integers(1, 30, 40)).tolist()
    spans = list(zip(edges[::2], edges[1::2], strict=True))
    words = words_of(spans, (rng.random(20) < 0.3).tolist())
    assert [i for a, b in words for i in range(a, b)] == list(range(20))
