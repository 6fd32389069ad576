import itertools

import keras
import numpy as np
import pytest
from keras import ops

from htr_model.ctc import ctc_loss, top_classes
from htr_model.decoding.best_path import collapse
from htr_model.time_steps import steps_needed


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def collapsed(path) -> list[int]:
    """The definition: repeats merged, then blanks removed."""
    return [c for c, _ in itertools.groupby(path) if c != 0]


def loss_over_all_paths(label: list[int], logits: np.ndarray) -> float:
    """Negative log of the summed probability of every path that collapses to ``label``."""
    log_p = log_softmax(logits.astype(np.float64))
    time, classes = logits.shape
    total = sum(
        np.exp(sum(log_p[t, c] for t, c in enumerate(path)))
        for path in itertools.product(range(classes), repeat=time)
        if collapsed(path) == label
    )
    return -np.log(total) if total > 0 else np.inf


def losses(labels: list[list[int]], logits: np.ndarray, steps: list[int], fill: int = 0, width: int = 0) -> np.ndarray:
    padded = np.full((len(labels), max(width, *(len(label) for label in labels))), fill, np.int32)
    for row, label in zip(padded, labels, strict=True):
        row[: len(label)] = label
    lengths = np.array([len(label) for label in labels], np.int32)
    return ops.convert_to_numpy(ctc_loss(padded, lengths, logits, np.array(steps, np.int32)))


def random_logits(*shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32)


@pytest.mark.parametrize("label", [[1], [1, 2], [1, 1], [2, 1, 2], [1, 1, 2], [2, 2, 2], [3, 3]])
def test_loss_is_the_sum_over_all_paths(label):
    logits = random_logits(1, 5, 4, seed=sum(label))
    assert losses([label], logits, [5])[0] == pytest.approx(loss_over_all_paths(label, logits[0]), rel=1e-5)


def test_empty_label_costs_all_blanks():
    logits = random_logits(1, 4, 3)
    assert losses([[]], logits, [4], width=2)[0] == pytest.approx(-log_softmax(logits[0])[:, 0].sum(), rel=1e-5)


def test_different_lengths_in_a_batch_do_not_mix():
    labels, steps = [[1, 2, 1], [3], [2, 2], [1, 3]], [6, 2, 3, 5]
    logits = random_logits(4, 6, 4, seed=3)
    expected = [loss_over_all_paths(lab, logits[i, :n]) for i, (lab, n) in enumerate(zip(labels, steps, strict=True))]
    np.testing.assert_allclose(losses(labels, logits, steps), expected, rtol=1e-5)


def test_padding_of_labels_and_of_time_is_not_read():
    labels, steps = [[1, 2], [3]], [4, 3]
    logits = random_logits(2, 6, 5, seed=4)
    other = logits.copy()
    other[0, 4:] = 50.0
    other[1, 3:] = -50.0
    np.testing.assert_array_equal(losses(labels, logits, steps), losses(labels, other, steps))
    np.testing.assert_allclose(losses(labels, logits, steps), losses(labels, logits, steps, fill=4, width=7), rtol=1e-6)


def test_label_that_no_path_carries_costs_as_good_as_infinitely_much():
    logits = random_logits(2, 3, 4)
    value = losses([[1, 1], [1, 1]], logits, [2, 3])
    assert value[0] > 1e20
    assert np.isfinite(value).all()
    assert value[1] == pytest.approx(loss_over_all_paths([1, 1], logits[1]), rel=1e-5)


