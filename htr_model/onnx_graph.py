"""ONNX graphs made node by node: of the recogniser's networks, and of the one that finds lines."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, helper, numpy_helper

_IR_VERSION = 8
"""Of ONNX's files: an old one, so that older readers can read them."""
_EPSILON = 1e-3
"""Of batch normalisation, Keras' default."""
NORMALIZATION = ("gamma", "beta", "moving_mean", "moving_variance")
"""The weights of a batch normalisation, in the order in which `folded` takes them."""


def folded(
    kernel: np.ndarray, gamma: np.ndarray, beta: np.ndarray, mean: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of one convolution that does the work of a convolution and the batch normalisation behind it.

    Args:
        kernel: (rows, columns, inputs, outputs), of a convolution without bias.
        gamma, beta, mean, variance: of the normalisation, (outputs,).
    """
    gain = gamma / np.sqrt(variance + _EPSILON)
    return kernel * gain, beta - mean * gain


class Graph:
    """An ONNX graph that grows node by node. Methods take and return names of values, which are made up where none is
    given. Pictures are (batch, channels, height, width)."""

    def __init__(self) -> None:
        self._nodes: list = []
        self._constants: list = []

    def constant(self, values: np.ndarray, name: str = "") -> str:
        """A value that is always the same."""
        name = name or f"constant{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def integers(self, *values: int) -> str:
        """A constant list, int64."""
        return self.constant(np.array(values, np.int64))

    def add(self, operator: str, inputs: list[str], outputs: list[str], **attributes) -> list[str]:
        """``outputs``, made by a node."""
        self._nodes.append(helper.make_node(operator, inputs, outputs, name=outputs[0], **attributes))
        return outputs

    def node(self, operator: str, inputs: list[str], output: str = "", **attributes) -> str:
        """The only output of a node."""
        return self.add(operator, inputs, [output or f"{operator}{len(self._nodes)}"], **attributes)[0]

    def cast(self, x: str, to: int, output: str = "") -> str:
        """``x`` as another of ONNX's types."""
        return self.node("Cast", [x], output, to=to)

    def convolution(
        self, x: str, name: str, kernel: np.ndarray, bias: np.ndarray | None = None, stride: int = 1, **attributes
    ) -> str:
        """``x`` convolved with "same" padding: height and width, multiples of ``stride``, are divided by it.

        Args:
            name: begins the names of its values.
            kernel: (rows, columns, inputs, outputs).
            bias: (outputs,).
        """
        inputs = [x, self.constant(np.asarray(kernel, np.float32).transpose(3, 2, 0, 1), f"{name}_kernel")]
        if bias is not None:
            inputs.append(self.constant(np.asarray(bias, np.float32), f"{name}_bias"))
        shape = kernel.shape[:2]
        before = [(side - stride) // 2 for side in shape]
        after = [side - stride - pad for side, pad in zip(shape, before, strict=True)]
        sizes = {"kernel_shape": shape, "strides": [stride, stride], "pads": [*before, *after]}
        return self.node("Conv", inputs, f"{name}_conv", **sizes, **attributes)

    def model(
        self, name: str, inputs: dict[str, tuple[int, list]], outputs: dict[str, tuple[int, list]], opset: int
    ) -> ModelProto:
        """The graph as a model of its own.

        Args:
            inputs, outputs: by name ONNX's type and the shape, whose sizes are numbers or names.
            opset: version of ONNX's operators.
        """
        taken, given = (
            [helper.make_tensor_value_info(value, *described) for value, described in values.items()]
            for values in (inputs, outputs)
        )
        graph = helper.make_graph(self._nodes, name, taken, given, self._constants)
        versions = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=versions, ir_version=_IR_VERSION, producer_name="inkbeam")
