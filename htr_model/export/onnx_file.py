"""A recogniser's network as an ONNX file: any number of pictures of any width, without TensorFlow.

The network is walked operation by operation, so that its LSTMs become ONNX's own operator, which runs whole sequences
at once; a general converter makes loops of them. Needs the package ``onnx`` (the extra ``export``).
"""

from __future__ import annotations

import keras
import numpy as np

_OPSET, _IR_VERSION = 17, 8
"""Of ONNX's operators and file: old ones that have all that is used, so that older readers can read it."""


def to_onnx(model: keras.Model) -> bytes:
    """An ONNX file of a network by `networks.build`.

    Inputs ``pixels`` uint8 (batch, height, width, 1), width a multiple of 16, and ``widths`` int32 (batch,); output
    ``logits`` float32 (batch, width / 4, classes), as the network itself has them.

    Raises:
        ImportError: the package ``onnx`` is not installed.
        NotImplementedError: the network has an operation that is not translated.
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    for operation in model.operations:
        graph.add(operation)
    graph.node("Identity", [graph.names[model.output.name]], name="logits")
    height, classes = model.inputs[0].shape[1], model.output.shape[-1]
    described = helper.make_graph(
        graph.nodes,
        "recognizer",
        [
            helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["batch", height, "width", 1]),
            helper.make_tensor_value_info("widths", TensorProto.INT32, ["batch"]),
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "steps", classes])],
        graph.constants,
    )
    opset = helper.make_opsetid("", _OPSET)
    file = helper.make_model(described, opset_imports=[opset], ir_version=_IR_VERSION, producer_name="inkbeam")
    return file.SerializeToString()


def _list(value) -> list:
    return list(value) if isinstance(value, list | tuple) else [value]


class _Graph:
    """An ONNX graph that grows by Keras operations.

    Pictures are (batch, channels, height, width) here, as ONNX wants them, and (batch, height, width, channels) in
    Keras; tensors of three dimensions are the same in both.

    Attributes:
        names: Keras tensor → ONNX value.
    """

    def __init__(self):
        self.nodes: list = []
        self.constants: list = []
        self.names: dict[str, str] = {}
        self._steps: dict[str, str] = {}

    def constant(self, values) -> str:
        from onnx import numpy_helper

        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def node(self, operator: str, inputs: list[str], name: str = "", **attributes) -> str:
        from onnx import helper

        name = name or f"{operator}{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def cast(self, x: str, kind: str) -> str:
        from onnx import TensorProto

        return self.node("Cast", [x], to=getattr(TensorProto, kind))

    def add(self, operation) -> None:
        kind = type(operation).__name__
        translate = getattr(self, f"_{kind.lower()}", None)
        if translate is None:
            raise NotImplementedError(f"{operation.name}: {kind} cannot be written as ONNX yet")
        inputs = [] if kind == "InputLayer" else [self.names[t.name] for t in _list(operation.input)]
        self.names[operation.output.name] = translate(operation, inputs)

    def _weights(self, operation) -> list[np.ndarray]:
        return [np.asarray(keras.ops.convert_to_numpy(v), np.float32) for v in operation.weights]

    def _inputlayer(self, operation, _) -> str:
        name = operation.output.name
        if len(operation.output.shape) < 4:
            return name
        return self.node("Transpose", [self.cast(name, "FLOAT")], perm=[0, 3, 1, 2])

    def _rescaling(self, operation, inputs) -> str:
        return self.node("Mul", [inputs[0], self.constant(np.float32(operation.scale))])

    def _conv2d(self, operation, inputs) -> str:
        kernel, *bias = self._weights(operation)
        return self._convolve(operation, inputs[0], kernel.transpose(3, 2, 0, 1), bias, 1)

    def _depthwiseconv2d(self, operation, inputs) -> str:
        kernel, *bias = self._weights(operation)
        return self._convolve(operation, inputs[0], kernel.transpose(2, 3, 0, 1), bias, kernel.shape[2])

    def _convolve(self, operation, x: str, kernel: np.ndarray, bias: list[np.ndarray], groups: int) -> str:
        x = self.node(
            "Conv",
            [x, self.constant(kernel), *map(self.constant, bias)],
            auto_pad="SAME_UPPER" if operation.padding == "same" else "VALID",
            kernel_shape=kernel.shape[2:],
            strides=operation.strides,
            group=groups,
        )
        return self._activated(operation, x)

    def _permute(self, operation, inputs) -> str:
        x = self.node("Transpose", inputs, perm=[0, 2, 3, 1])
        x = self.node("Transpose", [x], perm=[0, *operation.dims])
        return self.node("Transpose", [x], perm=[0, 3, 1, 2])

    def _batchnormalization(self, operation, inputs) -> str:
        values = map(self.constant, self._weights(operation))
        return self.node("BatchNormalization", [*inputs, *values], epsilon=float(operation.epsilon))

    def _activation(self, operation, inputs) -> str:
        return self._activated(operation, inputs[0])

    def _activated(self, operation, x: str) -> str:
        if operation.activation is keras.activations.linear:
            return x
        if operation.activation is not keras.activations.relu:
            raise NotImplementedError(f"{operation.name}: of activations only relu can be written as ONNX yet")
        return self.node("Relu", [x])

    def _add(self, _, inputs) -> str:
        return self.node("Add", inputs)

    def _multiply(self, _, inputs) -> str:
        return self.node("Mul", inputs)

    def _dropout(self, _, inputs) -> str:
        return inputs[0]

    def _cast(self, operation, inputs) -> str:
        return self.cast(inputs[0], np.dtype(operation.dtype).name.upper().replace("FLOAT32", "FLOAT"))

    def _maxpooling2d(self, operation, inputs) -> str:
        return self.node("MaxPool", inputs, kernel_shape=operation.pool_size, strides=operation.strides)

    def _columnmax(self, _, inputs) -> str:
        return self.node("Transpose", [self.node("ReduceMax", inputs, axes=[2], keepdims=0)], perm=[0, 2, 1])

    def _validcolumns(self, operation, inputs) -> str:
        x, widths = inputs
        last = self.integers(operation.stride - 1)
        valid = self.node("Add", [self.cast(widths, "INT64"), last])
        valid = self.node("Div", [valid, self.integers(operation.stride)])
        self._steps[operation.output.name] = self.cast(valid, "INT32")
        width = self.node("Gather", [self.node("Shape", [x]), self.constant(np.int64(3))])
        columns = self.node("Range", [self.constant(np.int64(0)), width, self.constant(np.int64(1))])
        shown = [self.node("Unsqueeze", [columns, self.integers(0)]), self.node("Unsqueeze", [valid, self.integers(1)])]
        mask = self.cast(self.node("Less", shown), "FLOAT")
        return self.node("Unsqueeze", [mask, self.integers(1, 2)])

    def _timemask(self, operation, _) -> str:
        """Not a mask but the valid time steps themselves, int32 (batch,): what ONNX's LSTM wants."""
        return self._steps[operation.input.name]

    def _expanddims(self, operation, inputs) -> str:
        x = self.node("Unsqueeze", [inputs[0], self.integers(operation.axis)])
        return self.node("Transpose", [x], perm=[0, 3, 1, 2])

    def _squeeze(self, operation, inputs) -> str:
        x = self.node("Transpose", inputs, perm=[0, 2, 3, 1])
        return self.node("Squeeze", [x, self.integers(*_list(operation.axis))])

    def _reshape(self, operation, inputs) -> str:
        x = inputs[0]
        if len(operation.input.shape) == 4:
            x = self.node("Transpose", [x], perm=[0, 2, 3, 1])
        x = self.node("Reshape", [x, self.integers(0, *operation.target_shape)])
        if len(operation.output.shape) == 4:
            x = self.node("Transpose", [x], perm=[0, 3, 1, 2])
        return x

    def _bidirectional(self, operation, inputs) -> str:
        x, steps = inputs
        directions = (operation.forward_layer, operation.backward_layer)
        kernels, recurrent, biases = zip(*map(self._direction, directions), strict=True)
        weights = [self.constant(np.stack(values)) for values in (kernels, recurrent, biases)]
        units = operation.forward_layer.units
        by_time = self.node("Transpose", [x], perm=[1, 0, 2])
        y = self.node("LSTM", [by_time, *weights, steps], hidden_size=units, direction="bidirectional")
        y = self.node("Transpose", [y], perm=[2, 0, 1, 3])
        return self.node("Reshape", [y, self.integers(0, 0, 2 * units)])

    def _direction(self, layer) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Kernel, recurrent kernel and biases of one direction, gates in ONNX's order: input, output, forget, cell."""

        def reorder(values: np.ndarray) -> np.ndarray:
            i, f, c, o = np.split(values, 4, axis=-1)
            return np.concatenate([i, o, f, c], axis=-1)

        kernel, recurrent, bias = map(reorder, self._weights(layer))
        return kernel.T, recurrent.T, np.concatenate([bias, np.zeros_like(bias)])

    def _dense(self, operation, inputs) -> str:
        kernel, *bias = map(self.constant, self._weights(operation))
        x = self.node("MatMul", [inputs[0], kernel])
        return self._activated(operation, self.node("Add", [x, *bias]) if bias else x)
