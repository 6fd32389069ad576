"""From time steps to a text and what else it may be: greedy or by beam search, as a job asks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from htr_model.charset import Charset
from htr_model.decoding.beam_search import Candidate, LanguageModel, Steps, best_alignment, search
from htr_model.decoding.best_path import Decoded, collapse
from htr_model.decoding.settings import DecoderSettings
from htr_model.reading import Alternative, word_slices

CLASSES_PER_STEP = 8
"""Most probable classes of a time step that leave the accelerator; a ninth is hardly ever above a thousandth."""
LEAST_CONFIDENCE = 0.001
"""Alternatives less probable than this are not worth a row's space."""


@dataclass(frozen=True)
class DecodedText:
    """What time steps say.

    Attributes:
        best: the text's symbols along its most probable path.
        alternatives: other texts of the whole, the most probable first.
        word_alternatives: of each word of the text, see `decode`.
    """

    best: Decoded
    alternatives: tuple[Alternative, ...]
    word_alternatives: tuple[tuple[Alternative, ...], ...]


def decode(
    steps: Steps, charset: Charset, settings: DecoderSettings, language_model: LanguageModel | None = None
) -> DecodedText:
    """The text of some time steps and its alternatives.

    A word's alternatives are the texts that its own time steps may say: those between the spaces around it, with what
    stands before them as the language model's context. The confidence of an alternative is its share of the
    probability of all texts that the search found there, the word itself among them.

    Args:
        steps: the most probable class of a step first.
    """

    def found_in(part: Steps, start: int | None = None) -> list[Candidate]:
        return search(part, settings.beam_width, language_model, start)

    path = steps.classes[:, 0]
    candidates = found_in(steps)
    best = collapse(path, np.exp(steps.log_probabilities[:, 0]))
    if settings.method == "beam" and candidates[0].classes != tuple(best.classes):
        best = _along(steps, candidates[0].classes)
    if not settings.alternatives:
        return DecodedText(best, (), ())
    text = charset.decode(best.classes)
    whole = _alternatives(candidates, charset, text, settings.alternatives)
    slices = word_slices(text)
    if len(slices) == 1:
        return DecodedText(best, whole, (whole,))
    states = _states(best.classes, language_model)
    words = []
    for first, end in slices:
        begins = best.spans[first - 1][1] + 1 if first else 0
        ends = best.spans[end][0] if end < len(text) else len(steps)
        part = found_in(steps.between(begins, ends), states[first])
        words.append(_alternatives(part, charset, text[first:end], settings.alternatives))
    return DecodedText(best, whole, tuple(words))


def _along(steps: Steps, classes: tuple[int, ...]) -> Decoded:
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


def _alternatives(candidates: list[Candidate], charset: Charset, text: str, most: int) -> tuple[Alternative, ...]:
    """Texts other than ``text``; those that differ only in spaces beside words are one."""
    shares: dict[str, float] = {}
    for candidate in candidates:
        words = " ".join(charset.decode(list(candidate.classes)).split())
        shares[words] = shares.get(words, 0.0) + candidate.share
    others = [Alternative(t, min(s, 1.0)) for t, s in shares.items() if t and t != " ".join(text.split())]
    likely = sorted((a for a in others if a.confidence >= LEAST_CONFIDENCE), key=lambda a: (-a.confidence, a.text))
    return tuple(likely[:most])
