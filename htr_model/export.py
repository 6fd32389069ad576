"""Recognisers for programs without Keras: ONNX, LiteRT and TensorFlow's SavedModel, with a JSON that says the rest.

All take ``pixels`` uint8 (batch, height, width, 1) and ``widths`` int32 (batch,) and give ``logits`` float32
(batch, width / 4, classes), as `networks` describes. ONNX and SavedModel take any batch and width; LiteRT, which plans
its memory ahead, takes one picture of one width, narrower ones padded.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from htr_model import networks
from htr_model.bundle import Bundle
from htr_model.charset import BLANK
from htr_model.onnx_networks import logits_graph
from htr_model.time_steps import TIME_STRIDE

Run = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(pixels, widths) → logits."""


def write(bundle: Bundle, kind: str, path: Path, width: int) -> None:
    """Write a bundle's network as ``onnx``, ``litert`` or ``saved-model``: a file, or a folder for the last.

    Args:
        width: columns of the input, for ``litert``; a multiple of 16.

    Raises:
        BundleError, ValueError: the weights are not those of the network.
    """
    if kind == "onnx":
        path.write_bytes(logits_graph(bundle).SerializeToString())
    elif kind == "litert":
        path.write_bytes(_to_litert(networks.with_weights(bundle), width))
    else:
        import tensorflow as tf

        model = networks.with_weights(bundle)
        module = tf.Module()
        # All of them: the seeds of a dropout in an LSTM are not found through the model.
        module.kept = [v.value for v in model.variables]
        tf.saved_model.save(module, str(path), signatures=_function(model, None, None))


def settings(bundle: Bundle, kind: str, width: int) -> bytes:
    """JSON with what a program must know beside the network to read like inkbeam."""
    values = {
        "model_id": bundle.id,
        "network": bundle.network,
        "format": kind,
        "input": {
            "pixels": ["batch", bundle.normalization.height, "width", 1],
            "width": width if kind == "litert" else None,
            "batch": 1 if kind == "litert" else None,
            "paper": 0,
            "ink": 255,
        },
        "normalization": asdict(bundle.normalization),
        "charset": bundle.charset.symbols,
        "decoding": {"blank": BLANK, "time_stride": TIME_STRIDE},
        "calibration": asdict(bundle.calibration),
    }
    return json.dumps(values, indent=1, ensure_ascii=False).encode()


def runner(kind: str, path: Path) -> Run:
    """The exported network as a function, run by its own runtime."""
    if kind == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return lambda pixels, widths: session.run(["logits"], {"pixels": pixels, "widths": widths})[0]
    import tensorflow as tf

    if kind == "litert":
        return _in_litert(tf.lite.Interpreter(model_path=str(path)))
    loaded = tf.saved_model.load(str(path))
    signature = loaded.signatures["serving_default"]
    # The function holds no reference to what it belongs to.
    return lambda pixels, widths, _keep=loaded: signature(pixels=pixels, widths=widths)["logits"].numpy()


def _in_litert(interpreter) -> Run:
    interpreter.allocate_tensors()
    pixels_at, widths_at = (
        next(d["index"] for d in interpreter.get_input_details() if d["name"].startswith(name))
        for name in ("pixels", "widths")
    )

    def run(pixels, widths):
        interpreter.set_tensor(pixels_at, pixels)
        interpreter.set_tensor(widths_at, widths)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def in_keras(bundle: Bundle) -> Run:
    """The bundle's network as a compiled function of Keras, to compare with."""
    called = _function(networks.with_weights(bundle), None, None)
    return lambda pixels, widths: called(pixels, widths)["logits"].numpy()


def _function(model: keras.Model, batch: int | None, width: int | None):
    import tensorflow as tf

    height = model.inputs[0].shape[1]
    signature = [
        tf.TensorSpec((batch, height, width, 1), tf.uint8, name="pixels"),
        tf.TensorSpec((batch,), tf.int32, name="widths"),
    ]
    called = tf.function(lambda pixels, widths: {"logits": model([pixels, widths], training=False)}, signature)
    return called.get_concrete_function()


def _to_litert(model: keras.Model, width: int) -> bytes:
    """With LiteRT's own operators alone: a plain interpreter runs it, without TensorFlow's."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    # Weights as constants: LiteRT's variables are empty inside the LSTMs' loops.
    frozen = convert_variables_to_constants_v2(_function(model, 1, width), lower_control_flow=False)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()
