"""Pictures of writing with their text, and what could not be used."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


class DatasetError(Exception):
    """A path that cannot be read as a data set: it is missing, damaged or in no known layout."""


@dataclass(frozen=True)
class Sample:
    """One picture of a word or a line, and what is written there.

    Attributes:
        id: unique in its collection.
        text: canonical text (`charset.canonical_text`).
        gray: uint8 (h, w).
        collection: name of the folder it was read from.
        writer: who wrote it, where known: splits never divide a writer.
        group: what else must stay together (a form, a page).
        split: ``train``, ``validation`` or ``test`` where the data says so.
        gaps: where the spaces of the text lie, as shares of the picture's width; NaN where that is not known
            (`htr_model.data.word_gaps`). Empty where nobody looked for them.
    """

    id: str
    text: str
    gray: np.ndarray = field(repr=False, compare=False)
    collection: str = ""
    writer: str | None = None
    group: str | None = None
    split: str | None = None
    gaps: tuple[float, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A sample that was left out, and why."""

    id: str
    reason: str


Item = Sample | Skipped
