"""The model bundle: a folder with everything the recogniser needs, and nothing that can be executed.

    bundle.json                  format version, network, charset, normalisation, confidence, SHA-256 of the weights
    weights.safetensors          float16 arrays, float32 where half precision would overflow, named by the network's
                                 variables
    language_model.safetensors   n-grams of characters (htr_model.decoding.ngram_file) for beam search; may be absent
    README.md                    the card: training data and licences, splits, figures

JSON and safetensors are pure data: loading a bundle runs no code from it. A bundle's id is a hash of all but the card
and the weights' SHA-256, so that two bundles which could write different text never share an id. That SHA-256 tells
settings and weights of two bundles apart from those of one; bundles from before it was known have none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_safetensors
from safetensors.numpy import save as to_safetensors

from htr_model.charset import Charset
from htr_model.confidence import UNCALIBRATED, Calibration
from htr_model.decoding import ngram_file
from htr_model.normalization import Normalization
from htr_model.whole_files import write_whole

FORMAT_VERSION = 1
SETTINGS_FILE = "bundle.json"
WEIGHTS_FILE = "weights.safetensors"
LANGUAGE_MODEL_FILE = "language_model.safetensors"
CARD_FILE = "README.md"
MAX_SETTINGS_BYTES, MAX_WEIGHTS_BYTES = 2**20, 2**30
"""Larger files are refused; of a card as much is read."""
_WEIGHTS_HASH = "weights_sha256"
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
        weights: variable path → array.
        id: first 16 hexadecimal digits of the content's SHA-256.
        calibration: from a word's score to the probability that it is right.
        language_calibration: likewise for words that a language model helped to find, whose scores are others
            (`Reading.word_scores`).
        language_model: content of a file of n-grams, understood when it is used; None where the bundle has none.
        card: what people are told of it; no part of what it is.
    """

    network: str
    charset: Charset
    normalization: Normalization
    weights: dict[str, np.ndarray]
    id: str = ""
    calibration: Calibration = UNCALIBRATED
    language_model: bytes | None = None
    language_calibration: Calibration = UNCALIBRATED
    card: str = field(default="", repr=False, compare=False)


def _settings(bundle: Bundle) -> dict:
    values = {
        "format_version": FORMAT_VERSION,
        "network": bundle.network,
        "charset": bundle.charset.symbols,
        "normalization": asdict(bundle.normalization),
    }
    # Left out where it says nothing, so that bundles from before it was known keep their ids.
    for name in ("calibration", "language_calibration"):
        if getattr(bundle, name) != UNCALIBRATED:
            values[name] = asdict(getattr(bundle, name))
    return values


def _json(settings: dict) -> bytes:
    return json.dumps(settings, indent=1, ensure_ascii=False).encode()


_FLOAT16_MAX = float(np.finfo(np.float16).max)


def _compact(array: np.ndarray) -> np.ndarray:
    """The array as float16, or as float32 where half precision would overflow (variances of large activations)."""
    fits = np.abs(array).max(initial=0) < _FLOAT16_MAX
    return np.ascontiguousarray(array, np.float16 if fits else np.float32)


def content_id(settings: bytes, weights: bytes, language_model: bytes | None = None) -> str:
    """Id of a bundle with these files."""
    files = (settings, weights) if language_model is None else (settings, weights, language_model)
    return hashlib.sha256(b"".join(hashlib.sha256(data).digest() for data in files)).hexdigest()[:16]


