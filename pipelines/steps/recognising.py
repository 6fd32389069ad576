"""The recogniser as Beam's RunInference sees it, and what could not be read set aside."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Sequence

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler

from htr_model.decoding.settings import GREEDY, DecoderSettings
from htr_model.recognizer import Recognizer
from pipelines.job import LanguageModelFile
from pipelines.logs import hold_back_native_output
from pipelines.models import load_bundle, load_language_model
from pipelines.page_text import Failure
from pipelines.steps.failures import FAILURES, NAMESPACE
from pipelines.steps.units import TextImage, UnitReading


def recognise(batch: Sequence[TextImage], recognizer: Recognizer) -> list[UnitReading | Failure]:
    """Readings of a batch, in its order, failures in place of what could not be read."""
    try:
        readings = recognizer.read([image.pixels for image in batch])
        return [UnitReading(i.key, reading, i.left, i.scale) for i, reading in zip(batch, readings, strict=True)]
    except Exception:
        return [_recognise_alone(image, recognizer) for image in batch]


def _recognise_alone(image: TextImage, recognizer: Recognizer) -> UnitReading | Failure:
    key = image.key
    try:
        return UnitReading(key, recognizer.read([image.pixels])[0], image.left, image.scale)
    except Exception as error:
        message = f"line {key.line_index}, word {key.word_index}: {error}"
        return Failure(
            "recognise", key.page.uri, key.page.page_index, type(error).__name__, message, traceback.format_exc()
        )


class RecognizerHandler(ModelHandler[TextImage, UnitReading | Failure, object]):
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
    ) -> Iterable[UnitReading | Failure]:
        return recognise(batch, model)

    def batch_elements_kwargs(self) -> dict:
        # Left to itself Beam begins with small batches and grows them by timing; full ones are the faster at once.
        return {"min_batch_size": self._batch_size, "max_batch_size": self._batch_size}

    def get_metrics_namespace(self) -> str:
        return "inkbeam_recognition"


class SortOutErrors(beam.DoFn):
    """What was recognised → readings by page; failures aside."""

    def process(self, recognised: UnitReading | Failure):
        if isinstance(recognised, Failure):
            Metrics.counter(NAMESPACE, "failures_recognise").inc()
            yield beam.pvalue.TaggedOutput(FAILURES, recognised)
        else:
            yield recognised.key.page, recognised
