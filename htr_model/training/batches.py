"""Training batches: pictures of similar width, freshly augmented, made beside the network's work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np

from htr_model.charset import Charset
from htr_model.data.samples import Sample, Skipped
from htr_model.normalization import Normalization, normalize, stack, trim
from htr_model.time_steps import steps_needed, time_steps
from htr_model.training.augmentation import augment, rearrange
from htr_model.training.batch_workers import mapped, produced

_LABEL_STEP = 16
"""Labels are padded to a multiple of this, so that few shapes exist."""
_REARRANGED = 0.5
"""Share of the lines whose gaps are known that are met with their words in another order."""
_MOST = 256
"""Samples of a large batch of few shapes: a thousand single words would be but a few steps for each pass over them."""


@dataclass(frozen=True)
class Batching:
    """How batches are made.

    Attributes:
        size: samples in each; None: as many as fill ``columns``.
        columns: columns of input per step: 12,288 are 96 words of 128 columns, or 12 lines of 1,024.
        augmentation: whether every picture is altered at random, differently each time.
        few_shapes: whether pictures are padded to one of about a dozen widths, and batches of a width all hold the
            same number, some pictures twice. A GPU's library takes seconds to prepare for each new shape.
        workers: processes that make batches; 0: threads of this one, which two cores or a small network need no more
            than. A GPU needs all cores of its machine. Processes are forked, which not every system can.
    """

    size: int | None = None
    columns: int = 12_288
    augmentation: bool = True
    few_shapes: bool = False
    workers: int = 0

    def is_full(self, samples: int, columns: int) -> bool:
        """Whether that many samples, padded to that many columns in all, are too many for one batch."""
        return samples > self.size if self.size else columns > self.columns

    def count(self, width: int) -> int:
        """Samples that batches of a width hold where shapes are few."""
        return self.size or min(_MOST, max(1, self.columns // width))


USUAL = Batching()


@dataclass(frozen=True)
class Prepared:
    """A sample that can be trained on, its picture trimmed; its classes, and its width when it is normalised without
    augmentation."""

    sample: Sample
    classes: list[int]
    width: int


def prepare(
    samples: list[Sample], charset: Charset, settings: Normalization, workers: int = 0
) -> tuple[list[Prepared], list[Skipped]]:
    """Samples with their classes and widths; those too narrow for their text are skipped.

    Args:
        workers: as in `Batching`.
    """
    measured = mapped(partial(_measure, samples, settings), len(samples), workers)
    prepared, skipped = [], []
    for sample, (gray, width) in zip(samples, measured, strict=True):
        classes = charset.encode(sample.text)
        if time_steps(width) < steps_needed(classes):
            skipped.append(Skipped(sample.id, f"picture too narrow for its text {sample.text!r}"))
        else:
            prepared.append(Prepared(sample if gray is None else replace(sample, gray=gray), classes, width))
    return prepared, skipped


_WORTHWHILE = 0.8
"""Share of a picture's pixels that trimming must do without; else it stays as it is."""


def _measure(samples: list[Sample], settings: Normalization, index: int) -> tuple[np.ndarray | None, int]:
    """A sample's picture, trimmed where that is worth it, and its width when it is normalised."""
    gray = samples[index].gray
    width = normalize(gray, settings).pixels.shape[1]
    if samples[index].gaps:  # shares of this very picture's width
        return None, width
    trimmed = trim(gray, settings)
    return trimmed if trimmed.size < _WORTHWHILE * gray.size else None, width


_STRETCH = 1.1
"""By which augmentation may widen a picture before it meets the edge of its batch where shapes are few."""
_LADDER = 1.25
"""Ratio of the widths that batches have where shapes are few."""


