"""A bundle's network in ONNX Runtime, on the processor."""

from __future__ import annotations

import onnxruntime

from htr_model.bundle import Bundle
from htr_model.onnx_networks import best_path_graph, top_classes_graph
from htr_model.runtimes import Predict


def predict_with_onnx(bundle: Bundle, count: int | None, threads: int | None) -> Predict:
    """See `htr_model.runtimes.predictor`.

    Raises:
        ValueError: the weights are not those of the network.
    """
    graph = best_path_graph(bundle) if count is None else top_classes_graph(bundle, count)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    # Threads that wait busily for the next call take the cores from those that segment pages.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Batches differ in shape: a plan of memory for each would be kept and never used again.
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda pixels, widths: tuple(session.run(["classes", "values"], {"pixels": pixels, "widths": widths}))
