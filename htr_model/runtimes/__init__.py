"""What runs a bundle's network when pictures are read: ONNX Runtime on processors, Keras on accelerators.

Both answer alike but for rounding. ONNX Runtime is ready in a fraction of a second and takes half the memory; Keras'
backends know GPUs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from htr_model.bundle import Bundle, BundleError

Predict = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""Function of pixels uint8 (batch, height, width, 1) and widths int32 (batch,) that gives classes int32 and what the
network thinks of them, float32: of the best path (batch, time), probabilities; or of several classes a time step, the
best first (batch, time, count), log-probabilities."""

ONNX, KERAS = "onnx", "keras"


def usual_runtime() -> str:
    """`KERAS` where the environment names its backend (``KERAS_BACKEND``) or an NVIDIA GPU is there, else `ONNX`."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    gpu = Path("/dev/nvidiactl").exists() and not hidden
    return KERAS if gpu or os.environ.get("KERAS_BACKEND") else ONNX


def predictor(bundle: Bundle, count: int | None, runtime: str, threads: int | None = None) -> Predict:
    """The bundle's network, ready to be called from any thread.

    Args:
        count: None for the best path, else how many classes of each time step are wanted.
        runtime: `ONNX` or `KERAS`.
        threads: processor threads that one call may use; None: all.

    Raises:
        BundleError: the weights are not those of the network.
    """
    try:
        if runtime == KERAS:
            from htr_model.runtimes.keras_runtime import predict_with_keras

            return predict_with_keras(bundle, count, threads)
        from htr_model.runtimes.onnx_runtime import predict_with_onnx

        return predict_with_onnx(bundle, count, threads)
    except ValueError as error:
        raise BundleError(f"bundle {bundle.id}: {error}") from error
