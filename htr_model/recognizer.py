"""A model bundle at work: normalised pictures in, texts with confidence out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from htr_model.bundle import Bundle
from htr_model.decoding.beam_search import LanguageModel
from htr_model.decoding.decoder import decode
from htr_model.decoding.settings import GREEDY, DecoderSettings
from htr_model.decoding.steps import Steps
from htr_model.normalization import Normalization, normalize, stack
from htr_model.reading import NOTHING, Reading, reading
from htr_model.runtimes import predictor, usual_runtime
from htr_model.time_steps import TIME_STRIDE, time_steps


class Recognizer:
    """A loaded network with its charset and settings. Thread-safe after construction.

    Args:
        language_model: made for the bundle's charset; only the beam search asks it.
        threads: processor threads that may be busy at once; None: all.
        runtime: see `htr_model.runtimes`; None: the usual one of this machine.

    Raises:
        BundleError: the bundle's weights are not those of its network.
    """

    def __init__(
        self,
        bundle: Bundle,
        decoder: DecoderSettings = GREEDY,
        language_model: LanguageModel | None = None,
        *,
        threads: int | None = None,
        runtime: str | None = None,
    ):
        self.bundle = bundle
        self._decoder = decoder
        self._language_model = language_model
        self._predictor = predictor(bundle, decoder.classes_per_step, runtime or usual_runtime(), threads)
        self._pool = ThreadPoolExecutor(self._predictor.threads, "recogniser")

    @property
    def normalization(self) -> Normalization:
        return self.bundle.normalization

    def read(self, pictures: list[np.ndarray]) -> list[Reading]:
        """Readings of normalised pictures, uint8 (height, width) each, in their order.

        The network is asked for pictures of similar width together, as many as it reads fastest. A picture's reading
        does not depend on the others.
        """
        widths = [p.shape[1] for p in pictures]
        parts = list(parts_by_width(widths, self.normalization, self._predictor.columns))
        readings: list[Reading] = [NOTHING] * len(pictures)
        found = self._pool.map(lambda part: self._read([pictures[i] for i in part]), parts)
        for part, some in zip(parts, found, strict=True):
            for index, one in zip(part, some, strict=True):
                readings[index] = one
        return readings

    def _read(self, pictures: list[np.ndarray]) -> list[Reading]:
        """The same in one call of the network."""
        batch, widths = stack(pictures, self.normalization)
        classes, log_probabilities = self._predictor.predict(batch, widths)
        return [
            self._reading(Steps(classes[i, :n], log_probabilities[i, :n]), picture) if picture.any() else NOTHING
            for i, (n, picture) in enumerate(zip(time_steps(widths), pictures, strict=True))
        ]

    def read_gray(self, pictures: list[np.ndarray]) -> list[Reading]:
        """Readings of grey pictures of any size, uint8 (h, w) each."""
        return self.read([normalize(p, self.normalization).pixels for p in pictures])

    def _reading(self, steps: Steps, picture: np.ndarray) -> Reading:
        decoded = decode(steps, self.bundle.charset, self._decoder, self._language_model)
        best = decoded.best
        # A letter may be seen in the last time step, which can stand for fewer columns than the others.
        width, stride = picture.shape[1], TIME_STRIDE
        spans = tuple((first * stride, min((last + 1) * stride, width)) for first, last in best.spans)
        text = self.bundle.charset.decode(best.classes)
        weighed = self._decoder.method == "beam" and self._language_model is not None
        calibration = self.bundle.language_calibration if weighed else self.bundle.calibration
        found = reading(text, spans, tuple(best.probabilities), calibration, decoded.word_shares)
        return replace(found, alternatives=decoded.alternatives, word_alternatives=decoded.word_alternatives)


def parts_by_width(widths: list[int], settings: Normalization, columns: int) -> Iterator[list[int]]:
    """Indices in parts of similar width, each at most ``columns`` columns of input when padded, or of one picture."""
    part: list[int] = []
    for index in np.argsort(widths, kind="stable").tolist():
        width = settings.padded_width(widths[index])
        if part and (len(part) + 1) * width > columns:
            yield part
            part = []
        part.append(index)
    if part:
        yield part
