"""The learned finder of lines: a small network that marks each line's x-height zone, run by ONNX Runtime.

It needs neither Keras nor TensorFlow. Its files are an ONNX network, ``lines.json`` that says how its picture is made,
and a card; `inkbeam train-lines` makes them.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from segmentation.scaling import scaled

MODEL_FILE = "network.onnx"
SETTINGS_FILE = "lines.json"
FORMAT_VERSION = 1
DEFAULT = Path(__file__).parents[1] / "models" / "lines"
"""The network that ships inside the package."""
_MOST_BYTES = 64 * 2**20
"""Greatest size of a file of a line network."""


class LineModelError(Exception):
    """A folder holds no usable line network; the message names it and says why."""


@dataclass(frozen=True)
class LineSettings:
    """How a page is shown to a line network.

    Attributes:
        x_height: pixels of an x-height in its picture.
        stride: pixels of its picture per pixel of its answer.
        multiple: of which its picture's sides must be multiples.
    """

    x_height: float
    stride: int
    multiple: int

    def __post_init__(self) -> None:
        if not 2 <= self.x_height <= 40:
            raise ValueError(f"x_height {self.x_height!r} is not between 2 and 40")
        if self.stride not in (1, 2, 4) or not 1 <= self.multiple <= 256 or self.multiple % self.stride:
            raise ValueError(f"stride {self.stride!r} and multiple {self.multiple!r} do not fit")


class LineNetwork:
    """A loaded line network. Several threads may use it at once, and a call uses one."""

    def __init__(self, model: bytes, settings: LineSettings, identifier: str):
        """Read the network.

        Args:
            identifier: says which network it is (`model_id`).

        Raises:
            ValueError: ``model`` is no ONNX network of one picture and one answer.
        """
        self.settings = settings
        self.id = identifier
        try:
            self._session = _session(model)
            answer = self._run(np.zeros((2 * settings.multiple, settings.multiple), np.float32))
        except Exception as error:  # ONNX Runtime's errors have no name in common
            raise ValueError(f"no ONNX network of one picture and one answer: {error}") from error
        side = settings.multiple
        if answer.shape != (2 * side // settings.stride, side // settings.stride):
            raise ValueError(f"its answer to a picture of {2 * side} × {side} pixels has shape {answer.shape}")

    def find(self, flat: np.ndarray, x_height: float) -> tuple[np.ndarray, float]:
        """How surely each pixel lies in a line's x-height zone, and how the answer is scaled.

        Args:
            flat: uint8 (h, w), the page on even white paper, level.
            x_height: of its writing, pixels.

        Returns:
            float32 (rows, columns), 0–1, and the answer's pixels per pixel of the page.
        """
        factor = self.settings.x_height / x_height
        small = scaled(flat, factor)
        multiple, stride = self.settings.multiple, self.settings.stride
        picture = np.zeros([-(-n // multiple) * multiple for n in small.shape], np.float32)
        picture[: small.shape[0], : small.shape[1]] = (255 - small) / np.float32(255)
        answer = self._run(picture)[: -(-small.shape[0] // stride), : -(-small.shape[1] // stride)]
        return answer, factor / stride

    def _run(self, picture: np.ndarray) -> np.ndarray:
        (answer,) = self._session.run(None, {self._session.get_inputs()[0].name: picture[None, None]})
        return answer.reshape(-1, picture.shape[1] // self.settings.stride)


def _session(model: bytes) -> onnxruntime.InferenceSession:
    """The network, ready to be run."""
    options = onnxruntime.SessionOptions()
    # Pages are segmented on threads already, and differ in size: no plan of memory fits the next one.
    options.intra_op_num_threads = 1
    options.enable_mem_pattern = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def model_id(folder: Path) -> str:
    """Id of the network in a folder: first 16 hexadecimal digits of its content's SHA-256.

    Raises:
        LineModelError: the folder holds no network.
    """
    return _id(*_read(folder))


def _id(settings: bytes, model: bytes) -> str:
    return hashlib.sha256(hashlib.sha256(settings).digest() + hashlib.sha256(model).digest()).hexdigest()[:16]


def _read(folder: Path) -> tuple[bytes, bytes]:
    """Content of the settings and of the network in a folder."""
    try:
        for name in (SETTINGS_FILE, MODEL_FILE):
            size = (folder / name).stat().st_size
            if size > _MOST_BYTES:
                raise LineModelError(f"{folder / name}: {size:,} bytes are too many for a line network")
        return (folder / SETTINGS_FILE).read_bytes(), (folder / MODEL_FILE).read_bytes()
    except OSError as error:
        raise LineModelError(
            f"{folder}: no line network; expected {SETTINGS_FILE} and {MODEL_FILE} ({error.strerror}). "
            "Train one with inkbeam train-lines, or use --lines classical, which needs none."
        ) from error


@functools.lru_cache(maxsize=2)
def load(folder: Path) -> LineNetwork:
    """The network in a folder, read once a process.

    Raises:
        LineModelError: the folder holds no usable network.
    """
    settings, model = _read(folder)
    try:
        values = json.loads(settings)
        version = values.pop("format_version")
        if version != FORMAT_VERSION:
            raise LineModelError(
                f"{folder}: line network of format {version!r}; this inkbeam reads format {FORMAT_VERSION}. "
                "Upgrade inkbeam."
            )
        return LineNetwork(model, LineSettings(**values), _id(settings, model))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise LineModelError(
            f"{folder}: damaged line network ({reason}). Restore its files, or use --lines classical, which needs none."
        ) from error
