"""The recogniser as Beam's RunInference sees it."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from apache_beam.ml.inference.base import ModelHandler

from htr_model.decoding.settings import GREEDY, DecoderSettings
from htr_model.reading import Reading
from htr_model.recognizer import Recognizer
from pipelines.job import LanguageModelFile
from pipelines.logs import hold_back_native_output
from pipelines.models import load_bundle, load_language_model
from segmentation.decoding import PageRef


@dataclass(frozen=True)
class ImageKey:
    """Which writing a picture shows; ``word_index`` is None for a whole line."""

    page: PageRef
    line_index: int
    word_index: int | None


@dataclass(frozen=True)
class TextImage:
    """A picture of a line or a word, ready for the recogniser.

    Attributes:
        pixels: uint8 (height, width), as `htr_model.normalization.normalize` makes it.
        left, scale: column ``c`` of ``pixels`` is column ``left + c / scale`` of the picture that was cut.
    """

    key: ImageKey
    pixels: np.ndarray
    left: float
    scale: float


@dataclass(frozen=True)
class RecognitionError:
    """Why a picture could not be read."""

    error_type: str
    message: str
    traceback: str


@dataclass(frozen=True)
class Recognized:
    """A reading, or why there is none. Pixels stay behind: they are not needed any more."""

    key: ImageKey
    left: float
    scale: float
    reading: Reading | None
    error: RecognitionError | None = None


class RecognizerHandler(ModelHandler[TextImage, Recognized, object]):
    """Loads a bundle once a process and reads batches of pictures.

    What a picture says does not depend on the others of its batch. When a batch fails, its pictures are tried one by
    one, so that only the culprit is lost.
    """

    def __init__(
        self,
        model: str,
        batch_size: int,
        threads: int = 0,
        decoder: DecoderSettings = GREEDY,
        language_model: LanguageModelFile | None = None,
    ):
        super().__init__()
        self._model = model
        self._batch_size = batch_size
        self._threads = threads
        self._decoder = decoder
        self._language_model = language_model

    def load_model(self):
        loaded = load_bundle(self._model)
        known = load_language_model(self._language_model, loaded) if self._language_model else None
        with hold_back_native_output():
            return Recognizer(loaded, self._decoder, known, threads=self._threads or None)

    def run_inference(
        self, batch: Sequence[TextImage], model, inference_args: dict | None = None
    ) -> Iterable[Recognized]:
        return recognise(batch, model)

    def batch_elements_kwargs(self) -> dict:
        # Left to itself Beam begins with small batches and grows them by timing; full ones are the faster at once.
        return {"min_batch_size": self._batch_size, "max_batch_size": self._batch_size}

    def get_metrics_namespace(self) -> str:
        return "inkbeam_recognition"


def recognise(batch: Sequence[TextImage], recognizer: Recognizer) -> list[Recognized]:
    """Readings of a batch, in its order, errors in place of what could not be read."""
    try:
        readings = recognizer.read([image.pixels for image in batch])
        return [Recognized(i.key, i.left, i.scale, reading) for i, reading in zip(batch, readings, strict=True)]
    except Exception:
        return [_recognise_alone(image, recognizer) for image in batch]


def _recognise_alone(image: TextImage, recognizer) -> Recognized:
    try:
        return Recognized(image.key, image.left, image.scale, recognizer.read([image.pixels])[0])
    except Exception as error:
        reason = RecognitionError(type(error).__name__, str(error), traceback.format_exc())
        return Recognized(image.key, image.left, image.scale, None, reason)
