"""What the recogniser says of one picture."""

from __future__ import annotations

from dataclasses import dataclass

from htr_model.confidence import UNCALIBRATED, Calibration, geometric_mean, word_score


@dataclass(frozen=True)
class Alternative:
    """What a writing may say instead, and how probable that is, 0–1."""

    text: str
    confidence: float


@dataclass(frozen=True)
class Reading:
    """What the recogniser reads in one picture.

    Attributes:
        text: may be empty.
        confidence: geometric mean of the words' confidences, 0–1; 0 for no text.
        min_char_confidence: the weakest character's probability, 0–1; 0 for no text.
        spans: for each character its first and last column (exclusive) in the normalised picture.
        char_confidences: each character's probability, 0–1.
        word_confidences: how probable it is that a word is right, 0–1, for each of `word_slices(text)`.
        word_scores: what the words' confidences were made of, 0–1: the product of a word's character probabilities, or
            its share of the probability of all texts that may stand in its place, where a language model was asked.
        alternatives: other texts of the whole picture, the most probable first.
        word_alternatives: other texts of each of `word_slices(text)`; empty where none were asked for.
    """

    text: str
    confidence: float
    min_char_confidence: float
    spans: tuple[tuple[int, int], ...]
    char_confidences: tuple[float, ...]
    word_confidences: tuple[float, ...] = ()
    word_scores: tuple[float, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    word_alternatives: tuple[tuple[Alternative, ...], ...] = ()


NOTHING = Reading("", 0.0, 0.0, (), ())
"""Of a picture in which nothing is written."""


def reading(
    text: str,
    spans: tuple[tuple[int, int], ...],
    probabilities: tuple[float, ...],
    calibration: Calibration = UNCALIBRATED,
    word_scores: tuple[float, ...] = (),
) -> Reading:
    """A reading with the confidences that follow from its characters' probabilities, or from ``word_scores``."""
    scores = word_scores or tuple(word_score(probabilities[a:b]) for a, b in word_slices(text))
    words = tuple(map(calibration, scores))
    weakest = min(probabilities, default=0.0)
    return Reading(text, geometric_mean(words), weakest, spans, probabilities, words, scores)


def word_slices(text: str) -> list[tuple[int, int]]:
    """Positions (first, after last) of the words in a text; spaces divide them."""
    slices, first = [], None
    for i, character in enumerate(text + " "):
        if character == " ":
            if first is not None:
                slices.append((first, i))
            first = None
        elif first is None:
            first = i
    return slices
