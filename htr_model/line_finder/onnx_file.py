"""The trained line network as an ONNX file, which ONNX Runtime runs without Keras.

Batch normalisation is folded into the convolutions before it.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from onnx import TensorProto, helper, numpy_helper

from htr_model.line_finder.network import CHANNELS
from htr_model.line_finder.pages import STRIDE

_OPSET, _IR_VERSION = 13, 8
"""Of ONNX's operators and file: old ones that have all that is used, so that older readers can read it."""


def to_onnx(model: keras.Model) -> bytes:
    """An ONNX file of a network by `network.build`, with a sigmoid behind it.

    Input ``picture`` float32 (1, 1, height, width), output ``lines`` float32 (1, 1, height / 2, width / 2), 0–1.
    """
    nodes, arrays = [], []

    def constant(name: str, values: np.ndarray) -> str:
        arrays.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    def node(operator: str, inputs: list[str], output: str, **attributes) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolution(x: str, name: str, kernel: np.ndarray, bias: np.ndarray, stride: int = 1) -> str:
        side = kernel.shape[2]
        # As "same" padding of sides that are multiples of the stride.
        before, after = (side - stride) // 2, side - stride - (side - stride) // 2
        inputs = [x, constant(f"{name}_kernel", kernel), constant(f"{name}_bias", bias)]
        sizes = {"kernel_shape": [side, side], "strides": [stride, stride], "pads": [before, before, after, after]}
        return node("Conv", inputs, f"{name}_conv", **sizes)

    def block(x: str, name: str, stride: int = 1) -> str:
        return node("Relu", [convolution(x, name, *_folded(model, name), stride)], f"{name}_relu")

    x = block("picture", "stem", STRIDE)
    levels = []
    for i in range(len(CHANNELS)):
        if i:
            x = node("MaxPool", [x], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
            x = block(x, f"down{i}a")
        x = block(x, f"down{i}b")
        levels.append(x)
    twice = constant("twice", np.array([1, 1, 2, 2]))
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    for i in reversed(range(len(CHANNELS) - 1)):
        x = node("Resize", [x, "", twice], f"enlarge{i}", **nearest)
        x = block(node("Concat", [x, levels[i]], f"join{i}", axis=1), f"up{i}")
    kernel, bias = (np.asarray(ops.convert_to_numpy(v)) for v in model.get_layer("logits").weights)
    node("Sigmoid", [convolution(x, "logits", kernel.transpose(3, 2, 0, 1), bias)], "lines")

    taken = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 1, "height", "width"])
    given = helper.make_tensor_value_info("lines", TensorProto.FLOAT, [1, 1, "half_height", "half_width"])
    graph = helper.make_graph(nodes, "line-network", [taken], [given], arrays)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    return made.SerializeToString()


def _folded(model: keras.Model, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Kernel (out, in, h, w) and bias of a convolution and the normalisation behind it, as one convolution."""
    (kernel,) = (np.asarray(ops.convert_to_numpy(v), np.float64) for v in model.get_layer(f"{name}_conv").weights)
    norm = model.get_layer(f"{name}_norm")
    gamma, beta, mean, variance = (
        np.asarray(ops.convert_to_numpy(v), np.float64)
        for v in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    gain = gamma / np.sqrt(variance + norm.epsilon)
    return (kernel * gain).transpose(3, 2, 0, 1), beta - mean * gain
