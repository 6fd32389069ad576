"""A model bundle at work: normalised pictures in, texts with confidence out."""

from __future__ import annotations

import keras
import numpy as np

from htr_model import networks
from htr_model.bundle import Bundle, BundleError
from htr_model.confidence import geometric_mean
from htr_model.ctc import Decoded, best_path, collapse
from htr_model.normalization import Normalization, normalize, stack
from htr_model.reading import Reading


def named_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """The model's variables by path, as float32 arrays. Paths are the same in every Keras backend."""
    return {v.path: np.asarray(keras.ops.convert_to_numpy(v), np.float32) for v in _variables(model)}


def _variables(model: keras.Model) -> list:
    """Weights without the counters and seeds that layers such as dropout keep."""
    return [v for v in model.weights if "seed_generator" not in v.path]


def assign_weights(model: keras.Model, weights: dict[str, np.ndarray], name: str) -> None:
    """Set the model's variables.

    Raises:
        BundleError: an array is missing or has another shape than the network wants.
    """
    for variable in _variables(model):
        array = weights.get(variable.path)
        if array is None or tuple(array.shape) != tuple(variable.shape):
            found = "missing" if array is None else f"of shape {array.shape}"
            raise BundleError(f"{name}: weight {variable.path} is {found}, the network wants {tuple(variable.shape)}")
        variable.assign(array)


class Recognizer:
    """A loaded network with its charset and settings. Thread-safe after construction."""

    def __init__(self, bundle: Bundle):
        try:
            model = networks.build(bundle.network, bundle.normalization.height, bundle.charset.classes)
        except ValueError as error:
            raise BundleError(f"bundle {bundle.id}: {error}") from error
        assign_weights(model, bundle.weights, f"bundle {bundle.id}")
        self.bundle = bundle
        self._model = model
        self._predict = _compiled(model, bundle.temperature)

    @property
    def normalization(self) -> Normalization:
        return self.bundle.normalization

    def read(self, pictures: list[np.ndarray]) -> list[Reading]:
        """Readings of normalised pictures, uint8 (height, width) each, in one call of the network.

        A picture's reading does not depend on the others in the call.
        """
        if not pictures:
            return []
        batch, widths = stack(pictures, self.normalization)
        path, probabilities = (keras.ops.convert_to_numpy(a) for a in self._predict(batch, widths))
        steps = networks.time_steps(widths)
        return [
            self._reading(collapse(path[i, :n], probabilities[i, :n]), picture)
            for i, (n, picture) in enumerate(zip(steps, pictures, strict=True))
        ]

    def read_gray(self, pictures: list[np.ndarray]) -> list[Reading]:
        """Readings of grey pictures of any size, uint8 (h, w) each."""
        return self.read([normalize(p, self.normalization).pixels for p in pictures])

    def _reading(self, decoded: Decoded, picture: np.ndarray) -> Reading:
        if not picture.any():
            return Reading("", 0.0, 0.0, (), ())
        # A letter may be seen in the last time step, which can stand for fewer columns than the others.
        width, stride = picture.shape[1], networks.TIME_STRIDE
        text = self.bundle.charset.decode(decoded.classes)
        return Reading(
            text=text,
            confidence=geometric_mean(decoded.probabilities),
            min_char_confidence=min(decoded.probabilities, default=0.0),
            spans=tuple((first * stride, min((last + 1) * stride, width)) for first, last in decoded.spans),
            char_confidences=tuple(decoded.probabilities),
        )


def _compiled(model: keras.Model, temperature: float):
    """Function of (pixels, widths) → (path, probabilities), compiled where the backend can."""

    def predict(pixels, widths):
        return best_path(model([pixels, widths], training=False), temperature)

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = [
            tf.TensorSpec((None, model.inputs[0].shape[1], None, 1), tf.uint8),
            tf.TensorSpec((None,), tf.int32),
        ]
        return tf.function(predict, input_signature=signature)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(predict)
    return predict
