"""What a data set holds, told before anything is trained on it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from htr_model.charset import Charset
from htr_model.data.samples import Item, Sample
from htr_model.normalization import Normalization, normalize
from htr_model.time_steps import steps_needed, time_steps


@dataclass
class Inspection:
    """Figures of a data set, gathered sample by sample.

    Attributes:
        samples: those that were read, also those of the lists below.
        skipped: reason, with the ids of what could not be read.
        outside: characters that the charset lacks, with how often they occur.
        unwritable: ids of the samples with such characters.
        narrow: ids of the samples whose pictures have fewer time steps than their text needs.
        same_id, same_picture: ids that occurred before (in their collection); ids of pictures with the pixels of
            another, with that other's id.
        lengths, heights, widths: of texts in characters, of pictures in pixels.
        writers, splits, collections: samples of each; "" where the data does not say.
        chosen: some samples, drawn evenly from all.
    """

    samples: int = 0
    skipped: dict[str, list[str]] = field(default_factory=dict)
    outside: Counter[str] = field(default_factory=Counter)
    unwritable: list[str] = field(default_factory=list)
    narrow: list[str] = field(default_factory=list)
    same_id: list[str] = field(default_factory=list)
    same_picture: list[tuple[str, str]] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    heights: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    writers: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    collections: Counter[str] = field(default_factory=Counter)
    chosen: list[Sample] = field(default_factory=list, repr=False)

    @property
    def left_out(self) -> int:
        """Number of samples that training would skip."""
        return sum(map(len, self.skipped.values())) + len(self.unwritable) + len(self.narrow)

    @property
    def usable(self) -> int:
        """Number of samples that training would use."""
        return self.samples - len(self.unwritable) - len(self.narrow)


def inspect(
    items: Iterable[Item], charset: Charset, settings: Normalization, choose: int = 0, seed: int = 0
) -> Inspection:
    """Figures of some samples; pictures are seen one after another and not kept, but for ``choose`` of them.

    Args:
        charset, settings: of the recogniser that the data is meant for.
        choose: how many samples to draw for the eye (Vitter 1985, algorithm R), the same ones for a ``seed``.
    """
    found = Inspection()
    rng = np.random.default_rng(seed)
    ids: set[tuple[str, str]] = set()
    pictures: dict[bytes, str] = {}
    for item in items:
        if not isinstance(item, Sample):
            found.skipped.setdefault(item.reason, []).append(item.id)
            continue
        found.samples += 1
        _measure(found, item)
        if (item.collection, item.id) in ids:
            found.same_id.append(item.id)
        ids.add((item.collection, item.id))
        other = pictures.setdefault(_fingerprint(item.gray), item.id)
        if other != item.id:
            found.same_picture.append((item.id, other))
        if charset.unknown(item.text):
            found.outside.update(c for c in item.text if charset.unknown(c))
            found.unwritable.append(item.id)
        elif time_steps(normalize(item.gray, settings).pixels.shape[1]) < steps_needed(charset.encode(item.text)):
            found.narrow.append(item.id)
        _maybe_choose(found, item, choose, rng)
    return found


def _measure(found: Inspection, sample: Sample) -> None:
    found.lengths.append(len(sample.text))
    found.heights.append(sample.gray.shape[0])
    found.widths.append(sample.gray.shape[1])
    found.writers[sample.writer or ""] += 1
    found.splits[sample.split or ""] += 1
    found.collections[sample.collection] += 1


def _fingerprint(gray: np.ndarray) -> bytes:
    return hashlib.sha256(repr(gray.shape).encode() + gray.tobytes()).digest()


def _maybe_choose(found: Inspection, sample: Sample, choose: int, rng: np.random.Generator) -> None:
    if len(found.chosen) < choose:
        found.chosen.append(sample)
    elif choose and (place := int(rng.integers(found.samples))) < choose:
        found.chosen[place] = sample
