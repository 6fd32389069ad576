"""How well a recogniser reads a data set."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from htr_model.metrics import ErrorRates, error_rates
from htr_model.normalization import Normalization, normalize
from htr_model.reading import Reading
from htr_model.recognizer import Recognizer
from htr_model.samples import Sample

COLUMNS_PER_BATCH = 16_384
"""Columns of input per call of the network: about 128 words or 16 lines."""


@dataclass(frozen=True)
class Evaluation:
    """Error rates over all samples and by collection, and the speed of reading (normalisation included)."""

    overall: ErrorRates
    by_collection: dict[str, ErrorRates]
    seconds: float
    predictions: list[Reading]

    @property
    def samples_per_second(self) -> float:
        return self.overall.samples / self.seconds


def batches_by_width(widths: list[int], settings: Normalization, columns: int) -> Iterator[list[int]]:
    """Indices in batches of similar width, each at most ``columns`` columns of input when padded."""
    batch: list[int] = []
    for index in np.argsort(widths, kind="stable").tolist():
        width = settings.padded_width(widths[index])
        if batch and (len(batch) + 1) * width > columns:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def read_all(recognizer: Recognizer, pictures: list[np.ndarray]) -> list[Reading]:
    """Readings of normalised pictures, in their order, read in batches of similar width."""
    readings: list[Reading | None] = [None] * len(pictures)
    for batch in batches_by_width([p.shape[1] for p in pictures], recognizer.normalization, COLUMNS_PER_BATCH):
        for index, reading in zip(batch, recognizer.read([pictures[i] for i in batch]), strict=True):
            readings[index] = reading
    return readings


def evaluate(recognizer: Recognizer, samples: list[Sample]) -> Evaluation:
    """Read every sample and compare with its text.

    Raises:
        ValueError: there are no samples.
    """
    start = time.perf_counter()
    readings = read_all(recognizer, [normalize(s.gray, recognizer.normalization).pixels for s in samples])
    seconds = time.perf_counter() - start
    groups: dict[str, list[int]] = defaultdict(list)
    for i, sample in enumerate(samples):
        groups[sample.collection].append(i)

    def rates(indices) -> ErrorRates:
        return error_rates([samples[i].text for i in indices], [readings[i].text for i in indices])

    return Evaluation(
        overall=rates(range(len(samples))),
        by_collection={name: rates(indices) for name, indices in sorted(groups.items())},
        seconds=seconds,
        predictions=readings,
    )
