import numpy as np
import pytest

from htr_model.decoding.beam_search import search
from htr_model.decoding.steps import Steps
from tests.htr_model.decoding.paths import collapsed, of_paths, random_steps


def everything(steps, **options):
    """A search that drops nothing."""
    return search(steps, 100_000, least_probability=0.0, least_share=0.0, **options)


class Preferring:
    """A language model that knows the last symbol: some pairs of symbols are likelier than others."""

    start = 0
    table = np.random.default_rng(9).uniform(0.2, 2.0, (6, 6))

    def extend(self, state, symbol):
        return float(self.table[state, symbol]), symbol

    def finish(self, state):
        return float(self.table[state, 0])

    def of_text(self, text):
        factor, state = 1.0, self.start
        for symbol in text:
            step, state = self.extend(state, symbol)
            factor *= step
        return factor * self.finish(state)


@pytest.mark.parametrize("seed", range(12))
def test_probability_of_every_text_is_the_sum_over_its_paths(seed):
    steps = random_steps(time=1 + seed % 5, classes=2 + seed % 4, seed=seed)
    expected = {text: sum(paths) for text, paths in of_paths(steps).items()}
    found = everything(steps)
    assert {c.classes for c in found} == set(expected)
    for candidate in found:
        assert np.exp(candidate.log_probability) == pytest.approx(expected[candidate.classes], rel=1e-9)
        assert candidate.share == pytest.approx(expected[candidate.classes], rel=1e-9)
    assert [c.log_probability for c in found] == sorted((c.log_probability for c in found), reverse=True)


@pytest.mark.parametrize("seed", range(6))
def test_language_model_weighs_every_text_by_its_own_factor(seed):
    steps, model = random_steps(5, 4, seed), Preferring()
    weights = {text: sum(paths) * model.of_text(text) for text, paths in of_paths(steps).items()}
    for candidate in everything(steps, language_model=model):
        assert np.exp(candidate.log_probability) == pytest.approx(weights[candidate.classes], rel=1e-9)
        assert candidate.share == pytest.approx(weights[candidate.classes] / sum(weights.values()), rel=1e-9)


def test_language_model_can_be_told_what_stood_before():
    steps, model = random_steps(3, 4, 1), Preferring()
    after_two = {c.classes: c.log_probability for c in everything(steps, language_model=model, start=2)}
    at_start = {c.classes: c.log_probability for c in everything(steps, language_model=model)}
    ratio = np.log(model.table[2, 1] / model.table[0, 1])
    assert after_two[1, 3] - at_start[1, 3] == pytest.approx(ratio)


@pytest.mark.parametrize("seed", range(10))
def test_beam_finds_no_text_that_all_paths_do_not_have_and_nothing_above_its_probability(seed):
    steps = random_steps(6, 4, seed)
    true = {text: sum(paths) for text, paths in of_paths(steps).items()}
    for width in (1, 2, 5):
        found = search(steps, width)
        assert 1 <= len(found) <= width
        assert sum(c.share for c in found) == pytest.approx(1.0)
        for candidate in found:
            assert np.exp(candidate.log_probability) <= true[candidate.classes] * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_wide_beam_finds_a_text_at_least_as_probable_as_the_best_paths(seed):
    steps = random_steps(7, 3, seed)
    true = {text: sum(paths) for text, paths in of_paths(steps).items()}
    best = everything(steps)[0]
    assert true[best.classes] == pytest.approx(max(true.values()))
    assert true[best.classes] >= true[collapsed(steps.classes[:, 0])]


@pytest.mark.parametrize("width", [1, 4, 50])
def test_where_one_class_is_all_but_certain_every_beam_takes_the_best_path(width):
    path = np.array([0, 0, 3, 3, 0, 3, 1, 0, 0, 2, 0])
    log_p = np.log(np.where(np.arange(4) == path[:, None], 0.9994, 0.0002))
    order = np.argsort(-log_p, axis=1, kind="stable")
    found = search(Steps(order, np.take_along_axis(log_p, order, axis=1)), width)
    assert [c.classes for c in found] == [collapsed(path)]
    assert found[0].log_probability == pytest.approx(len(path) * np.log(0.9994))


def test_runs_of_blanks_and_rare_classes_change_next_to_nothing():
    steps = random_steps(6, 4, 3, sharpness=1.0)
    blank = np.log([[0.9997, 0.0001, 0.0001, 0.0001]])
    padded = Steps(
        np.concatenate([np.tile([[0, 1, 2, 3]], (40, 1)), steps.classes, np.tile([[0, 1, 2, 3]], (40, 1))]),
        np.concatenate([np.tile(blank, (40, 1)), steps.log_probabilities, np.tile(blank, (40, 1))]),
    )
    plain, long = search(steps, 50), search(padded, 50)
    assert [c.classes for c in plain[:10]] == [c.classes for c in long[:10]]
    assert long[0].log_probability == pytest.approx(plain[0].log_probability + 80 * np.log(0.9997), abs=1e-6)


def test_no_time_steps_say_nothing():
    (nothing,) = search(Steps(np.zeros((0, 4), int), np.zeros((0, 4))), 8)
    assert (nothing.classes, nothing.log_probability, nothing.share) == ((), 0.0, 1.0)


def test_thousands_of_steps_do_not_underflow():
    steps = random_steps(3000, 6, 2, sharpness=0.5)
    best = search(steps, 4, Preferring())[0]
    assert np.isfinite(best.log_probability)
    assert len(best.classes) > 100


def test_beam_without_width_is_refused():
    with pytest.raises(ValueError, match="beam_width must be at least 1, got 0"):
        search(random_steps(2, 3, 0), 0)


def doubtful_letters(count: int, seed: int) -> Steps:
    """Steps of letters of which each may be one of two, with certain blanks between them."""
    rng = np.random.default_rng(seed)
    classes, probabilities = [], []
    for _ in range(count):
        first, second = (rng.permutation(5)[:2] + 1).tolist()
        classes += [[first, second], [0, first]]
        probabilities += [[0.55, 0.45], [1.0, 1e-300]]
    return Steps(np.array(classes), np.log(probabilities))


def test_search_for_the_best_text_alone_keeps_early_doubts_out_of_the_beam():
    model, lost = Preferring(), 0
    for seed in range(10):
        steps = doubtful_letters(10, seed)
        exact = search(steps, 2000, model, least_share=0.0)[0].classes
        assert search(steps, 4, model, least_share=0.0, best_only=True)[0].classes == exact
        lost += search(steps, 4, model, least_share=0.0)[0].classes != exact
    assert lost


def test_best_text_alone_without_language_model_is_the_same_search():
    steps = random_steps(6, 4, 5)
    assert search(steps, 8, best_only=True) == search(steps, 8)
