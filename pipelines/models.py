"""Model bundles and language models at any URI, loaded for a command or a job."""

from __future__ import annotations

import errno
import functools

from htr_model import bundle
from htr_model.charset import Charset
from htr_model.decoding import language_model
from htr_model.onnx_networks import misfit
from pipelines.errors import UsageError
from pipelines.files import absolute, exists, join, read_bytes
from pipelines.job import BUNDLE_LANGUAGE_MODEL, DEFAULT_MODEL, LanguageModelFile


def bundle_address(model: str) -> str:
    """Where workers find a bundle, whatever their working folder: the default's name, or an absolute URI."""
    return model if model == DEFAULT_MODEL else absolute(model)


def load_bundle(model: str, option: str = "--model") -> bundle.Bundle:
    """The bundle at a URI, or the one inside the package.

    Args:
        option: by which the command line names it, for messages.

    Raises:
        UsageError: there is no usable bundle.
    """
    try:
        loaded = _read_bundle(model)
    except bundle.BundleError as error:
        raise UsageError(f"{option} {error}") from error  # which begins with the bundle's name
    reason = misfit(loaded)
    if reason:
        # Workers would find it out too, one by one, after the job has begun.
        raise UsageError(f"{option} {model}: the weights do not fit the network ({reason}); copy the bundle again")
    return loaded


def _read_bundle(model: str) -> bundle.Bundle:
    if model == DEFAULT_MODEL:
        return bundle.load(bundle.DEFAULT)

    def read(name: str, most: int) -> bytes:
        try:
            uri = join(model, name)
        except ValueError as error:  # of a scheme that Beam does not know
            raise OSError(str(error)) from error
        if not exists(uri):  # of what is missing each store has an error of its own
            raise FileNotFoundError(errno.ENOENT, "there is no such file", uri)
        return read_bytes(uri, most)

    return bundle.load(model, read)


def read_language_model(uri: str) -> bytes:
    """Content of a language model's file, or of its beginning where it is too large to be used.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        return read_bytes(uri, language_model.MAX_BYTES + 1)
    except Exception as error:
        raise UsageError(f"--language-model {uri}: cannot be read ({error})") from error


def load_language_model(file: LanguageModelFile, loaded: bundle.Bundle):
    """The language model of a job.

    Args:
        loaded: the job's model bundle.

    Raises:
        UsageError: the file cannot be read, holds no language model, or another one than when the job was planned.
    """
    of_bundle = file.uri == BUNDLE_LANGUAGE_MODEL
    data = loaded.language_model if of_bundle else read_language_model(file.uri)
    if data is None:
        raise UsageError(
            f"--language-model {file.uri}: model {loaded.id} holds none; name a file, or none to do without"
        )
    try:
        model = _parsed(data, loaded.charset, file.weight)
    except language_model.LanguageModelError as error:
        raise UsageError(f"--language-model {file.uri}: {error}") from error
    if not of_bundle and LanguageModelFile.id_of(data) != file.id:
        raise UsageError(f"--language-model {file.uri}: was changed after the job began; start it again")
    return model


@functools.lru_cache(maxsize=1)
def _parsed(data: bytes, charset: Charset, weight: float):
    """Kept, since on one machine a job's plan and its worker want the same, and it takes a third of a second."""
    return language_model.parse(data, charset, weight)


def has_language_model(model: str) -> bool:
    """Whether the bundle at an address, as `bundle_address` gives it, holds a language model."""
    folder = str(bundle.DEFAULT) if model == DEFAULT_MODEL else model
    try:
        return exists(join(folder, bundle.LANGUAGE_MODEL_FILE))
    except Exception:
        # What is wrong with the place is told when the bundle is loaded.
        return False
