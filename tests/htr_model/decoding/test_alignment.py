import numpy as np
import pytest

from htr_model.decoding.alignment import best_alignment
from htr_model.decoding.steps import Steps
from tests.htr_model.decoding.paths import collapsed, of_paths, random_steps


def test_alignment_of_a_long_text():
    text = tuple(1 + i % 3 for i in range(200))
    path = np.array([c for symbol in text for c in (symbol, 0)])
    log_p = np.log(np.where(np.arange(4) == path[:, None], 0.97, 0.01))
    order = np.argsort(-log_p, axis=1, kind="stable")
    steps = Steps(order, np.take_along_axis(log_p, order, axis=1))
    np.testing.assert_array_equal(best_alignment(steps, text), path)


@pytest.mark.parametrize("seed", range(8))
def test_alignment_is_the_most_probable_path_of_its_text(seed):
    steps = random_steps(5, 3, seed)
    by_class = np.take_along_axis(steps.log_probabilities, np.argsort(steps.classes, axis=1), axis=1)
    for text, paths in of_paths(steps).items():
        path = best_alignment(steps, text)
        assert collapsed(path) == text
        assert np.exp(by_class[np.arange(5), path].sum()) == pytest.approx(max(paths))


def test_text_that_needs_more_steps_or_other_classes_has_no_alignment():
    steps = random_steps(3, 3, 0)
    assert best_alignment(steps, (1, 1, 1)) is None
    assert best_alignment(Steps(steps.classes[:, :1], steps.log_probabilities[:, :1]), (7,)) is None


def test_no_time_steps_align_with_no_text():
    assert len(best_alignment(Steps(np.zeros((0, 4), int), np.zeros((0, 4))), ())) == 0
