"""Character and word error rates, and what the alignment of truth and reading says beside them."""

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
        word_accuracy: share of the true words that were read to the letter, 0–1; words stand between spaces.
        precision: share of the characters read that are right, 0–1; 0 where nothing was read.
        recall: share of the true characters that were read right, 0–1.
        f1: harmonic mean of precision and recall.
        mean_edit_distance: character edits per pair.
    """

    samples: int
    cer: float
    wer: float
    accuracy: float
    word_accuracy: float
    precision: float
    recall: float
    f1: float
    mean_edit_distance: float


def error_rates(truths: list[str], predictions: list[str]) -> ErrorRates:
    """Error rates over all pairs: edits are summed, then divided by the summed lengths.

    Raises:
        ValueError: the lists differ in length or are empty.
    """
    if len(truths) != len(predictions) or not truths:
        raise ValueError(f"expected equally many truths and predictions, got {len(truths)} and {len(predictions)}")
    pairs = list(zip(truths, predictions, strict=True))
    character_edits, right_characters = _edits_and_matches(pairs)
    word_edits, right_words = _edits_and_matches([(t.split(), p.split()) for t, p in pairs])
    true_characters, read_characters = sum(map(len, truths)), sum(map(len, predictions))
    true_words = sum(len(t.split()) for t in truths)
    return ErrorRates(
        samples=len(pairs),
        cer=character_edits / max(1, true_characters),
        wer=word_edits / max(1, true_words),
        accuracy=sum(t == p for t, p in pairs) / len(pairs),
        word_accuracy=right_words / max(1, true_words),
        precision=right_characters / max(1, read_characters),
        recall=right_characters / max(1, true_characters),
        # 2 PR / (P + R), with P and R written out.
        f1=2 * right_characters / max(1, true_characters + read_characters),
        mean_edit_distance=character_edits / len(pairs),
    )


def _edits_and_matches(pairs: list[tuple]) -> tuple[int, int]:
    """Edits of the shortest alignments, and elements that stand in both sequences of a pair."""
    edits = matches = 0
    for truth, prediction in pairs:
        operations = Levenshtein.editops(truth, prediction)
        edits += len(operations)
        # Each true element is kept, replaced or deleted.
        matches += len(truth) - sum(o.tag != "insert" for o in operations)
    return edits, matches