def test_agrees_with_keras():
    rng = np.random.default_rng(5)
    logits = random_logits(6, 30, 20, seed=5)
    labels = rng.integers(1, 20, (6, 8)).astype(np.int32)
    lengths, steps = rng.integers(1, 9, 6).astype(np.int32), rng.integers(20, 31, 6).astype(np.int32)
    ours = ops.convert_to_numpy(ctc_loss(labels, lengths, logits, steps))
    theirs = ops.convert_to_numpy(ops.ctc_loss(labels, logits, lengths, steps, mask_index=0))
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="takes gradients with TensorFlow's tape")
def test_gradient_is_finite_and_right_also_beside_an_impossible_label():
    import tensorflow as tf

    labels, lengths = np.array([[1, 1, 0], [2, 3, 3]], np.int32), np.array([2, 3], np.int32)
    steps = np.array([2, 5], np.int32)  # the first label needs three steps
    logits = tf.Variable(random_logits(2, 5, 4, seed=6))
    with tf.GradientTape() as tape:
        loss = ctc_loss(labels, lengths, logits, steps)
    gradient = tape.gradient(loss, logits).numpy()
    assert np.isfinite(gradient).all()
    assert np.all(gradient[0, 2:] == 0)
    for t, c in [(0, 0), (2, 3), (4, 1)]:
        up, down = logits.numpy().astype(np.float64), logits.numpy().astype(np.float64)
        up[1, t, c] += 1e-4
        down[1, t, c] -= 1e-4
        numeric = (loss_over_all_paths([2, 3, 3], up[1]) - loss_over_all_paths([2, 3, 3], down[1])) / 2e-4
        assert gradient[1, t, c] == pytest.approx(numeric, abs=1e-4)


def test_extreme_logits_stay_finite():
    logits = random_logits(1, 40, 10) * 200
    assert np.isfinite(losses([[1, 2, 3, 3, 4]], logits, [40])).all()


def test_collapse_is_the_definition_for_every_short_path():
    for time in range(1, 6):
        for path in itertools.product(range(3), repeat=time):
            decoded = collapse(np.array(path), np.linspace(0.1, 0.9, time))
            assert decoded.classes == collapsed(path)
            assert len(decoded.probabilities) == len(decoded.spans) == len(decoded.classes)


def test_symbols_carry_their_own_steps_and_best_probability():
    path = np.array([0, 2, 2, 0, 2, 1, 1])
    decoded = collapse(path, np.array([0.9, 0.5, 0.7, 0.8, 0.6, 0.3, 0.2]))
    assert decoded.classes == [2, 2, 1]
    assert decoded.probabilities == pytest.approx([0.7, 0.6, 0.3])
    assert decoded.spans == [(1, 2), (4, 4), (5, 6)]


def test_no_time_steps_decode_to_nothing():
    decoded = collapse(np.array([], np.int32), np.array([]))
    assert (decoded.classes, decoded.probabilities, decoded.spans) == ([], [], [])


def test_decoded_text_is_at_least_as_probable_as_its_best_path():
    for seed in range(10):
        logits = random_logits(1, 12, 5, seed=seed)
        path, log_probabilities = (ops.convert_to_numpy(a)[0, :, 0] for a in top_classes(logits, 1))
        classes = collapse(path, np.exp(log_probabilities)).classes
        of_path = -log_softmax(logits[0])[np.arange(12), path].sum()
        assert losses([classes], logits, [12], width=1)[0] <= of_path + 1e-4


@pytest.mark.parametrize("count", [1, 3, 9])
def test_top_classes_and_their_log_probabilities(count):
    logits = random_logits(3, 7, 5)
    classes, log_probabilities = (ops.convert_to_numpy(a) for a in top_classes(logits, count))
    np.testing.assert_array_equal(classes, (-logits).argsort(-1)[..., :count])
    np.testing.assert_allclose(log_probabilities, -np.sort(-log_softmax(logits))[..., :count], rtol=1e-5)


@pytest.mark.parametrize("label", [[], [1], [1, 2, 3], [1, 1], [2, 2, 2, 1]])
def test_steps_needed_is_where_the_label_becomes_possible(label):
    logits = random_logits(1, 8, 4)
    need = steps_needed(label)
    assert losses([label], logits, [need], width=1)[0] < 1e20
    if need:
        assert losses([label], logits, [need - 1], width=1)[0] > 1e20
