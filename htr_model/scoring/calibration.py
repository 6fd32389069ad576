"""Confidence that can be taken at its word: of words given 0.8, four in five are right.

Fitted is a monotone map (`confidence.Calibration`) on words whose truth is known; quality is the expected
calibration error of Naeini, Cooper and Hauskrecht 2015.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from htr_model.confidence import UNCALIBRATED, Calibration
from htr_model.data.samples import Sample
from htr_model.reading import Reading, word_slices

LEAST_WORDS = 200
"""Fewer words than these say too little: nothing is fitted."""
_WORDS_PER_POINT = 50
_MOST_POINTS = 20


@dataclass(frozen=True)
class JudgedWord:
    """A word that was read.

    Attributes:
        score: what its confidence is made of, see `Reading.word_scores`.
        confidence: what the recogniser made of the score, 0–1.
        right: whether the truth has the same word at its place.
        group: collection and writer (else form, page or picture): whose hand it is.
    """

    score: float
    confidence: float
    right: bool
    group: str


def judged_words(samples: Sequence[Sample], readings: Sequence[Reading]) -> list[JudgedWord]:
    """The words of some readings, each judged by a shortest alignment of the words read with the true ones."""
    words = []
    for sample, reading in zip(samples, readings, strict=True):
        slices = word_slices(reading.text)
        blocks = Levenshtein.opcodes(sample.text.split(" "), [reading.text[a:b] for a, b in slices])
        right = {i for o in blocks if o.tag == "equal" for i in range(o.dest_start, o.dest_end)}
        group = f"{sample.collection}/{sample.writer or sample.group or sample.id}"
        words += [
            JudgedWord(reading.word_scores[i], reading.word_confidences[i], i in right, group)
            for i in range(len(slices))
        ]
    return words


def fit(words: Sequence[JudgedWord]) -> Calibration:
    """The calibration that fits some words best; `UNCALIBRATED` for fewer than `LEAST_WORDS`.

    Isotonic regression (pool adjacent violators, Ayer et al. 1955) over groups of words of similar score, joined by
    straight lines. Shares of right words are taken with one right and one wrong word more than were seen (Laplace's
    rule of succession), so that no confidence is exactly 0 or 1.
    """
    if len(words) < LEAST_WORDS:
        return UNCALIBRATED
    scores = np.array([w.score for w in words])
    right = np.array([w.right for w in words], float)
    order = np.argsort(scores, kind="stable")
    parts = np.array_split(order, min(_MOST_POINTS, len(words) // _WORDS_PER_POINT))
    # Each block: number of words, sum of their scores, number that is right.
    blocks: list[tuple[int, float, float]] = []
    for part in parts:
        block = (len(part), scores[part].sum(), right[part].sum())
        while blocks and _share(blocks[-1]) >= _share(block):
            block = tuple(a + b for a, b in zip(blocks.pop(), block, strict=True))
        blocks.append(block)
    points = {round(float(score / n), 6): round(_share((n, score, k)), 6) for n, score, k in blocks}
    if len(points) < 2:
        level = next(iter(points.values()))
        points = {0.0: level, 1.0: level}
    return Calibration(tuple(points), tuple(points.values()))


def _share(block: tuple[int, float, float]) -> float:
    n, _, right = block
    return (right + 1) / (n + 2)


@dataclass(frozen=True)
class Bin:
    """Words of similar confidence: how many, their mean confidence, and the share that is right."""

    words: int
    confidence: float
    accuracy: float


_BINS = 10


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """Words by confidence in ten equally wide bins from 0 to 1; empty bins are left out."""
    values, truths = np.asarray(confidences, float), np.asarray(right, float)
    place = np.minimum((values * _BINS).astype(int), _BINS - 1)
    members = [place == i for i in range(_BINS)]
    return [Bin(int(m.sum()), float(values[m].mean()), float(truths[m].mean())) for m in members if m.any()]


def expected_calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Mean distance between confidence and share of right words over the bins of `reliability`, weighted by words.

    0 is perfect, 1 the worst; 0 for no words.
    """
    filled = reliability(confidences, right)
    return sum(b.words * abs(b.confidence - b.accuracy) for b in filled) / max(1, len(confidences))


def cross_fitted(words: Sequence[JudgedWord]) -> list[JudgedWord] | None:
    """The words with the confidence of a calibration fitted on other writers; None where there are too few.

    Writers are divided into two halves; each half's words get the map fitted on the other half.
    """
    half = _halves(words)
    maps = [fit([w for w in words if half[w.group] != side]) for side in (0, 1)]
    if UNCALIBRATED in maps:
        return None
    return [JudgedWord(w.score, maps[half[w.group]](w.score), w.right, w.group) for w in words]


def _halves(words: Iterable[JudgedWord]) -> dict[str, int]:
    """0 or 1 for each group: the largest first to the half with fewer words, a hash of the name deciding ties."""
    sizes = Counter(w.group for w in words)
    half: dict[str, int] = {}
    filled = [0, 0]
    for group in sorted(sizes, key=lambda g: (-sizes[g], hashlib.sha256(g.encode()).digest())):
        half[group] = int(filled[1] < filled[0])
        filled[half[group]] += sizes[group]
    return half
