"""Lines or words as the recogniser is given them, and what it read in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from htr_model.reading import Reading
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
class UnitReading:
    """What was read in a picture. Its pixels stay behind: they are not needed any more.

    Attributes:
        left, scale: of the picture; they tell where the recogniser's columns lie.
    """

    key: ImageKey
    reading: Reading
    left: float
    scale: float