def roomy_width(width: int, settings: Normalization) -> int:
    """The one of few input widths that has room for a picture ``width`` columns wide, and a little more."""
    wanted = min(width * _STRETCH, settings.max_width)
    rung = settings.width_step
    while rung < wanted:
        rung = max(rung + settings.width_step, settings.padded_width(int(rung * _LADDER)))
    return min(rung, settings.max_width)


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
    divided = _by_rungs if batching.few_shapes else _by_width
    batches = divided(prepared, settings, rng, batching)
    rank = rng.uniform(0, 1, len(batches)) + (0 if shuffle else np.linspace(0, 2, len(batches)))
    return [batches[i] for i in np.argsort(rank)]


def _by_width(prepared, settings, rng, batching) -> list[list[int]]:
    """Batches of pictures of similar width, narrow ones first."""
    widths = np.array([p.width for p in prepared]) * rng.uniform(0.9, 1.1, len(prepared))
    batches: list[list[int]] = [[]]
    for index in np.argsort(widths).tolist():
        columns = (len(batches[-1]) + 1) * settings.padded_width(int(widths[index]))
        if batches[-1] and batching.is_full(len(batches[-1]) + 1, columns):
            batches.append([])
        batches[-1].append(index)
    return batches


def _by_rungs(prepared, settings, rng, batching) -> list[list[int]]:
    """Batches of pictures of the same `roomy_width`, each as large as all of that width; narrow ones first."""
    rungs = np.array([roomy_width(p.width, settings) for p in prepared])
    batches: list[list[int]] = []
    for rung in np.unique(rungs).tolist():
        members, count = rng.permutation(np.flatnonzero(rungs == rung)), batching.count(rung)
        lacking = -len(members) % count
        members = np.concatenate([members, rng.choice(members, lacking)])
        batches += members.reshape(-1, count).tolist()
    return batches


def make(batch: list[Prepared], settings: Normalization, rng: np.random.Generator, batching: Batching = USUAL):
    """Inputs and packed labels of one training step.

    Returns:
        ``((pixels, widths), packed)``; packed is int32 (n, 2 + longest): label length, time steps, classes.
    """
    room = roomy_width(max(item.width for item in batch), settings) if batching.few_shapes else None
    pictures, labels = [], []
    for item in batch:
        gray, classes = item.sample.gray, item.classes
        if batching.augmentation:
            gray, classes = _rearranged(item, rng)
            gray = augment(gray, rng, batch[int(rng.integers(len(batch)))].sample.gray)
        picture = normalize(gray, settings).pixels
        if room and picture.shape[1] > room:
            picture = cv2.resize(picture, (room, picture.shape[0]), interpolation=cv2.INTER_AREA)
        if time_steps(picture.shape[1]) < steps_needed(classes):
            picture, classes = normalize(item.sample.gray, settings).pixels[:, :room], item.classes
        pictures.append(picture)
        labels.append(classes)
    pixels, widths = stack(pictures, settings, room)
    longest = max(map(len, labels))
    packed = np.zeros((len(batch), 2 + -(-longest // _LABEL_STEP) * _LABEL_STEP), np.int32)
    for row, classes, width in zip(packed, labels, widths, strict=True):
        row[0], row[1] = len(classes), time_steps(width)
        row[2 : 2 + len(classes)] = classes
    return (pixels, widths), packed


def _rearranged(item: Prepared, rng: np.random.Generator) -> tuple[np.ndarray, list[int]]:
    """A sample's picture and classes, those of some lines with their words in another order."""
    sample = item.sample
    if not sample.gaps or rng.random() >= _REARRANGED:
        return sample.gray, item.classes
    gray, text = rearrange(sample.gray, sample.text, sample.gaps, rng)
    class_of = dict(zip(sample.text, item.classes, strict=True))
    return gray, [class_of[character] for character in text]


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
        return make([prepared[i] for i in batches[position]], settings, rng, batching)

    return produced(produce, range(start, len(batches)), batching.workers, batching.columns * settings.height)


def batches_per_epoch(prepared: list[Prepared], settings: Normalization, seed: int, batching: Batching = USUAL) -> int:
    """Number of batches in an epoch (epochs differ by a few)."""
    return len(plan(prepared, settings, np.random.default_rng([seed, 0]), shuffle=False, batching=batching))
