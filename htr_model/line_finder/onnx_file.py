"""The trained line network as an ONNX file, which ONNX Runtime runs without Keras.

Batch normalisation is folded into the convolutions before it.
"""

from __future__ import annotations

import keras
import numpy as np
from onnx import TensorProto

from htr_model.line_finder.network import CHANNELS
from htr_model.line_finder.pages import STRIDE
from htr_model.networks import named_weights
from htr_model.onnx_graph import NORMALIZATION, Graph, folded

_OPSET = 13
"""Of ONNX's operators: an old one that has all that is used, so that older readers can read it."""


def to_onnx(model: keras.Model) -> bytes:
    """An ONNX file of a network by `network.build`, with a sigmoid behind it.

    Input ``picture`` float32 (1, 1, height, width), output ``lines`` float32 (1, 1, height / 2, width / 2), 0–1.
    """
    graph = Graph()
    # Of twice the precision, so that folding loses none.
    weights = {path: array.astype(np.float64) for path, array in named_weights(model).items()}

    def block(x: str, name: str, stride: int = 1) -> str:
        normalization = (weights[f"{name}_norm/{value}"] for value in NORMALIZATION)
        kernel, bias = folded(weights[f"{name}_conv/kernel"], *normalization)
        return graph.node("Relu", [graph.convolution(x, name, kernel, bias, stride)], f"{name}_relu")

    x = block("picture", "stem", STRIDE)
    levels = []
    for i in range(len(CHANNELS)):
        if i:
            x = graph.node("MaxPool", [x], f"pool{i}", kernel_shape=[2, 2], strides=[2, 2])
            x = block(x, f"down{i}a")
        x = block(x, f"down{i}b")
        levels.append(x)
    twice = graph.constant(np.array([1, 1, 2, 2], np.float32), "twice")
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    for i in reversed(range(len(CHANNELS) - 1)):
        x = graph.node("Resize", [x, "", twice], f"enlarge{i}", **nearest)
        x = block(graph.node("Concat", [x, levels[i]], f"join{i}", axis=1), f"up{i}")
    graph.node("Sigmoid", [graph.convolution(x, "logits", weights["logits/kernel"], weights["logits/bias"])], "lines")
    inputs = {"picture": (TensorProto.FLOAT, [1, 1, "height", "width"])}
    outputs = {"lines": (TensorProto.FLOAT, [1, 1, "half_height", "half_width"])}
    return graph.model("line-network", inputs, outputs, _OPSET).SerializeToString()
