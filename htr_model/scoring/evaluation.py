"""How well a recogniser reads a data set."""

from __future__ import annotations

import time
from dataclasses import dataclass

from htr_model.data.samples import Sample
from htr_model.reading import Reading
from htr_model.recognizer import Recognizer
from htr_model.scoring.calibration import JudgedWord, expected_calibration_error, judged_words
from htr_model.scoring.errors import Outcome, by_collection, rates
from htr_model.scoring.metrics import ErrorRates


@dataclass(frozen=True)
class Evaluation:
    """What a recogniser makes of some samples.

    Attributes:
        overall: error rates over all samples.
        by_collection: error rates of each collection.
        seconds: time of reading, normalisation included.
        predictions: what was read in each sample.
        outcomes: truth and reading of each sample.
        words: the words that were read, right and wrong ones.
    """

    overall: ErrorRates
    by_collection: dict[str, ErrorRates]
    seconds: float
    predictions: list[Reading]
    outcomes: list[Outcome]
    words: list[JudgedWord]

    @property
    def samples_per_second(self) -> float:
        return self.overall.samples / self.seconds

    @property
    def calibration_error(self) -> float:
        """Expected calibration error of the words' confidences, 0–1."""
        return expected_calibration_error([w.confidence for w in self.words], [w.right for w in self.words])


def evaluate(recognizer: Recognizer, samples: list[Sample]) -> Evaluation:
    """Read every sample and compare with its text.

    Raises:
        ValueError: there are no samples.
    """
    start = time.perf_counter()
    readings = recognizer.read_gray([s.gray for s in samples])
    seconds = time.perf_counter() - start
    outcomes = outcomes_of(samples, [r.text for r in readings])
    return Evaluation(
        overall=rates(outcomes),
        by_collection=by_collection(outcomes),
        seconds=seconds,
        predictions=readings,
        outcomes=outcomes,
        words=judged_words(samples, readings),
    )


def outcomes_of(samples: list[Sample], texts: list[str]) -> list[Outcome]:
    """Truth and reading of each sample."""
    return [Outcome(s.text, t, s.writer, s.collection) for s, t in zip(samples, texts, strict=True)]
