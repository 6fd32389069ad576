import keras
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

from htr_model.networks import named_weights
from htr_model.onnx_graph import NORMALIZATION, Graph, folded
from tests.htr_model.drawing import randomise


@pytest.mark.parametrize(("kernel", "stride"), [((3, 3), 1), ((1, 9), 1), ((5, 5), 2), ((4, 4), 2)])
def test_folded_convolution_answers_as_keras_convolution_and_its_normalisation(kernel, stride):
    picture = keras.Input((None, None, 2))
    x = keras.layers.Conv2D(3, kernel, strides=stride, padding="same", use_bias=False, name="conv")(picture)
    model = keras.Model(picture, keras.layers.BatchNormalization(name="norm")(x))
    randomise(model, seed=2)
    weights = named_weights(model)
    graph = Graph()
    values = folded(weights["conv/kernel"], *(weights[f"norm/{name}"] for name in NORMALIZATION))
    graph.node("Identity", [graph.convolution("x", "both", *values, stride)], "y")
    shape = (TensorProto.FLOAT, ["batch", "channels", "height", "width"])
    data = graph.model("convolution", {"x": shape}, {"y": shape}, 13).SerializeToString()
    pixels = np.random.default_rng(1).normal(size=(2, 12, 20, 2)).astype(np.float32)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"x": pixels.transpose(0, 3, 1, 2)})
    np.testing.assert_allclose(answer.transpose(0, 2, 3, 1), model.predict_on_batch(pixels), atol=1e-5)
