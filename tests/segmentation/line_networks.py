"""Line networks that were not trained: what a test can reckon itself."""

import json
from pathlib import Path

import numpy as np

SETTINGS = {"format_version": 1, "x_height": 7.0, "stride": 2, "multiple": 32}


def smearing_network() -> bytes:
    """An ONNX network that marks rows whose neighbourhood, five rows and three x-heights of columns, holds much ink."""
    from onnx import TensorProto, helper, numpy_helper

    rows, columns, gain, share = 5, 21, 40.0, 0.13
    kernel = numpy_helper.from_array(np.full((1, 1, rows, columns), gain / (rows * columns), np.float32), "kernel")
    bias = numpy_helper.from_array(np.array([-gain * share], np.float32), "bias")
    pads = [rows // 2, columns // 2, rows // 2, columns // 2]
    nodes = [
        helper.make_node(
            "Conv", ["picture", "kernel", "bias"], ["sums"], kernel_shape=[rows, columns], strides=[2, 2], pads=pads
        ),
        helper.make_node("Sigmoid", ["sums"], ["lines"]),
    ]
    taken = helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 1, "height", "width"])
    given = helper.make_tensor_value_info("lines", TensorProto.FLOAT, [1, 1, "rows", "columns"])
    graph = helper.make_graph(nodes, "smear", [taken], [given], [kernel, bias])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8).SerializeToString()


def write_network(folder: Path, model: bytes, **settings) -> Path:
    """``folder`` with a line network of these bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.onnx").write_bytes(model)
    (folder / "lines.json").write_text(json.dumps({**SETTINGS, **settings}))
    return folder
