"""The networks of `htr_model.networks` once more, as ONNX graphs made from a bundle's weights, without Keras.

For reading on processors, where ONNX Runtime is ready at once and Keras' backends take seconds to load, and for export.
LSTMs are ONNX's own operator, which runs whole sequences. A test holds both tellings together, logit by logit.

Inputs are ``pixels`` uint8 (batch, height, width, 1), width a multiple of 16, and ``widths`` int32 (batch,). Inside,
pictures are (batch, channels, height, width), as ONNX wants them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from htr_model.bundle import Bundle
from htr_model.time_steps import TIME_STRIDE

_OPSET, _IR_VERSION = 17, 8
"""Of ONNX's operators and file: old ones that have all that is used, so that older readers can read it."""
_EPSILON = 1e-3
"""Of batch normalisation, Keras' default."""


class MisfitError(ValueError):
    """Weights do not fit a network; the message says which and why."""


def logits_graph(bundle: Bundle) -> ModelProto:
    """The network with output ``logits`` float32 (batch, width / 4, classes), as Keras' has them.

    Raises:
        MisfitError: there is no such network, or a weight is missing or of another shape.
    """
    graph = _Graph(bundle.weights)
    graph.node("Identity", [_logits(graph, bundle)], "logits")
    return graph.model(bundle, {"logits": (TensorProto.FLOAT, ["batch", "steps", bundle.charset.classes])})


def top_classes_graph(bundle: Bundle, count: int) -> ModelProto:
    """The network with the outputs of `ctc.top_classes`: ``classes`` int32 and ``values`` float32 (batch,
    time, count).

    Raises:
        MisfitError: see `logits_graph`.
    """
    graph = _Graph(bundle.weights)
    logits = _logits(graph, bundle)
    log_probabilities = graph.node("LogSoftmax", [logits], axis=-1)
    count = min(count, bundle.charset.classes)
    best = graph.add("TopK", [log_probabilities, graph.integers(count)], ["values", "indices"], axis=-1, sorted=1)
    graph.cast(best[1], TensorProto.INT32, "classes")
    shape = ["batch", "steps", count]
    return graph.model(bundle, {"classes": (TensorProto.INT32, shape), "values": (TensorProto.FLOAT, shape)})


def misfit(bundle: Bundle) -> str | None:
    """Why a bundle's weights do not fit its network, in words; None where they do."""
    try:
        _logits(_Graph(bundle.weights), bundle)
    except MisfitError as error:
        return str(error)
    return None


def _logits(graph: _Graph, bundle: Bundle) -> str:
    if bundle.network not in _NETWORKS:
        raise MisfitError(f"unknown network {bundle.network!r}; known are {', '.join(sorted(_NETWORKS))}")
    return _NETWORKS[bundle.network](graph, bundle.normalization.height, bundle.charset.classes)


class _Graph:
    """An ONNX graph that grows node by node; methods return names of values."""

    def __init__(self, weights: Mapping[str, np.ndarray]):
        self._weights = weights
        self._nodes: list = []
        self._constants: list = []

    def weight(self, path: str, *shape: int) -> np.ndarray:
        array = self._weights.get(path)
        if array is None:
            raise MisfitError(f"weight {path} is missing")
        if tuple(array.shape) != shape:
            raise MisfitError(f"weight {path} is of shape {tuple(array.shape)}, the network wants {shape}")
        return array

    def constant(self, values) -> str:
        name = f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def add(self, operator: str, inputs: list[str], outputs: list[str], **attributes) -> list[str]:
        name = f"{operator}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, outputs, name=name, **attributes))
        return outputs

    def node(self, operator: str, inputs: list[str], output: str = "", **attributes) -> str:
        return self.add(operator, inputs, [output or f"{operator}{len(self._nodes)}"], **attributes)[0]

    def cast(self, x: str, to: int, output: str = "") -> str:
        return self.node("Cast", [x], output, to=to)

    def model(self, bundle: Bundle, outputs: dict[str, tuple[int, list]]) -> ModelProto:
        height = bundle.normalization.height
        inputs = [
            helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", height, "width", 1]),
            helper.make_tensor_value_info("widths", TensorProto.INT32, ["batch"]),
        ]
        results = [helper.make_tensor_value_info(name, *described) for name, described in outputs.items()]
        graph = helper.make_graph(self._nodes, "recognizer", inputs, results, self._constants)
        opset = helper.make_opsetid("", _OPSET)
        return helper.make_model(graph, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="inkbeam")

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

    def convolution(
        self, x: str, kernel: np.ndarray, bias: np.ndarray | None, strides: int = 1, groups: int = 1
    ) -> str:
        """Kernel (outputs, inputs / groups, rows, columns); the output is the input's size divided by ``strides``."""
        inputs = [x, self.constant(kernel), *([] if bias is None else [self.constant(bias)])]
        shape = kernel.shape[2:]
        return self.node(
            "Conv", inputs, auto_pad="SAME_UPPER", kernel_shape=shape, strides=[strides, strides], group=groups
        )

    def normalized_convolution(self, x: str, name: str, size: int, inputs: int, filters: int, strides: int = 1) -> str:
        """Convolution and batch normalisation, which is folded into its kernel."""
        kernel = self.weight(f"{name}_conv/kernel", size, size, inputs, filters)
        beta, gamma, mean, variance = (
            self.weight(f"{name}_norm/{v}", filters) for v in ("beta", "gamma", "moving_mean", "moving_variance")
        )
        scale = gamma / np.sqrt(variance + np.float32(_EPSILON))
        return self.convolution(x, (kernel * scale).transpose(3, 2, 0, 1), beta - mean * scale, strides)

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def separable(self, x: str, valid: str, name: str, kernel: tuple[int, int], inputs: int, filters: int) -> str:
        x = self.node("Mul", [x, valid])
        depthwise = self.weight(f"{name}_depthwise/kernel", *kernel, inputs, 1)
        x = self.convolution(x, depthwise.transpose(2, 3, 0, 1), None, groups=inputs)
        return self.normalized_convolution(x, name, 1, inputs, filters)

    def residual(
        self, x: str, valid: str, name: str, inputs: int, filters: int, kernel: tuple[int, int] = (3, 3)
    ) -> str:
        y = self.relu(self.separable(x, valid, f"{name}_a", kernel, inputs, filters))
        y = self.separable(y, valid, f"{name}_b", kernel, filters, filters)
        if inputs != filters:
            shortcut = self.weight(f"{name}_shortcut/kernel", 1, 1, inputs, filters)
            x = self.convolution(x, shortcut.transpose(3, 2, 0, 1), None)
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


