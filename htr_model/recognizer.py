"""A model bundle at work: normalised pictures in, texts with confidence out."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np

from htr_model import networks
from htr_model.bundle import Bundle, BundleError
from htr_model.ctc import best_path, collapse, top_classes
from htr_model.decoding.beam_search import LanguageModel, Steps
from htr_model.decoding.decoder import CLASSES_PER_STEP, DecodedText, decode
from htr_model.decoding.settings import GREEDY, DecoderSettings
from htr_model.normalization import Normalization, normalize, stack
from htr_model.reading import NOTHING, Reading, reading


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
    """A loaded network with its charset and settings. Thread-safe after construction.

    Args:
        language_model: made for the bundle's charset; only the beam search asks it.
    """

    def __init__(
        self,
        bundle: Bundle,
        decoder: DecoderSettings = GREEDY,
        language_model: LanguageModel | None = None,
    ):
        try:
            model = networks.build(bundle.network, bundle.normalization.height, bundle.charset.classes)
        except ValueError as error:
            raise BundleError(f"bundle {bundle.id}: {error}") from error
        assign_weights(model, bundle.weights, f"bundle {bundle.id}")
        self.bundle = bundle
        self._decoder = decoder
        self._language_model = language_model
        self._model = model
        self._predict = _compiled(model, bundle.temperature, decoder.needs_classes)

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
        # Classes and probabilities: of the best path (batch, time), or of several classes a step (batch, time, k).
        classes, values = (keras.ops.convert_to_numpy(a) for a in self._predict(batch, widths))
        steps = networks.time_steps(widths)
        return [
            self._reading(classes[i, :n], values[i, :n], picture) if picture.any() else NOTHING
            for i, (n, picture) in enumerate(zip(steps, pictures, strict=True))
        ]

    def read_gray(self, pictures: list[np.ndarray]) -> list[Reading]:
        """Readings of grey pictures of any size, uint8 (h, w) each."""
        return self.read([normalize(p, self.normalization).pixels for p in pictures])

    def _reading(self, classes: np.ndarray, values: np.ndarray, picture: np.ndarray) -> Reading:
        if self._decoder.needs_classes:
            decoded = decode(Steps(classes, values), self.bundle.charset, self._decoder, self._language_model)
        else:
            decoded = DecodedText(collapse(classes, values), (), ())
        best = decoded.best
        # A letter may be seen in the last time step, which can stand for fewer columns than the others.
        width, stride = picture.shape[1], networks.TIME_STRIDE
        spans = tuple((first * stride, min((last + 1) * stride, width)) for first, last in best.spans)
        text = self.bundle.charset.decode(best.classes)
        found = reading(text, spans, tuple(best.probabilities), self.bundle.calibration)
        return replace(found, alternatives=decoded.alternatives, word_alternatives=decoded.word_alternatives)


def _compiled(model: keras.Model, temperature: float, several_classes: bool):
    """Function of (pixels, widths) → (classes, probabilities) of the best path, or with log-probabilities of several
    classes a time step; compiled where the backend can."""

    def predict(pixels, widths):
        logits = model([pixels, widths], training=False)
        return top_classes(logits, CLASSES_PER_STEP, temperature) if several_classes else best_path(logits, temperature)

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
