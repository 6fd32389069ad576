"""The variables of the networks by path, known without building one: TensorFlow takes seconds to load.

What `htr_model.networks` builds, told once more in shapes; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Shapes = dict[str, tuple[int, ...]]


def _normalization(name: str, filters: int) -> Shapes:
    return {f"{name}_norm/{v}": (filters,) for v in ("beta", "gamma", "moving_mean", "moving_variance")}


def _convolution(name: str, size: int, inputs: int, filters: int) -> Shapes:
    return {f"{name}_conv/kernel": (size, size, inputs, filters), **_normalization(name, filters)}


def _separable(name: str, kernel: tuple[int, int], inputs: int, filters: int) -> Shapes:
    return {f"{name}_depthwise/kernel": (*kernel, inputs, 1), **_convolution(name, 1, inputs, filters)}


def _residual(name: str, inputs: int, filters: int, kernel: tuple[int, int] = (3, 3)) -> Shapes:
    shortcut = {f"{name}_shortcut/kernel": (1, 1, inputs, filters)} if inputs != filters else {}
    return {
        **_separable(f"{name}_a", kernel, inputs, filters),
        **_separable(f"{name}_b", kernel, filters, filters),
        **shortcut,
    }


def _body() -> Shapes:
    shapes = {**_convolution("stem1", 5, 1, 32), **_convolution("stem2", 3, 32, 64)}
    for name, inputs, filters in (("1", 64, 96), ("2", 96, 96), ("3", 96, 192), ("4", 192, 192), ("5", 192, 256)):
        shapes |= _residual(f"block{name}", inputs, filters)
    return shapes


def _bilstm(i: int, inputs: int, units: int) -> Shapes:
    shapes: Shapes = {}
    for direction in ("forward", "backward"):
        cell, gates = f"bilstm{i}/{direction}_lstm{i}/lstm_cell", 4 * units
        shapes |= {f"{cell}/kernel": (inputs, gates), f"{cell}/recurrent_kernel": (units, gates)}
        shapes[f"{cell}/bias"] = (gates,)
    return shapes


def _crnn(height: int, classes: int) -> Shapes:
    shapes = _body() | _bilstm(1, 256, 192) | _bilstm(2, 384, 192)
    return shapes | {"logits/kernel": (384, classes), "logits/bias": (classes,)}


def _resnet_ctc(height: int, classes: int) -> Shapes:
    shapes = _body()
    for i in range(1, 5):
        shapes |= _residual(f"time{i}", 256, 256, (1, 9))
    return shapes | {"logits/kernel": (1, 1, 256, classes), "logits/bias": (classes,)}


def _cnn_bilstm(height: int, classes: int) -> Shapes:
    shapes: Shapes = {"conv1/kernel": (3, 3, 1, 32), "conv1/bias": (32,)}
    shapes |= {"conv2/kernel": (3, 3, 32, 64), "conv2/bias": (64,)}
    shapes |= {"dense/kernel": (height // 4 * 64, 64), "dense/bias": (64,)}
    shapes |= _bilstm(1, 64, 128) | _bilstm(2, 256, 64)
    return shapes | {"logits/kernel": (128, classes), "logits/bias": (classes,)}


_SHAPES: dict[str, Callable[[int, int], Shapes]] = {
    "crnn": _crnn,
    "resnet-ctc": _resnet_ctc,
    "cnn-bilstm": _cnn_bilstm,
}


def misfit(network: str, height: int, classes: int, found: Mapping[str, tuple[int, ...]]) -> str | None:
    """Why weights of these shapes do not fit a network, in words; None where they do."""
    if network not in _SHAPES:
        return f"unknown network {network!r}; known are {', '.join(sorted(_SHAPES))}"
    for path, shape in _SHAPES[network](height, classes).items():
        if path not in found:
            return f"weight {path} is missing"
        if tuple(found[path]) != shape:
            return f"weight {path} is of shape {tuple(found[path])}, the network {network!r} wants {shape}"
    return None
