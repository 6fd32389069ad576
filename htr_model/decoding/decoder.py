"""From time steps to a text and what else it may be: greedy or by beam search, as a job asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from htr_model.charset import Charset
from htr_model.decoding.alignment import best_alignment
from htr_model.decoding.beam_search import Candidate, LanguageModel, search
from htr_model.decoding.best_path import Decoded, collapse
from htr_model.decoding.settings import DecoderSettings
from htr_model.decoding.steps import Steps
from htr_model.reading import Alternative, word_slices

LEAST_CONFIDENCE = 0.001
"""Alternatives less probable than this are not worth a row's space."""


@dataclass(frozen=True)
class DecodedText:
    """What time steps say.

    Attributes:
        best: the text's symbols along its most probable path.
        alternatives: other texts of the whole, the most probable first. Where it has several words, only those that
            the search for the best text still held at its end.
        word_alternatives: of each word of the text, see `decode`.
        word_shares: of each word, its part of the probability of all texts that its time steps may say, 0–1; empty
            where no language model was asked, and the letters' own probabilities tell as much.
    """

    best: Decoded
    alternatives: tuple[Alternative, ...]
    word_alternatives: tuple[tuple[Alternative, ...], ...]
    word_shares: tuple[float, ...] = ()


def decode(
    steps: Steps, charset: Charset, settings: DecoderSettings, language_model: LanguageModel | None = None
) -> DecodedText:
    """The text of some time steps and its alternatives.

    A word's alternatives are the texts that its own time steps may say: those between the spaces around it, with what
    stands before them as the language model's context. The confidence of an alternative is its share of the
    probability of all texts that the search found there, the word itself among them.

    Args:
        steps: the most probable class of a step first, `DecoderSettings.classes_per_step` of them.
    """
    best = collapse(steps.classes[:, 0], np.exp(steps.log_probabilities[:, 0]))
    candidates: list[Candidate] = []
    if settings.method == "beam" or settings.alternatives:
        candidates = search(steps, settings.beam_width, language_model, best_only=True)
    if settings.method == "beam" and candidates[0].classes != tuple(best.classes):
        best = _along(steps, candidates[0].classes)
    weighed = settings.method == "beam" and language_model is not None
    if not settings.alternatives and not weighed:
        return DecodedText(best, (), ())
    text = charset.decode(best.classes)
    slices = word_slices(text)
    states = _states(best.classes, language_model)
    shares, others = [], []
    for first, end in slices:
        begins = best.spans[first - 1][1] + 1 if first else 0
        ends = best.spans[end][0] if end < len(text) else len(steps)
        found = _texts(search(steps.between(begins, ends), settings.beam_width, language_model, states[first]), charset)
        shares.append(min(found.get(text[first:end], 0.0), 1.0))
        others.append(_alternatives(found, text[first:end], settings.alternatives))
    whole = others[0] if len(others) == 1 else _alternatives(_texts(candidates, charset), text, settings.alternatives)
    if not settings.alternatives:
        others = []
    return DecodedText(best, whole, tuple(others), tuple(shares) if weighed else ())


def _along(steps: Steps, classes: tuple[int, ...]) -> Decoded:
    """The symbols of a text along its most probable path."""
    path = best_alignment(steps, classes)
    here = steps.classes == path[:, None]
    return collapse(path, np.exp(np.where(here, steps.log_probabilities, -np.inf).max(axis=1)))


def _states(classes: list[int], language_model: LanguageModel | None) -> list[int | None]:
    """The language model's state before each symbol."""
    if language_model is None:
        return [None] * len(classes)
    states = [language_model.start]
    for symbol in classes[:-1]:
        states.append(language_model.extend(states[-1], symbol)[1])
    return states


def _texts(candidates: list[Candidate], charset: Charset) -> dict[str, float]:
    """Shares of texts; those that differ only in spaces beside words are one."""
    shares: dict[str, float] = {}
    for candidate in candidates:
        words = " ".join(charset.decode(list(candidate.classes)).split())
        shares[words] = shares.get(words, 0.0) + candidate.share
    return shares


def _alternatives(shares: dict[str, float], text: str, most: int) -> tuple[Alternative, ...]:
    """The most probable texts other than ``text``."""
    others = [Alternative(t, min(s, 1.0)) for t, s in shares.items() if t and t != " ".join(text.split())]
    likely = sorted((a for a in others if a.confidence >= LEAST_CONFIDENCE), key=lambda a: (-a.confidence, a.text))
    return tuple(likely[:most])
