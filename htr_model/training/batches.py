"""Training batches: pictures of similar width, freshly augmented, made on threads while the network works."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from htr_model.charset import Charset
from htr_model.normalization import Normalization, normalize, stack
from htr_model.samples import Sample, Skipped
from htr_model.time_steps import steps_needed, time_steps
from htr_model.training.augmentation import augment

COLUMNS_PER_BATCH = 12_288
"""Columns of input per step: 96 words of 128 columns, or 12 lines of 1,024."""
_LABEL_STEP = 16
"""Labels are padded to a multiple of this, so that few shapes exist."""
_THREADS = 2
_AHEAD = 8


@dataclass(frozen=True)
class Batching:
    """How batches are made.

    Attributes:
        size: samples in each; None: as many as fill `COLUMNS_PER_BATCH` columns.
        augmentation: whether every picture is altered at random, differently each time.
    """

    size: int | None = None
    augmentation: bool = True

    def is_full(self, samples: int, columns: int) -> bool:
        """Whether that many samples, padded to that many columns in all, are too many for one batch."""
        return samples > self.size if self.size else columns > COLUMNS_PER_BATCH


USUAL = Batching()


@dataclass(frozen=True)
class Prepared:
    """A sample that can be trained on: its classes, and its width when it is normalised without augmentation."""

    sample: Sample
    classes: list[int]
    width: int


def prepare(samples: list[Sample], charset: Charset, settings: Normalization) -> tuple[list[Prepared], list[Skipped]]:
    """Samples with their classes and widths; those too narrow for their text are skipped."""
    prepared, skipped = [], []
    for sample in samples:
        classes = charset.encode(sample.text)
        width = normalize(sample.gray, settings).pixels.shape[1]
        if time_steps(width) < steps_needed(classes):
            skipped.append(Skipped(sample.id, f"picture too narrow for its text {sample.text!r}"))
        else:
            prepared.append(Prepared(sample, classes, width))
    return prepared, skipped


def plan(
    prepared: list[Prepared],
    settings: Normalization,
    rng: np.random.Generator,
    shuffle: bool,
    batching: Batching = USUAL,
) -> list[list[int]]:
    """Indices of an epoch's batches, similar widths together, each about as large as ``batching`` says.

    Args:
        shuffle: batches in random order; else narrow ones tend to come first, which lets CTC find the alignment on
            short words before it meets lines (a softer form of Deep Speech 2's first epoch, Amodei et al. 2016).
    """
    widths = np.array([p.width for p in prepared]) * rng.uniform(0.9, 1.1, len(prepared))
    batches: list[list[int]] = []
    batch: list[int] = []
    for index in np.argsort(widths).tolist():
        columns = (len(batch) + 1) * settings.padded_width(int(widths[index]))
        if batch and batching.is_full(len(batch) + 1, columns):
            batches.append(batch)
            batch = []
        batch.append(index)
    batches.append(batch)
    rank = rng.uniform(0, 1, len(batches)) + (0 if shuffle else np.linspace(0, 2, len(batches)))
    return [batches[i] for i in np.argsort(rank)]


def make(batch: list[Prepared], settings: Normalization, rng: np.random.Generator, augmentation: bool = True):
    """Inputs and packed labels of one training step.

    Returns:
        ``((pixels, widths), packed)``; packed is int32 (n, 2 + longest): label length, time steps, classes.
    """
    pictures = []
    for item in batch:
        gray = item.sample.gray
        if augmentation:
            gray = augment(gray, rng, batch[int(rng.integers(len(batch)))].sample.gray)
        picture = normalize(gray, settings).pixels
        if time_steps(picture.shape[1]) < steps_needed(item.classes):
            picture = normalize(item.sample.gray, settings).pixels
        pictures.append(picture)
    pixels, widths = stack(pictures, settings)
    longest = max(len(item.classes) for item in batch)
    packed = np.zeros((len(batch), 2 + -(-longest // _LABEL_STEP) * _LABEL_STEP), np.int32)
    for row, item, width in zip(packed, batch, widths, strict=True):
        row[0], row[1] = len(item.classes), time_steps(width)
        row[2 : 2 + len(item.classes)] = item.classes
    return (pixels, widths), packed


def epoch(
    prepared: list[Prepared],
    settings: Normalization,
    seed: int,
    number: int,
    start: int,
    batching: Batching = USUAL,
    shuffle: bool = True,
) -> Iterator:
    """Batches ``start`` … of epoch ``number``, in the order of `plan`: the same for the same seed, also after a
    resumed start."""
    batches = plan(prepared, settings, np.random.default_rng([seed, number]), shuffle, batching)

    def produce(position: int):
        rng = np.random.default_rng([seed, number, position])
        return make([prepared[i] for i in batches[position]], settings, rng, batching.augmentation)

    with ThreadPoolExecutor(_THREADS) as pool:
        pending: deque = deque()
        positions = iter(range(start, len(batches)))
        try:
            for position in positions:
                pending.append(pool.submit(produce, position))
                if len(pending) >= _AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


def batches_per_epoch(prepared: list[Prepared], settings: Normalization, seed: int, batching: Batching = USUAL) -> int:
    """Number of batches in an epoch (epochs differ by a few)."""
    return len(plan(prepared, settings, np.random.default_rng([seed, 0]), shuffle=False, batching=batching))
