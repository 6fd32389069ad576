"""Pages and their lines as files of ground truth describe them, whatever the layout."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from htr_model.readers.tokens import join_tokens

_FARTHEST = 100_000
"""Pixels from a page's corner beyond which no coordinate is believed."""


@dataclass(frozen=True)
class DescribedWord:
    """A word and its box: float (4,), left, top, width and height, pixels."""

    text: str
    box: np.ndarray = field(repr=False)


@dataclass(frozen=True)
class DescribedLine:
    """A line of a page.

    Attributes:
        text: as the file writes it; empty where the line was marked but not read.
        polygon: float (n, 2), around its ink, pixels; (0, 2) where there is none.
        baseline: float (n, 2), on which its letters stand, from whichever side; (0, 2) where there is none.
        box: as that of a word; None where there is none.
        words: that are boxed, which need not be all of the line.
        error: why the line cannot be used; None where it can.
    """

    text: str
    polygon: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)), repr=False)
    baseline: np.ndarray = field(default_factory=lambda: np.zeros((0, 2)), repr=False)
    box: np.ndarray | None = field(default=None, repr=False)
    words: tuple[DescribedWord, ...] = ()
    error: str | None = None

    @property
    def whole_words(self) -> tuple[DescribedWord, ...]:
        """Its words where they are the whole line, else none. Some ground truths box only the words of a line that were
        squeezed in, or read them in another way than the line.
        """
        spelt = "".join("".join(word.text for word in self.words).split())
        return self.words if not self.text or spelt == "".join(self.text.split()) else ()

    @property
    def running_text(self) -> str:
        """What it says: of its words where they are the whole line, as writing has it."""
        words = self.whole_words
        return join_tokens([word.text for word in words]) if words else self.text


@dataclass(frozen=True)
class DescribedPage:
    """A page.

    Attributes:
        place: where it is described, for messages.
        name: of its picture, as the file gives it.
        picture: file of its picture, which need not exist.
        collection: name of the folder that the set lies in.
        lines: in the order of the file.
        size: width and height, pixels, where they are told.
        split: ``train``, ``validation`` or ``test`` where the data says so.
        writer: who wrote it, where the data says so.
    """

    place: str
    name: str
    picture: Path
    collection: str
    lines: tuple[DescribedLine, ...] = field(repr=False)
    size: tuple[int, int] | None = None
    split: str | None = None
    writer: str | None = None

    @property
    def line_height(self) -> float:
        """Median height of its lines' boxes, pixels; 0 where none has one."""
        heights = [line.box[3] for line in self.lines if line.box is not None]
        return float(np.median(heights)) if heights else 0.0


def believed(coordinates: np.ndarray) -> np.ndarray:
    """The coordinates, pixels of a page.

    Raises:
        ValueError: one is no number or far outside of any page.
    """
    if not (np.abs(coordinates) <= _FARTHEST).all():
        raise ValueError("a coordinate is no number or far outside of the page")
    return coordinates
