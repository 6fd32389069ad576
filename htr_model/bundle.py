"""The model bundle: a folder with everything the recogniser needs, and nothing that can be executed.

    bundle.json           format version, network, charset, normalisation, confidence
    weights.safetensors   float16 arrays, named by the network's variables
    README.md             the card: training data and licences, splits, figures

JSON and safetensors are pure data: loading a bundle runs no code from it. A bundle's id is a hash of the first two
files, so that two bundles which could write different text never share an id.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as to_safetensors

from htr_model.charset import Charset
from htr_model.confidence import UNCALIBRATED, Calibration
from htr_model.normalization import Normalization

FORMAT_VERSION = 1
SETTINGS_FILE = "bundle.json"
WEIGHTS_FILE = "weights.safetensors"
CARD_FILE = "README.md"
DEFAULT = Path(__file__).parent / "bundles" / "default"
"""The bundle that ships inside the package."""


class BundleError(Exception):
    """A folder is not a usable model bundle; the message names it and says why."""


@dataclass(frozen=True)
class Bundle:
    """What is in a model bundle.

    Attributes:
        network: key of `networks.NETWORKS`.
        charset: the symbols, in the order of the network's classes.
        normalization: how pictures are prepared.
        temperature: divisor of the logits that makes probabilities honest (Guo et al. 2017); 1 leaves them.
        weights: variable path → array.
        id: first 16 hexadecimal digits of the content's SHA-256.
        calibration: from a word's score to the probability that it is right.
    """

    network: str
    charset: Charset
    normalization: Normalization
    temperature: float
    weights: dict[str, np.ndarray]
    id: str = ""
    calibration: Calibration = UNCALIBRATED


def _settings(bundle: Bundle) -> bytes:
    values = {
        "format_version": FORMAT_VERSION,
        "network": bundle.network,
        "charset": bundle.charset.symbols,
        "normalization": asdict(bundle.normalization),
        "temperature": bundle.temperature,
    }
    # Left out where it says nothing, so that bundles from before it was known keep their ids.
    if bundle.calibration != UNCALIBRATED:
        values["calibration"] = asdict(bundle.calibration)
    return json.dumps(values, indent=1, ensure_ascii=False).encode()


_FLOAT16_MAX = float(np.finfo(np.float16).max)


def _compact(array: np.ndarray) -> np.ndarray:
    """The array as float16, or as float32 where half precision would overflow (variances of large activations)."""
    fits = np.abs(array).max(initial=0) < _FLOAT16_MAX
    return np.ascontiguousarray(array, np.float16 if fits else np.float32)


def content_id(settings: bytes, weights: bytes) -> str:
    """Id of a bundle with these two files."""
    return hashlib.sha256(hashlib.sha256(settings).digest() + hashlib.sha256(weights).digest()).hexdigest()[:16]


def save(bundle: Bundle, folder: Path, card: str) -> str:
    """Write a bundle, weights as float16 where they fit, and return its id. Each file is replaced whole."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = _settings(bundle)
    weights = to_safetensors({name: _compact(array) for name, array in bundle.weights.items()})
    for name, data in ((WEIGHTS_FILE, weights), (SETTINGS_FILE, settings), (CARD_FILE, card.encode())):
        partial = folder / f"{name}.partial"
        partial.write_bytes(data)
        partial.replace(folder / name)
    return content_id(settings, weights)


def parse(settings: bytes, weights: bytes, name: str) -> Bundle:
    """A bundle from the content of its two files.

    Args:
        name: what error messages call the bundle.

    Raises:
        BundleError: the files are damaged, incomplete or of a later version.
    """
    try:
        values = json.loads(settings)
        version = values["format_version"]
        if version != FORMAT_VERSION:
            raise BundleError(
                f"{name}: bundle format {version!r}; this inkbeam reads format {FORMAT_VERSION}. Upgrade inkbeam."
            )
        temperature = float(values["temperature"])
        if not 0 < temperature < math.inf:
            raise ValueError(f"temperature {temperature!r} is not a positive number")
        arrays = {k: a.astype(np.float32) for k, a in parse_safetensors(weights).items()}
        broken = [k for k, a in arrays.items() if not np.isfinite(a).all()]
        if broken:
            raise ValueError(f"weight {broken[0]} holds values that are no numbers")
        return Bundle(
            network=str(values["network"]),
            charset=Charset(values["charset"]),
            normalization=Normalization(**values["normalization"]),
            temperature=temperature,
            weights=arrays,
            id=content_id(settings, weights),
            calibration=Calibration(**values["calibration"]) if "calibration" in values else UNCALIBRATED,
        )
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise BundleError(f"{name}: damaged model bundle ({type(error).__name__}: {error})") from error


def load(folder: str | Path) -> Bundle:
    """The bundle in a local folder.

    Raises:
        BundleError: the folder holds no usable bundle.
    """
    folder = Path(folder)
    try:
        settings = (folder / SETTINGS_FILE).read_bytes()
        weights = (folder / WEIGHTS_FILE).read_bytes()
    except OSError as error:
        raise BundleError(
            f"{folder}: no model bundle; expected {SETTINGS_FILE} and {WEIGHTS_FILE} ({error.strerror})"
        ) from error
    return parse(settings, weights, str(folder))
