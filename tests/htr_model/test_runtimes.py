"""Which runtime reads pictures unless it is named."""

import sys
from types import SimpleNamespace

import keras
import pytest

from htr_model import runtimes
from htr_model.runtimes import KERAS, ONNX, gpu_is_there, usual_runtime
from tests.pipelines.jobs import python


@pytest.fixture
def device(tmp_path, monkeypatch):
    """A machine with a GPU's device file."""
    path = tmp_path / "nvidiactl"
    path.touch()
    monkeypatch.setattr(runtimes, "_GPU_DEVICE", path)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    return path


def backend(monkeypatch, name: str, found: bool) -> None:
    """Let Keras' backend be one that finds a GPU, or none."""
    modules = {
        "tensorflow": SimpleNamespace(config=SimpleNamespace(list_physical_devices=lambda kind: [kind] * found)),
        "torch": SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: found)),
        "jax": SimpleNamespace(default_backend=lambda: "gpu" if found else "cpu"),
    }
    monkeypatch.setattr(keras.backend, "backend", lambda: name)
    if name in modules:
        monkeypatch.setitem(sys.modules, name, modules[name])


@pytest.mark.parametrize("name", ["tensorflow", "torch", "jax"])
@pytest.mark.parametrize("found", [True, False])
def test_a_gpu_is_taken_where_the_backend_can_use_it(device, monkeypatch, name, found):
    backend(monkeypatch, name, found)
    assert gpu_is_there() is found
    assert usual_runtime() == (KERAS if found else ONNX)


def test_a_backend_that_knows_no_gpus_has_none(device, monkeypatch):
    backend(monkeypatch, "numpy", True)
    assert usual_runtime() == ONNX


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_a_hidden_gpu_is_not_taken(device, monkeypatch, hidden):
    backend(monkeypatch, "torch", True)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert usual_runtime() == ONNX


def test_the_environment_names_the_backend_whether_there_is_a_gpu_or_not(device, monkeypatch):
    device.unlink()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert usual_runtime() == KERAS


def test_without_a_device_no_backend_is_loaded(tmp_path):
    code = """
import os, pathlib, sys
os.environ.pop("KERAS_BACKEND", None)
from htr_model import runtimes
runtimes._GPU_DEVICE = pathlib.Path(sys.argv[1])
print(runtimes.usual_runtime(), sorted({"keras", "tensorflow", "torch", "jax"} & set(sys.modules)))
"""
    done = python(code, tmp_path / "no device")
    assert done.stdout.split() == ["onnx", "[]"], done.stderr
