import keras
import numpy as np
import pytest

from htr_model.training.steps import graphs_are_possible, keras_step, packed_ctc_loss

PACKED = np.array([[2, 6, 1, 2, 0, 0], [1, 4, 3, 0, 0, 0]], np.int32)
"""Labels of two pictures: their length, time steps, classes."""


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 1, shape).astype(np.float32)


# --- the loss ---------------------------------------------------------------------------------------------------------


def test_packed_loss_is_nats_per_character():
    logits = noise(2, 6, 4)
    loss = keras.ops.convert_to_numpy(packed_ctc_loss(PACKED, logits))
    plain = [
        float(keras.ops.ctc_loss(row[None, 2 : 2 + row[0]], x[None, : row[1]], row[None, 0], row[None, 1])[0])
        for row, x in zip(PACKED, logits, strict=True)
    ]
    assert loss.mean() == pytest.approx(sum(plain) / 3, rel=1e-4)


# --- steps by Keras ---------------------------------------------------------------------------------------------------


def trainer(outputs: int) -> keras.Model:
    """Inputs as a recogniser's, and one or two layers of logits, of which the second weighs more."""
    columns, widths = keras.Input((6, 5)), keras.Input(())
    logits = [keras.layers.Dense(4, name=f"logits{i}")(columns) for i in range(outputs)]
    model = keras.Model([columns, widths], logits)
    model.set_weights([noise(*w.shape) * (1 + i) for i, w in enumerate(model.get_weights())])
    weights = [1.0, 3.0][:outputs]
    model.compile(keras.optimizers.SGD(0.1), loss=[packed_ctc_loss] * outputs, loss_weights=weights)
    return model


INPUTS = (noise(2, 6, 5), np.array([6, 4], np.float32))


def own_loss(model) -> float:
    """Of the first output."""
    logits = model.predict_on_batch(list(INPUTS))
    logits = logits[0] if isinstance(logits, list) else logits
    return float(np.mean(packed_ctc_loss(PACKED, logits)))


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_step_tells_the_loss_of_the_first_output_before_it_and_lowers_it(outputs):
    model = trainer(outputs)
    step = keras_step(model.train_on_batch, outputs)
    for _ in range(3):
        before = own_loss(model)
        assert step(INPUTS, PACKED) == pytest.approx(before, rel=1e-4)
        assert own_loss(model) < before


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_step_of_measurement_changes_no_weight(outputs):
    model = trainer(outputs)
    before = model.get_weights()
    assert keras_step(model.test_on_batch, outputs)(INPUTS, PACKED) == pytest.approx(own_loss(model), rel=1e-4)
    for one, other in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_all_outputs_learn_in_a_step():
    model = trainer(2)
    before = model.get_weights()
    keras_step(model.train_on_batch, 2)(INPUTS, PACKED)
    assert all(np.abs(one - other).max() > 1e-4 for one, other in zip(model.get_weights(), before, strict=True))


# --- steps as graphs --------------------------------------------------------------------------------------------------


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="with PyTorch that depends on the machine")
def test_there_are_no_graphs_without_pytorch():
    assert not graphs_are_possible()
