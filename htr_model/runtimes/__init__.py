"""What runs a bundle's network when pictures are read: ONNX Runtime on processors, Keras on accelerators.

Both answer alike but for rounding. ONNX Runtime is ready in a fraction of a second and takes half the memory; Keras'
backends know GPUs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from htr_model.bundle import Bundle, BundleError

Predict = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""``predict(pixels, widths)`` gives the most probable classes of each time step, the best first, int32 (batch, time,
count), and their log-probabilities in nats, float32 of the same shape. Pixels are uint8 (batch, height, width, 1),
widths int32 (batch,): the columns that are not padding."""

ONNX, KERAS = "onnx", "keras"


@dataclass(frozen=True)
class Predictor:
    """A loaded network, and how it reads fastest.

    Attributes:
        predict: may be called from any thread.
        columns: of input, padding included, that a call should hold.
        threads: calls that should run at the same time.
    """

    predict: Predict
    columns: int
    threads: int


_GPU_DEVICE = Path("/dev/nvidiactl")
"""There where an NVIDIA GPU has its driver."""


def usual_runtime() -> str:
    """`KERAS` where the environment names its backend (``KERAS_BACKEND``) or the backend has a GPU, else `ONNX`."""
    return KERAS if os.environ.get("KERAS_BACKEND") or gpu_is_there() else ONNX


def gpu_is_there() -> bool:
    """Whether this machine has an NVIDIA GPU that the environment does not hide and that Keras' backend can use."""
    # Only where there is such a device is it worth the seconds that a backend takes to load.
    visible = _GPU_DEVICE.exists() and os.environ.get("CUDA_VISIBLE_DEVICES") not in ("", "-1")
    return visible and _backend_sees_a_gpu()


def _backend_sees_a_gpu() -> bool:
    """Whether Keras' backend is built for GPUs and finds one."""
    import keras

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    if backend == "torch":
        import torch

        return torch.cuda.is_available()
    if backend == "jax":
        import jax

        return jax.default_backend() == "gpu"
    return False


def predictor(bundle: Bundle, count: int, runtime: str, threads: int | None = None) -> Predictor:
    """The bundle's network, loaded.

    Args:
        count: how many classes of each time step `Predict` gives; all of them where the network has fewer.
        runtime: `ONNX` or `KERAS`.
        threads: processor threads that may be busy at once; None: all.

    Raises:
        BundleError: the weights are not those of the network.
    """
    try:
        if runtime == KERAS:
            from htr_model.runtimes.keras_runtime import keras_predictor

            return keras_predictor(bundle, count, threads)
        from htr_model.runtimes.onnx_runtime import onnx_predictor

        return onnx_predictor(bundle, count, threads)
    except ValueError as error:
        raise BundleError(f"bundle {bundle.id}: {error}") from error