def _columns(graph: _Graph) -> tuple[str, str]:
    """What `htr_model.networks` calls the body: (batch, 256, 1, time), and the valid time steps as a mask."""
    x = graph.relu(graph.normalized_convolution(graph.pixels(), "stem1", 5, 1, 32, strides=2))
    x = graph.node("Mul", [x, graph.valid_columns(x, 2)])
    x = graph.relu(graph.normalized_convolution(x, "stem2", 3, 32, 64, strides=2))
    valid = graph.valid_columns(x, TIME_STRIDE)
    x = graph.residual(x, valid, "block1", 64, 80)
    x = graph.pooled(graph.residual(x, valid, "block2", 80, 80), 2, 1)
    x = graph.residual(x, valid, "block3", 80, 160)
    x = graph.pooled(graph.residual(x, valid, "block4", 160, 160), 2, 1)
    x = graph.residual(x, valid, "block5", 160, 256)
    x = graph.residual(x, valid, "block6", 256, 256)
    return graph.node("ReduceMax", [x], axes=[2], keepdims=1), valid


def _by_time(graph: _Graph, x: str) -> str:
    """(batch, channels, 1, time) → (batch, time, channels)."""
    return graph.node("Transpose", [graph.node("Squeeze", [x, graph.integers(2)])], perm=[0, 2, 1])


def _crnn(graph: _Graph, _: int, classes: int) -> str:
    x = _by_time(graph, _columns(graph)[0])
    steps = graph.cast(graph.valid_steps(TIME_STRIDE), TensorProto.INT32)
    for i, inputs in ((1, 256), (2, 448), (3, 448)):
        x = graph.bidirectional(x, steps, i, inputs, 224)
    return graph.dense(x, "logits", 448, classes)


def _resnet_ctc(graph: _Graph, _: int, classes: int) -> str:
    x, valid = _columns(graph)
    for i in range(1, 5):
        x = graph.residual(x, valid, f"time{i}", 256, 256, (1, 9))
    kernel = graph.weight("logits/kernel", 1, 1, 256, classes)
    return _by_time(graph, graph.convolution(x, kernel.transpose(3, 2, 0, 1), graph.weight("logits/bias", classes)))


def _cnn_bilstm(graph: _Graph, height: int, classes: int) -> str:
    x = graph.pixels()
    for i, inputs, filters in ((1, 1, 32), (2, 32, 64)):
        kernel = graph.weight(f"conv{i}/kernel", 3, 3, inputs, filters)
        x = graph.relu(graph.convolution(x, kernel.transpose(3, 2, 0, 1), graph.weight(f"conv{i}/bias", filters)))
        x = graph.pooled(graph.node("Mul", [x, graph.valid_columns(x, 2 ** (i - 1))]), 2, 2)
    features = height // 4 * 64
    x = graph.node("Transpose", [x], perm=[0, 3, 2, 1])
    x = graph.node("Reshape", [x, graph.integers(0, 0, features)])
    x = graph.relu(graph.dense(x, "dense", features, 64))
    steps = graph.cast(graph.valid_steps(TIME_STRIDE), TensorProto.INT32)
    for i, inputs, units in ((1, 64, 128), (2, 256, 64)):
        x = graph.bidirectional(x, steps, i, inputs, units)
    return graph.dense(x, "logits", 128, classes)


_NETWORKS: dict[str, Callable[[_Graph, int, int], str]] = {
    "crnn": _crnn,
    "resnet-ctc": _resnet_ctc,
    "cnn-bilstm": _cnn_bilstm,
}
