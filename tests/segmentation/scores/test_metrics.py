import itertools

import numpy as np
import pytest

from segmentation.geometry import Box
from segmentation.scores.metrics import Scores, compare_boxes, kendall_tau
from tests.segmentation.boxes import intersection_over_union


def best_matching(found, true, threshold):
    """Pairs in the largest one-to-one matching, by trying all."""
    short, long = sorted((found, true), key=len)
    return max(
        sum(intersection_over_union(a, b) >= threshold for a, b in zip(short, chosen, strict=True))
        for chosen in itertools.permutations(long, len(short))
    )


def disjoint_boxes(rng, count):
    """Boxes in cells of a grid of 20 × 20 pixels, none of which share a pixel."""
    cells = rng.choice(6, size=count, replace=False)
    boxes = []
    for cell in cells.tolist():
        left, top = rng.integers(0, 8, 2).tolist()
        right, bottom = rng.integers(12, 21, 2).tolist()
        x, y = 20 * (cell % 3), 20 * (cell // 3)
        boxes.append(Box(x + left, y + top, x + right, y + bottom))
    return boxes


def any_boxes(rng, count):
    corners, sizes = rng.integers(0, 12, (count, 2)).tolist(), rng.integers(4, 16, (count, 2)).tolist()
    return [Box(x, y, x + w, y + h) for (x, y), (w, h) in zip(corners, sizes, strict=True)]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("threshold", [0.5, 0.75])
def test_matches_of_disjoint_boxes_are_as_many_as_brute_force_finds(seed, threshold):
    rng = np.random.default_rng(seed)
    found, true = (disjoint_boxes(rng, int(rng.integers(1, 6))) for _ in range(2))
    assert compare_boxes(found, true, threshold).matched == best_matching(found, true, threshold)


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("threshold", [0.2, 0.5])
def test_matches_of_overlapping_boxes_are_one_to_one(seed, threshold):
    rng = np.random.default_rng(seed)
    found, true = (any_boxes(rng, int(rng.integers(1, 6))) for _ in range(2))
    scores = compare_boxes(found, true, threshold)
    assert (scores.found, scores.true) == (len(found), len(true))
    best = best_matching(found, true, threshold)
    # Taking the best pair first gives at least half of the largest matching, and one pair if there is any.
    assert best / 2 <= scores.matched <= best


def test_a_true_box_found_twice_counts_once():
    box = Box(0, 0, 10, 10)
    scores = compare_boxes([box, box], [box], 0.5)
    assert scores == Scores(1, 2, 1)
    assert (scores.precision, scores.recall) == (0.5, 1.0)


def test_precision_is_of_the_found_and_recall_of_the_true():
    boxes = [Box(20 * i, 0, 20 * i + 10, 10) for i in range(4)]
    scores = compare_boxes(boxes[:1], boxes, 0.5)
    assert (scores.precision, scores.recall) == (1.0, 0.25)
    assert scores.f1 == pytest.approx(2 * 1 * 0.25 / 1.25)


def test_the_better_pair_comes_first():
    true = [Box(0, 0, 10, 10), Box(0, 0, 10, 7)]
    assert compare_boxes([Box(0, 0, 10, 7), Box(0, 0, 10, 10)], true, 0.5).matched == 2


def test_the_threshold_belongs_to_the_matches():
    half = [Box(0, 0, 10, 5)]
    assert compare_boxes(half, [Box(0, 0, 10, 10)], 0.5).matched == 1
    assert compare_boxes(half, [Box(0, 0, 10, 10)], 0.51).matched == 0


def test_boxes_side_by_side_never_match():
    assert compare_boxes([Box(0, 0, 10, 10)], [Box(10, 0, 20, 10)], 0.01).matched == 0


@pytest.mark.parametrize(
    ("found", "true", "expected"),
    [(0, 0, (1.0, 1.0, 1.0)), (0, 2, (1.0, 0.0, 0.0)), (2, 0, (0.0, 1.0, 0.0))],
)
def test_scores_where_boxes_are_missing(found, true, expected):
    boxes = [Box(20 * i, 0, 20 * i + 10, 10) for i in range(2)]
    scores = compare_boxes(boxes[:found], boxes[:true], 0.5)
    assert (scores.precision, scores.recall, scores.f1) == expected


def test_scores_of_pages_add_up():
    assert Scores(1, 2, 3) + Scores(10, 20, 30) == Scores(11, 22, 33)


@pytest.mark.parametrize(
    ("order", "tau"),
    [([], None), ([4], None), ([0, 1, 2, 3], 1), ([9, 5, 1], -1), ([1, 0, 2], 1 / 3), ([3, 0, 1, 2], 0), ([7, 9], 1)],
)
def test_kendalls_tau_of_small_orders(order, tau):
    assert kendall_tau(order) == pytest.approx(tau)
