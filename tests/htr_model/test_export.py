import json

import numpy as np
import onnx
import pytest

from htr_model import bundle, export, networks
from htr_model.charset import Charset
from htr_model.normalization import Normalization
from htr_model.time_steps import time_steps
from tests.htr_model.drawing import randomise

HEIGHT = 16


@pytest.fixture(scope="module", params=sorted(networks.NETWORKS))
def recognizer(request):
    """A bundle with random weights."""
    charset, settings = Charset("abcdef"), Normalization(height=HEIGHT)
    model = networks.build(request.param, HEIGHT, charset.classes)
    randomise(model, seed=3)
    return bundle.Bundle(request.param, charset, settings, networks.named_weights(model))


def pictures(batch: int, width: int):
    """Noise of several widths, padded with paper."""
    rng = np.random.default_rng(batch)
    pixels = rng.integers(0, 256, (batch, HEIGHT, width, 1)).astype(np.uint8)
    widths = np.linspace(width, width // 3, batch).astype(np.int32)
    for picture, valid in zip(pixels, widths, strict=True):
        picture[:, valid:] = 0
    return pixels, widths


def assert_reads_the_same(recognizer, run, pixels, widths):
    expected = np.asarray(networks.with_weights(recognizer)([pixels, widths], training=False))
    found = run(pixels, widths)
    assert found.shape == expected.shape
    for one, other, n in zip(found, expected, time_steps(widths), strict=True):
        np.testing.assert_allclose(one[:n], other[:n], atol=1e-4 * max(1.0, float(np.abs(other[:n]).max())))


def test_onnx_reads_like_keras_at_any_batch_and_width(recognizer, tmp_path):
    export.write(recognizer, "onnx", tmp_path / "model.onnx", 0)
    run = export.runner("onnx", tmp_path / "model.onnx")
    for batch, width in ((1, 16), (1, 112), (3, 96)):
        assert_reads_the_same(recognizer, run, *pictures(batch, width))


def test_onnx_is_well_formed_and_holds_no_loop(recognizer, tmp_path):
    export.write(recognizer, "onnx", tmp_path / "model.onnx", 0)
    file = onnx.load(tmp_path / "model.onnx")
    onnx.checker.check_model(file, full_check=True)
    operators = {node.op_type for node in file.graph.node}
    assert not operators & {"Loop", "Scan", "If"}
    assert ("LSTM" in operators) == (recognizer.network != "resnet-ctc")


@pytest.mark.parametrize("kind", ["litert", "saved-model"])
def test_tensorflows_formats_read_like_keras(recognizer, kind, tmp_path):
    export.write(recognizer, kind, tmp_path / "model", 64)
    run = export.runner(kind, tmp_path / "model")
    for batch, valid in ((1, 64), (1, 30)) if kind == "litert" else ((2, 64), (1, 48)):
        pixels, widths = pictures(batch, 64)
        widths[0] = valid
        pixels[0, :, valid:] = 0
        assert_reads_the_same(recognizer, run, pixels, widths)


def test_settings_say_what_a_reader_needs(tiny_bundle):
    loaded = bundle.load(tiny_bundle)
    values = json.loads(export.settings(loaded, "litert", 512))
    assert Charset(values["charset"]) == loaded.charset
    assert values["decoding"] == {"blank": 0, "time_stride": 4}
    assert values["normalization"]["height"] == loaded.normalization.height
    assert (values["input"]["width"], values["model_id"]) == (512, loaded.id)
    assert json.loads(export.settings(loaded, "onnx", 512))["input"]["width"] is None
