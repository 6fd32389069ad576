"""The networks, by name. Backend-neutral Keras: one picture in, CTC logits per time step out.

Every network takes ``pixels`` uint8 or float (batch, height, width, 1), 0 paper … 255 ink, width a multiple of
16, and ``widths`` int32 (batch,), the columns that are not padding. It returns logits float32
(batch, width / `TIME_STRIDE`, classes), class 0 the blank. Padding must be zero in the input; behind the first layer,
which gives it other values, whatever lies beyond a picture's width is set back to zero before every layer that looks
sideways. So the amount of padding changes no logit of a real time step.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import layers, ops

from htr_model import network_sizes as sizes
from htr_model.bundle import Bundle, BundleError
from htr_model.time_steps import TIME_STRIDE


class ValidColumns(layers.Layer):
    """1 where a column of ``x`` (batch, h, w, c) shows the picture, 0 where it shows padding: (batch, 1, w, 1)."""

    def __init__(self, stride: int, **kwargs):
        super().__init__(**kwargs)
        self.stride = stride

    def call(self, x, widths):
        valid = (ops.cast(widths, "int32") + (self.stride - 1)) // self.stride
        columns = ops.arange(ops.shape(x)[2], dtype="int32")
        mask = ops.expand_dims(columns, 0) < ops.expand_dims(valid, 1)
        return ops.cast(mask, x.dtype)[:, None, :, None]


class ColumnMax(layers.Layer):
    """Largest activation of each column: (batch, h, w, c) → (batch, w, c)."""

    def call(self, x):
        return ops.max(x, axis=1)


class FusedBatchNormalization(layers.BatchNormalization):
    """Batch normalisation of channels; with PyTorch in training by its own operator, in a pass over the pictures where
    Keras takes a dozen."""

    def call(self, x, training=None):
        if not training or keras.backend.backend() != "torch":
            return super().call(x, training=training)
        import torch

        y = torch.nn.functional.batch_norm(
            x.movedim(-1, 1), self.moving_mean.value, self.moving_variance.value, self.gamma.value, self.beta.value,
            training=True, momentum=1 - self.momentum, eps=self.epsilon,
        )  # fmt: skip
        return y.movedim(1, -1)


class UnitRange(layers.Layer):
    """0 … 255 → 0 … 1. As `keras.layers.Rescaling`, which on a GPU copies its factor there anew each time."""

    def call(self, x):
        return ops.cast(x, self.compute_dtype) * (1 / 255)


def _sequence(lstm: layers.LSTM, x):
    """``lstm(x)``. With PyTorch by its own operator for whole sequences, which Keras calls on CUDA devices alone: on a
    processor it takes a quarter of the time that Keras on TensorFlow takes, a step after another."""
    if keras.backend.backend() != "torch":
        return lstm(x)
    import torch

    cell = lstm.cell
    kernel, recurrent, bias = (v.value.to(x.dtype) for v in (cell.kernel, cell.recurrent_kernel, cell.bias))
    weights = [kernel.T.contiguous(), recurrent.T.contiguous(), bias, torch.zeros_like(bias)]
    state = x.new_zeros((1, x.shape[0], lstm.units))
    return torch.lstm(x, (state, state), weights, True, 1, 0.0, torch.is_grad_enabled(), False, True)[0]


def _lstm_policy() -> keras.DTypePolicy:
    """The usual policy with PyTorch, whose operator is faster in 16 bits; elsewhere float32, since 16 are slower."""
    return keras.config.dtype_policy() if keras.backend.backend() == "torch" else keras.DTypePolicy("float32")


class BothWays(layers.Layer):
    """Two LSTMs over the valid time steps, one from each end: (batch, time, features) → (batch, time, 2 units).

    What `keras.layers.Bidirectional` computes with a mask, and with its names of weights. Without one, since Keras'
    fast LSTMs of GPUs take none: pictures are padded at their end only, so that the way forward need not know of it,
    and the way back reads each picture reversed within its own width.
    """

    def __init__(self, units: int, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        number = self.name.removeprefix("bilstm")
        how = {"return_sequences": True, "dtype": self.dtype_policy}
        self.from_start = layers.LSTM(units, name=f"forward_lstm{number}", **how)
        self.from_end = layers.LSTM(units, name=f"backward_lstm{number}", **how)

    def build(self, x_shape, valid_shape):
        self.from_start.build(x_shape)
        self.from_end.build(x_shape)

    def call(self, x, valid):
        """``valid``: 1 where a time step shows the picture, else 0: (batch, time, 1), see `ValidColumns`."""
        valid = ops.cast(valid, x.dtype)
        # The index of each step when a picture is read from its own end; padding stays where it is.
        steps = ops.arange(ops.shape(x)[1], dtype="int32")[None, :, None]
        lengths = ops.cast(ops.sum(valid, axis=1, keepdims=True), "int32")
        reversal = ops.where(steps < lengths, lengths - 1 - steps, steps)
        there = _sequence(self.from_start, x)
        back = _sequence(self.from_end, ops.take_along_axis(x, reversal, axis=1))
        both = ops.concatenate([there, ops.take_along_axis(back, reversal, axis=1)], axis=-1)
        return both * valid

    def compute_output_shape(self, x_shape, valid_shape):
        return (*x_shape[:-1], 2 * self.units)


def _convolution(x, filters, kernel, name, *, strides=1, activation=True):
    x = layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = FusedBatchNormalization(momentum=0.98, name=f"{name}_norm")(x)
    return layers.Activation("relu", name=f"{name}_relu")(x) if activation else x


def _separable(x, valid, filters, name, *, kernel=3, activation=True):
    """Depthwise then pointwise convolution (Chollet 2017): about half the time of a full one on a CPU."""
    x = layers.Multiply(name=f"{name}_valid")([x, valid])
    x = layers.DepthwiseConv2D(kernel, padding="same", use_bias=False, name=f"{name}_depthwise")(x)
    return _convolution(x, filters, 1, name, activation=activation)


def _residual(x, valid, filters, name, *, kernel=3):
    """Two separable convolutions around a shortcut (He et al. 2016)."""
    y = _separable(x, valid, filters, f"{name}_a", kernel=kernel)
    y = _separable(y, valid, filters, f"{name}_b", kernel=kernel, activation=False)
    if x.shape[-1] != filters:
        x = layers.Conv2D(filters, 1, use_bias=False, name=f"{name}_shortcut")(x)
    return layers.Activation("relu", name=f"{name}_relu")(layers.Add(name=f"{name}_sum")([x, y]))


def _inputs(height):
    return (
        keras.Input((height, None, 1), name="pixels"),
        keras.Input((), dtype="int32", name="widths"),
    )


def _body(pixels, widths):
    """Columns as features: (batch, height, width, 1) → (batch, width / 4, 256), and their validity.

    Two strided convolutions, then residual separable blocks on 16, 8 and 4 rows (for height 64); a column's
    strongest response over the rows is its feature, so a letter may stand anywhere between top and bottom.
    """
    x = UnitRange(name="unit")(pixels)
    x = _convolution(x, *sizes.STEM[0], "stem1", strides=2)
    half = ValidColumns(2, name="valid_half")(x, widths)
    x = layers.Multiply(name="stem2_valid")([x, half])
    x = _convolution(x, *sizes.STEM[1], "stem2", strides=2)
    valid = ValidColumns(4, name="valid_quarter")(x, widths)
    for stage, filters in enumerate(sizes.STAGES):
        if stage:
            x = layers.MaxPooling2D((2, 1), name=f"pool{stage}")(x)
        for i in (1, 2):
            x = _residual(x, valid, filters, f"block{2 * stage + i}")
    return ColumnMax(name="columns")(x), valid


def crnn(height: int, classes: int) -> keras.Model:
    """Separable residual CNN, three bidirectional LSTMs, CTC (after Shi, Bai and Yao 2016). About 3.8 M parameters.

    Shapes, for a picture of 64 rows: (64, w, 1) → body (w / 4, 256) → LSTMs of 224 in each direction (w / 4, 448)
    → logits (w / 4, classes). Each LSTM reads the whole picture in both directions: the receptive field is the line.
    """
    pixels, widths = _inputs(height)
    x, valid = _body(pixels, widths)
    by_time = ops.squeeze(valid, 1)
    for i, units in enumerate(sizes.CRNN_UNITS, start=1):
        x = layers.Dropout(0.25 if i == 1 else 0.4, name=f"drop{i}")(x)
        x = BothWays(units, dtype=_lstm_policy(), name=f"bilstm{i}")(x, by_time)
    x = layers.Dropout(0.4, name="drop4")(x)
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model([pixels, widths], logits, name="crnn")


def resnet_ctc(height: int, classes: int) -> keras.Model:
    """Convolutions only: the same body, then separable blocks along time. About 1.0 M parameters.

    Shapes, for a picture of 64 rows: (64, w, 1) → body (w / 4, 256) → blocks along time (w / 4, 256) → logits
    (w / 4, classes). Residual blocks after He et al. 2016, CTC on convolutions alone after Yousef et al. 2020.
    Four blocks of kernel 1 × 9 after the body let a time step see about 90 columns to either side: several letters.
    Faster than `crnn`, most of all on a GPU, where time steps need not wait for each other.
    """
    pixels, widths = _inputs(height)
    x, valid = _body(pixels, widths)
    # Not a Reshape layer: TensorFlow's graph optimiser sometimes takes it for one that changes nothing.
    x = ops.expand_dims(x, 1)
    for i in range(1, sizes.TIME_BLOCKS + 1):
        x = _residual(x, valid, sizes.STAGES[-1], f"time{i}", kernel=sizes.TIME_KERNEL)
    x = layers.Dropout(0.3, name="drop")(x)
    x = layers.Conv2D(classes, 1, dtype="float32", name="logits")(x)
    logits = ops.squeeze(x, 1)
    return keras.Model([pixels, widths], logits, name="resnet-ctc")


def cnn_bilstm(height: int, classes: int) -> keras.Model:
    """The small classic of handwriting tutorials: two convolutions, two bidirectional LSTMs, CTC.

    413,632 parameters for 32 rows, and 129 for each class: 424,081 with 81 classes, those of IAM's words. After the
    Keras example "Handwriting recognition" (Nain and Paul 2021), itself after Shi, Bai and Yao 2016; unlike there,
    pictures have any width, and padding is masked.

    Shapes, for a picture of 32 rows: (32, w, 1) → (16, w / 2, 32) → (8, w / 4, 64) → columns of 512 → dense
    (w / 4, 64) → LSTMs of 128 and 64 in each direction → logits (w / 4, classes). Before the LSTMs, which read the
    whole picture, a time step sees 10 columns.
    """
    pixels, widths = _inputs(height)
    x = UnitRange(name="unit")(pixels)
    for i, filters in enumerate(sizes.CLASSIC_FILTERS, start=1):
        x = layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal", name=f"conv{i}")(x)
        x = layers.Activation("relu", name=f"relu{i}")(x)
        # A column of padding holds the bias; the pooling must not carry it into the picture's last column.
        x = layers.Multiply(name=f"valid{i}")([x, ValidColumns(2 ** (i - 1), name=f"columns{i}")(x, widths)])
        x = layers.MaxPooling2D(2, name=f"pool{i}")(x)
    valid = ValidColumns(TIME_STRIDE, name="valid_quarter")(x, widths)
    x = layers.Permute((2, 1, 3), name="by_column")(x)
    x = layers.Reshape((-1, height // 4 * sizes.CLASSIC_FILTERS[-1]), name="flat_columns")(x)
    x = layers.Dense(sizes.CLASSIC_FEATURES, activation="relu", name="dense")(x)
    x = layers.Dropout(0.2, name="drop")(x)
    for i, units in enumerate(sizes.CLASSIC_UNITS, start=1):
        x = layers.Dropout(0.25, name=f"drop_lstm{i}")(x)
        x = BothWays(units, dtype="float32", name=f"bilstm{i}")(x, ops.squeeze(valid, 1))
    logits = layers.Dense(classes, dtype="float32", name="logits")(x)
    return keras.Model([pixels, widths], logits, name="cnn-bilstm")


NETWORKS: dict[str, Callable[[int, int], keras.Model]] = {
    "crnn": crnn,
    "resnet-ctc": resnet_ctc,
    "cnn-bilstm": cnn_bilstm,
}

_HEIGHTS = {"cnn-bilstm": 32}


def usual_height(name: str) -> int:
    """Rows of the input that a network was made for; it works with any multiple of 16."""
    return _HEIGHTS.get(name, 64)


def build(name: str, height: int, classes: int, precision: str = "float32") -> keras.Model:
    """An untrained network.

    Args:
        name: a key of `NETWORKS`.
        height: rows of the input.
        classes: symbols of the charset and the blank.
        precision: ``float32``, or a mixed policy of Keras; then convolutions compute in 16 bits, while weights,
            LSTMs and logits stay float32.

    Raises:
        ValueError: no network has that name.
    """
    if name not in NETWORKS:
        raise ValueError(f"unknown network {name!r}; known are {', '.join(sorted(NETWORKS))}")
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return NETWORKS[name](height, classes)
    finally:
        keras.config.set_dtype_policy(policy)


def with_weights(bundle: Bundle) -> keras.Model:
    """A bundle's network, with its weights.

    Raises:
        BundleError: a weight is missing or of another shape.
        ValueError: no network has the name that the bundle says.
    """
    model = build(bundle.network, bundle.normalization.height, bundle.charset.classes)
    assign_weights(model, bundle.weights, f"bundle {bundle.id}")
    return model


def named_weights(model: keras.Model) -> dict[str, np.ndarray]:
    """The model's variables by path, as float32 arrays. Paths are the same in every Keras backend."""
    return {v.path: np.asarray(ops.convert_to_numpy(v), np.float32) for v in model.weights}


def seeds(model: keras.Model) -> list:
    """The counters and seeds of its dropout, in the order of its layers; their paths differ from process to process."""
    return [v for v in model.variables if "seed_generator" in v.path]


def assign_weights(model: keras.Model, weights: dict[str, np.ndarray], name: str) -> None:
    """Set the model's variables.

    Raises:
        BundleError: an array is missing or has another shape than the network wants.
    """
    for variable in model.weights:
        array = weights.get(variable.path)
        if array is None or tuple(array.shape) != tuple(variable.shape):
            found = "missing" if array is None else f"of shape {array.shape}"
            raise BundleError(f"{name}: weight {variable.path} is {found}, the network wants {tuple(variable.shape)}")
        variable.assign(array)
