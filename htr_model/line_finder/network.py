"""The network that finds lines of writing: a small U-Net. Backend-neutral Keras."""

from __future__ import annotations

import keras
from keras import layers

from htr_model.line_finder.pages import STRIDE

CHANNELS = (16, 32, 48, 64, 96)
"""Of each level, from half the picture's resolution down to a thirty-second of it."""
MULTIPLE = STRIDE * 2 ** (len(CHANNELS) - 1)
"""Pictures' heights and widths are multiples of this."""


def _convolution(x, filters: int, name: str, *, kernel: int = 3, strides: int = 1):
    x = layers.Conv2D(
        filters, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv"
    )(x)  # fmt: skip
    x = layers.BatchNormalization(momentum=0.98, name=f"{name}_norm")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def build(precision: str = "float32") -> keras.Model:
    """An untrained network.

    It takes ``picture`` float32 (batch, height, width, 1), 0 paper … 1 ink, both sides multiples of `MULTIPLE`, and
    returns logits float32 (batch, height / 2, width / 2, 1): above 0 where a line's x-height zone is.

    An encoder of two convolutions a level, pooling between them, and a decoder of one convolution a level that sees
    the encoder's answer of its own resolution too (Ronneberger, Fischer and Brox 2015). The coarsest level sees about
    30 x-heights around: the neighbouring lines, which tell writing from what shows through the sheet.

    Args:
        precision: ``float32``, or a mixed policy of Keras; then convolutions compute in 16 bits.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return _build()
    finally:
        keras.config.set_dtype_policy(policy)


def _build() -> keras.Model:
    picture = keras.Input((None, None, 1), name="picture")
    x = _convolution(picture, CHANNELS[0], "stem", kernel=4, strides=STRIDE)
    levels = []
    for i, filters in enumerate(CHANNELS):
        if i:
            x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
            x = _convolution(x, filters, f"down{i}a")
        x = _convolution(x, filters, f"down{i}b")
        levels.append(x)
    for i in reversed(range(len(CHANNELS) - 1)):
        x = layers.UpSampling2D(2, name=f"enlarge{i}")(x)
        x = layers.Concatenate(name=f"join{i}")([x, levels[i]])
        x = _convolution(x, CHANNELS[i], f"up{i}")
    logits = layers.Conv2D(1, 1, dtype="float32", name="logits")(x)
    return keras.Model(picture, logits, name="line-network")
