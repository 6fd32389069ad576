"""What the recogniser says of one picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """What the recogniser reads in one picture.

    Attributes:
        text: may be empty.
        confidence: geometric mean of the characters' probabilities, 0–1; 0 for no text.
        min_char_confidence: the weakest character's probability, 0–1; 0 for no text.
        spans: for each character its first and last column (exclusive) in the normalised picture.
        char_confidences: each character's probability, 0–1.
    """

    text: str
    confidence: float
    min_char_confidence: float
    spans: tuple[tuple[int, int], ...]
    char_confidences: tuple[float, ...]
