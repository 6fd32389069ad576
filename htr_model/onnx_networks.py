"""The networks of `htr_model.networks` once more, as ONNX graphs made from a bundle's weights, without Keras.

For reading on processors, where ONNX Runtime is ready at once and Keras' backends take seconds to load, and for export.
LSTMs are ONNX's own operator, which runs whole sequences. A test holds both tellings together, logit by logit.

Inputs are ``pixels`` uint8 (batch, height, width, 1), width a multiple of 16, and ``widths`` int32 (batch,). Inside,
pictures are (batch, channels, height, width), as ONNX wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from onnx import ModelProto, TensorProto

from htr_model import network_sizes as sizes
from htr_model.bundle import Bundle
from htr_model.onnx_graph import NORMALIZATION, Graph, folded
from htr_model.time_steps import TIME_STRIDE

_OPSET = 17
"""Of ONNX's operators: an old one that has all that is used, so that older readers can read it."""


class MisfitError(ValueError):
    """Weights do not fit a network; the message says which and why."""


def logits_graph(bundle: Bundle) -> ModelProto:
    """The network with output ``logits`` float32 (batch, width / 4, classes), as Keras' has them.

    Raises:
        MisfitError: there is no such network, or a weight is missing or of another shape.
    """
    graph = _Network(bundle.weights)
    graph.node("Identity", [_logits(graph, bundle)], "logits")
    return _model(graph, bundle, {"logits": (TensorProto.FLOAT, ["batch", "steps", bundle.charset.classes])})


def top_classes_graph(bundle: Bundle, count: int) -> ModelProto:
    """The network with the outputs of `ctc.top_classes`: ``classes`` int32 and ``values`` float32 (batch,
    time, count).

    Raises:
        MisfitError: see `logits_graph`.
    """
    graph = _Network(bundle.weights)
    logits = _logits(graph, bundle)
    log_probabilities = graph.node("LogSoftmax", [logits], axis=-1)
    count = min(count, bundle.charset.classes)
    best = graph.add("TopK", [log_probabilities, graph.integers(count)], ["values", "indices"], axis=-1, sorted=1)
    graph.cast(best[1], TensorProto.INT32, "classes")
    shape = ["batch", "steps", count]
    return _model(graph, bundle, {"classes": (TensorProto.INT32, shape), "values": (TensorProto.FLOAT, shape)})


def misfit(bundle: Bundle) -> str | None:
    """Why a bundle's weights do not fit its network, in words; None where they do."""
    try:
        _logits(_Network(bundle.weights), bundle)
    except MisfitError as error:
        return str(error)
    return None


def _model(graph: Graph, bundle: Bundle, outputs: dict[str, tuple[int, list]]) -> ModelProto:
    inputs = {
        "pixels": (TensorProto.UINT8, ["batch", bundle.normalization.height, "width", 1]),
        "widths": (TensorProto.INT32, ["batch"]),
    }
    return graph.model("recognizer", inputs, outputs, _OPSET)


def _logits(graph: _Network, bundle: Bundle) -> str:
    if bundle.network not in _NETWORKS:
        raise MisfitError(f"unknown network {bundle.network!r}; known are {', '.join(sorted(_NETWORKS))}")
    return _NETWORKS[bundle.network](graph, bundle.normalization.height, bundle.charset.classes)


