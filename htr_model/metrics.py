"""Character and word error rates."""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True)
class ErrorRates:
    """Errors of a set of transcriptions against the truth.

    Attributes:
        samples: number of pairs.
        cer: character edits per true character, 0 …; may exceed 1.
        wer: word edits per true word.
        accuracy: share of pairs that agree to the letter, 0–1.
    """

    samples: int
    cer: float
    wer: float
    accuracy: float


def error_rates(truths: list[str], predictions: list[str]) -> ErrorRates:
    """Error rates over all pairs: edits are summed, then divided by the summed lengths.

    Raises:
        ValueError: the lists differ in length or are empty.
    """
    if len(truths) != len(predictions) or not truths:
        raise ValueError(f"expected equally many truths and predictions, got {len(truths)} and {len(predictions)}")
    pairs = list(zip(truths, predictions, strict=True))
    character_edits = sum(Levenshtein.distance(t, p) for t, p in pairs)
    word_edits = sum(Levenshtein.distance(t.split(), p.split()) for t, p in pairs)
    return ErrorRates(
        samples=len(pairs),
        cer=character_edits / max(1, sum(len(t) for t in truths)),
        wer=word_edits / max(1, sum(len(t.split()) for t in truths)),
        accuracy=sum(t == p for t, p in pairs) / len(pairs),
    )
