"""A bundle's network in Keras, on whatever its backend runs on."""

from __future__ import annotations

import os

import keras

from htr_model import networks
from htr_model.bundle import Bundle
from htr_model.ctc import top_classes
from htr_model.runtimes import Predictor, gpu_is_there

_COLUMNS = 16_384
"""About 128 words or 12 lines, padding included."""
_GPU_COLUMNS = 131_072
"""A GPU takes about as long for 256 lines as for 16 (docs/experiments.md)."""


def keras_predictor(bundle: Bundle, count: int, threads: int | None) -> Predictor:
    """The network in Keras, compiled where the backend can; see `htr_model.runtimes.predictor`.

    Raises:
        ValueError: the weights are not those of the network.
    """
    if threads:
        # Read by TensorFlow when it starts its first operation.
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))
    model = networks.with_weights(bundle)

    def predict(pixels, widths):
        return top_classes(model([pixels, widths], training=False), count)

    compiled = _compiled(predict, bundle.normalization.height)
    # One call at a time: a backend spreads it over the accelerator, or over the processors' cores, itself.
    columns = _GPU_COLUMNS if gpu_is_there() else _COLUMNS
    return Predictor(lambda *batch: tuple(keras.ops.convert_to_numpy(a) for a in compiled(*batch)), columns, 1)


def _compiled(predict, height: int):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec((None, height, None, 1), tf.uint8), tf.TensorSpec((None,), tf.int32)]
        return tf.function(predict, input_signature=signature)
    if backend == "jax":
        import jax

        return jax.jit(predict)
    return predict