class _Network(Graph):
    """The graph of a recogniser's network, made of its weights."""

    def __init__(self, weights: Mapping[str, np.ndarray]):
        super().__init__()
        self._weights = weights

    def weight(self, path: str, *shape: int) -> np.ndarray:
        """A weight of the network.

        Raises:
            MisfitError: it is missing, or of another shape.
        """
        array = self._weights.get(path)
        if array is None:
            raise MisfitError(f"weight {path} is missing")
        if tuple(array.shape) != shape:
            raise MisfitError(f"weight {path} is of shape {tuple(array.shape)}, the network wants {shape}")
        return array

    def pixels(self) -> str:
        """Pictures, 0 paper … 1 ink: (batch, 1, height, width)."""
        x = self.node("Transpose", [self.cast("pixels", TensorProto.FLOAT)], perm=[0, 3, 1, 2])
        return self.node("Mul", [x, self.constant(np.float32(1 / 255))])

    def valid_steps(self, stride: int) -> str:
        """Columns that are not padding, int64 (batch,), where one stands for ``stride`` columns of the input."""
        widths = self.node("Add", [self.cast("widths", TensorProto.INT64), self.integers(stride - 1)])
        return self.node("Div", [widths, self.integers(stride)])

    def valid_columns(self, x: str, stride: int) -> str:
        """1 where a column of ``x`` shows the picture, 0 where it shows padding: (batch, 1, 1, width)."""
        width = self.node("Gather", [self.node("Shape", [x]), self.constant(np.int64(3))])
        columns = self.node("Range", [self.constant(np.int64(0)), width, self.constant(np.int64(1))])
        columns = self.node("Unsqueeze", [columns, self.integers(0)])
        steps = self.node("Unsqueeze", [self.valid_steps(stride), self.integers(1)])
        mask = self.cast(self.node("Less", [columns, steps]), TensorProto.FLOAT)
        return self.node("Unsqueeze", [mask, self.integers(1, 2)])

    def normalized_convolution(self, x: str, name: str, size: int, inputs: int, filters: int, stride: int = 1) -> str:
        """``x`` convolved and normalised."""
        kernel = self.weight(f"{name}_conv/kernel", size, size, inputs, filters)
        normalization = (self.weight(f"{name}_norm/{value}", filters) for value in NORMALIZATION)
        return self.convolution(x, name, *folded(kernel, *normalization), stride)

    def biased_convolution(self, x: str, name: str, size: int, inputs: int, filters: int) -> str:
        """``x`` convolved, a bias added."""
        kernel = self.weight(f"{name}/kernel", size, size, inputs, filters)
        return self.convolution(x, name, kernel, self.weight(f"{name}/bias", filters))

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def separable(self, x: str, valid: str, name: str, kernel: tuple[int, int], inputs: int, filters: int) -> str:
        x = self.node("Mul", [x, valid])
        depthwise = self.weight(f"{name}_depthwise/kernel", *kernel, inputs, 1)
        x = self.convolution(x, f"{name}_depthwise", depthwise.swapaxes(2, 3), group=inputs)
        return self.normalized_convolution(x, name, 1, inputs, filters)

    def residual(
        self, x: str, valid: str, name: str, inputs: int, filters: int, kernel: tuple[int, int] = (3, 3)
    ) -> str:
        y = self.relu(self.separable(x, valid, f"{name}_a", kernel, inputs, filters))
        y = self.separable(y, valid, f"{name}_b", kernel, filters, filters)
        if inputs != filters:
            shortcut = self.weight(f"{name}_shortcut/kernel", 1, 1, inputs, filters)
            x = self.convolution(x, f"{name}_shortcut", shortcut)
        return self.relu(self.node("Add", [x, y]))

    def bidirectional(self, x: str, steps: str, i: int, inputs: int, units: int) -> str:
        """(batch, time, inputs) → (batch, time, 2 units), 0 behind the valid steps."""
        both = [self._direction(f"bilstm{i}/{d}_lstm{i}/lstm_cell", inputs, units) for d in ("forward", "backward")]
        weights = [self.constant(np.stack(values)) for values in zip(*both, strict=True)]
        by_time = self.node("Transpose", [x], perm=[1, 0, 2])
        y = self.node("LSTM", [by_time, *weights, steps], hidden_size=units, direction="bidirectional")
        y = self.node("Transpose", [y], perm=[2, 0, 1, 3])
        return self.node("Reshape", [y, self.integers(0, 0, 2 * units)])

    def _direction(self, cell: str, inputs: int, units: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Kernel, recurrent kernel and biases of one direction, gates in ONNX's order: input, output, forget, cell."""

        def reorder(values: np.ndarray) -> np.ndarray:
            i, f, c, o = np.split(values, 4, axis=-1)
            return np.concatenate([i, o, f, c], axis=-1)

        kernel = reorder(self.weight(f"{cell}/kernel", inputs, 4 * units))
        recurrent = reorder(self.weight(f"{cell}/recurrent_kernel", units, 4 * units))
        bias = reorder(self.weight(f"{cell}/bias", 4 * units))
        return kernel.T, recurrent.T, np.concatenate([bias, np.zeros_like(bias)])

    def dense(self, x: str, name: str, inputs: int, units: int) -> str:
        kernel = self.constant(self.weight(f"{name}/kernel", inputs, units))
        bias = self.constant(self.weight(f"{name}/bias", units))
        return self.node("Add", [self.node("MatMul", [x, kernel]), bias])

    def pooled(self, x: str, *size: int) -> str:
        return self.node("MaxPool", [x], kernel_shape=size, strides=size)


def _columns(graph: _Network) -> tuple[str, str]:
    """What `htr_model.networks` calls the body: (batch, features, 1, time), and the valid time steps as a mask."""
    (first, first_kernel), (second, second_kernel) = sizes.STEM
    x = graph.relu(graph.normalized_convolution(graph.pixels(), "stem1", first_kernel, 1, first, stride=2))
    x = graph.node("Mul", [x, graph.valid_columns(x, 2)])
    x = graph.relu(graph.normalized_convolution(x, "stem2", second_kernel, first, second, stride=2))
    valid = graph.valid_columns(x, TIME_STRIDE)
    inputs = second
    for stage, filters in enumerate(sizes.STAGES):
        if stage:
            x = graph.pooled(x, 2, 1)
        for i in (1, 2):
            x = graph.residual(x, valid, f"block{2 * stage + i}", inputs, filters)
            inputs = filters
    return graph.node("ReduceMax", [x], axes=[2], keepdims=1), valid


def _by_time(graph: _Network, x: str) -> str:
    """(batch, channels, 1, time) → (batch, time, channels)."""
    return graph.node("Transpose", [graph.node("Squeeze", [x, graph.integers(2)])], perm=[0, 2, 1])


def _lstm_logits(graph: _Network, x: str, inputs: int, units: tuple[int, ...], classes: int) -> str:
    """(batch, time, inputs) → LSTMs of so many units in each direction, one behind another → logits."""
    steps = graph.cast(graph.valid_steps(TIME_STRIDE), TensorProto.INT32)
    for i, here in enumerate(units, start=1):
        x = graph.bidirectional(x, steps, i, inputs, here)
        inputs = 2 * here
    return graph.dense(x, "logits", inputs, classes)


def _crnn(graph: _Network, _: int, classes: int) -> str:
    return _lstm_logits(graph, _by_time(graph, _columns(graph)[0]), sizes.STAGES[-1], sizes.CRNN_UNITS, classes)


def _resnet_ctc(graph: _Network, _: int, classes: int) -> str:
    x, valid = _columns(graph)
    features = sizes.STAGES[-1]
    for i in range(1, sizes.TIME_BLOCKS + 1):
        x = graph.residual(x, valid, f"time{i}", features, features, sizes.TIME_KERNEL)
    return _by_time(graph, graph.biased_convolution(x, "logits", 1, features, classes))


def _cnn_bilstm(graph: _Network, height: int, classes: int) -> str:
    x, inputs = graph.pixels(), 1
    for i, filters in enumerate(sizes.CLASSIC_FILTERS, start=1):
        x = graph.relu(graph.biased_convolution(x, f"conv{i}", 3, inputs, filters))
        x = graph.pooled(graph.node("Mul", [x, graph.valid_columns(x, 2 ** (i - 1))]), 2, 2)
        inputs = filters
    features = height // 4 * inputs
    x = graph.node("Transpose", [x], perm=[0, 3, 2, 1])
    x = graph.node("Reshape", [x, graph.integers(0, 0, features)])
    x = graph.relu(graph.dense(x, "dense", features, sizes.CLASSIC_FEATURES))
    return _lstm_logits(graph, x, sizes.CLASSIC_FEATURES, sizes.CLASSIC_UNITS, classes)


_NETWORKS: dict[str, Callable[[_Network, int, int], str]] = {
    "crnn": _crnn,
    "resnet-ctc": _resnet_ctc,
    "cnn-bilstm": _cnn_bilstm,
}