def save(bundle: Bundle, folder: Path, card: str) -> str:
    """Write a bundle, weights as float16 where they fit, and return its id.

    Each file is replaced whole, the settings last: until then those of a bundle that stood there are found not to fit
    its weights any more (`load`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = _settings(bundle)
    weights = to_safetensors({name: _compact(array) for name, array in bundle.weights.items()})
    write_whole(folder / WEIGHTS_FILE, weights)
    if bundle.language_model is None:
        # One that stood there belongs to the bundle that is replaced.
        (folder / LANGUAGE_MODEL_FILE).unlink(missing_ok=True)
    else:
        write_whole(folder / LANGUAGE_MODEL_FILE, bundle.language_model)
    write_whole(folder / CARD_FILE, card.encode())
    write_whole(folder / SETTINGS_FILE, _json({**settings, _WEIGHTS_HASH: hashlib.sha256(weights).hexdigest()}))
    return content_id(_json(settings), weights, bundle.language_model)


def parse(settings: bytes, weights: bytes, name: str, language_model: bytes | None = None) -> Bundle:
    """A bundle from the content of its files.

    Args:
        name: what error messages call the bundle.

    Raises:
        BundleError: the files are damaged, incomplete, of two bundles or of a later version.
    """
    for file, data, most in (
        (SETTINGS_FILE, settings, MAX_SETTINGS_BYTES), (WEIGHTS_FILE, weights, MAX_WEIGHTS_BYTES)
    ):  # fmt: skip
        if len(data) > most:
            raise BundleError(f"{name}: {file} holds more than {most:,} bytes")
    try:
        values = json.loads(settings, parse_int=_whole_number)
        version = values["format_version"]
        if version != FORMAT_VERSION:
            raise BundleError(
                f"{name}: bundle format {version!r}; this inkbeam reads format {FORMAT_VERSION}. Upgrade inkbeam."
            )
        if _WEIGHTS_HASH in values:
            if values.pop(_WEIGHTS_HASH) != hashlib.sha256(weights).hexdigest():
                raise BundleError(
                    f"{name}: damaged model bundle ({WEIGHTS_FILE} is not the one that {SETTINGS_FILE} was written "
                    "with). Where it is being replaced, try again; else copy or train it again, all its files."
                )
            settings = _json(values)
        arrays = {k: a.astype(np.float32) for k, a in parse_safetensors(weights).items()}
        broken = [k for k, a in arrays.items() if not np.isfinite(a).all()]
        if broken:
            raise ValueError(f"weight {broken[0]} holds values that are no numbers")
        return Bundle(
            network=str(values["network"]),
            charset=Charset(values["charset"]),
            normalization=Normalization(**values["normalization"]),
            weights=arrays,
            id=content_id(settings, weights, language_model),
            calibration=_calibration(values, "calibration"),
            language_model=language_model,
            language_calibration=_calibration(values, "language_calibration"),
        )
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, SafetensorError) as error:
        raise BundleError(f"{name}: damaged model bundle ({type(error).__name__}: {error})") from error


def _whole_number(digits: str) -> int:
    """A whole number of JSON, which may have any number of digits there.

    Raises:
        OverflowError: it is larger than what can be reckoned with beside fractions.
    """
    number = int(digits)
    float(number)
    return number


def _calibration(settings: dict, name: str) -> Calibration:
    return Calibration(**settings[name]) if name in settings else UNCALIBRATED


Read = Callable[[str, int], bytes]
"""The beginning of one of a bundle's files, by its name and the most bytes; FileNotFoundError where there is none."""


def load(folder: str | Path, read: Read | None = None) -> Bundle:
    """The bundle in a folder.

    Args:
        read: for a folder that is not on this machine.

    Raises:
        BundleError: the folder holds no usable bundle.
    """
    read = read or partial(_beginning, Path(folder))

    def at_hand(name: str, most: int) -> bytes | None:
        try:
            return read(name, most + 1)
        except FileNotFoundError:
            return None

    try:
        # A byte more than is allowed tells that a file is too large. The weights, which `save` writes first, come last:
        # where the bundle is replaced meanwhile, they are found not to fit.
        settings = read(SETTINGS_FILE, MAX_SETTINGS_BYTES + 1)
        language_model = at_hand(LANGUAGE_MODEL_FILE, ngram_file.MAX_BYTES)
        weights = read(WEIGHTS_FILE, MAX_WEIGHTS_BYTES + 1)
    except OSError as error:
        raise BundleError(
            f"{folder}: no model bundle; expected {SETTINGS_FILE} and {WEIGHTS_FILE} ({error.strerror or error})"
        ) from error
    try:
        card = at_hand(CARD_FILE, MAX_SETTINGS_BYTES) or b""
    except OSError:
        card = b""
    loaded = parse(settings, weights, str(folder), language_model)
    return replace(loaded, card=card.decode("utf-8", "replace"))


def _beginning(folder: Path, name: str, most: int) -> bytes:
    with open(folder / name, "rb") as file:
        return file.read(most)
