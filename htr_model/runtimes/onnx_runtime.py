"""A bundle's network in ONNX Runtime, on the processor."""

from __future__ import annotations

import onnxruntime

from htr_model.bundle import Bundle
from htr_model.cores import usable_cores
from htr_model.onnx_networks import top_classes_graph
from htr_model.runtimes import Predictor

_COLUMNS = 4_608
"""About three lines or 24 words. Fewer give the recurrent layers too little to do at once; what is computed from more
does not stay in a core's caches (docs/experiments.md)."""


def onnx_predictor(bundle: Bundle, count: int, threads: int | None) -> Predictor:
    """The network in ONNX Runtime; see `htr_model.runtimes.predictor`. For small calls, each on one thread: recurrent
    layers give two threads too little to do at once.

    Raises:
        ValueError: the weights are not those of the network.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    # Calls differ in shape: a plan of memory for each would be kept and never used again.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    graph = top_classes_graph(bundle, count).SerializeToString()
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def predict(pixels, widths):
        return tuple(session.run(["classes", "values"], {"pixels": pixels, "widths": widths}))

    return Predictor(predict, _COLUMNS, threads or usable_cores())
