import keras
import numpy as np

from htr_model.training.optimizer import adamw


def test_only_kernels_decay():
    variables = [keras.Variable(np.ones((2, 2)), name=name) for name in ("kernel", "bias", "gamma", "beta")]
    optimizer = adamw(variables, learning_rate=0.1, weight_decay=0.5, clipnorm=1.0)
    optimizer.apply([keras.ops.zeros((2, 2))] * 4, variables)
    kernel, *others = (keras.ops.convert_to_numpy(v) for v in variables)
    np.testing.assert_allclose(kernel, 0.95)
    assert all((other == 1).all() for other in others)
