"""From time steps to the most probable texts: CTC prefix beam search, with a language model where one is given.

Graves 2012 (Supervised Sequence Labelling with Recurrent Neural Networks, section 7.5) and Hannun et al. 2014
(First-Pass Large Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs). Greedy decoding takes
the best path; here the probabilities of all paths of a text are summed.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from htr_model.charset import BLANK
from htr_model.decoding.steps import Steps

LEAST_PROBABILITY = 8e-3
"""Classes less probable at a time step are not followed there; most steps are left with the blank alone."""
LEAST_SHARE = 2e-3
"""Texts less probable than this share of the best one so far are dropped, however wide the beam is."""


class LanguageModel(Protocol):
    """What the search asks of a language model. States are whatever it wants to know of the text so far."""

    start: Hashable

    def extend(self, state: Hashable, symbol: int) -> tuple[float, Hashable]:
        """Factor of the text's weight when class ``symbol`` follows, above 0, and the state behind it."""

    def finish(self, state: Hashable) -> float:
        """Factor of the text's weight when it ends here, above 0."""


@dataclass(frozen=True)
class Candidate:
    """A text that the search found.

    Attributes:
        classes: its symbols.
        log_probability: of the text: summed over its paths, and weighed by the language model; in nats.
        share: its part of the probability of all texts that were left at the end, 0–1.
    """

    classes: tuple[int, ...]
    log_probability: float
    share: float


def search(
    steps: Steps,
    beam_width: int,
    language_model: LanguageModel | None = None,
    start: Hashable = None,
    least_probability: float = LEAST_PROBABILITY,
    least_share: float = LEAST_SHARE,
    best_only: bool = False,
) -> list[Candidate]:
    """The texts left at the end, the most probable first; at least one, at most ``beam_width``.

    Args:
        start: the language model's state before the first symbol; its own start for None.
        least_probability, least_share: see the constants; 0 follows everything.
        best_only: only the best text is asked for. Of prefixes with the same language-model state and last symbol, one
            that another outweighs is dropped: the model will score all continuations of both alike, so the weaker one
            can never win. An early doubt then takes no room in the beam.
    """
    if beam_width < 1:
        raise ValueError(f"beam_width must be at least 1, got {beam_width!r}")
    tree = _PrefixTree(language_model, start)
    merge = tree.states if best_only and language_model else None
    # Weight of a prefix's paths that end in a blank, and of those that end in its last symbol.
    beam: list[tuple[int, float, float]] = [(0, 1.0, 0.0)]
    log_scale = 0.0
    for blank, emissions in _events(steps, least_probability):
        if emissions:
            beam, scale = _best(_following(beam, blank, emissions, tree), beam_width, least_share, merge, tree.symbols)
            log_scale += math.log(scale)
        else:
            beam = [(prefix, b + s, 0.0) for prefix, b, s in beam]
            log_scale += blank
    weights = [(b + s) * tree.finish(prefix) for prefix, b, s in beam]
    everything = sum(weights)
    candidates = [
        Candidate(tree.text(prefix), log_scale + math.log(weight), weight / everything)
        for (prefix, _, _), weight in zip(beam, weights, strict=True)
    ]
    return sorted(candidates, key=lambda c: (-c.log_probability, c.classes))


class _PrefixTree:
    """The prefixes that the search has met. A prefix is a number, its place in the lists below, so that the tree holds
    no reference cycles; 0 is the empty one.

    Attributes:
        symbols: the last symbol of each prefix.
        states: the language model's state behind each prefix.
        children: of each prefix, by symbol: the prefix with this symbol behind it, and the language model's factor of
            the symbol there.
    """

    def __init__(self, language_model: LanguageModel | None, start: Hashable) -> None:
        self._language_model = language_model
        self._parents = [-1]
        self.symbols = [BLANK]
        self.states: list[Hashable] = [language_model.start if language_model and start is None else start]
        self.children: list[dict[int, tuple[int, float]]] = [{}]

    def grow(self, prefix: int, symbol: int) -> tuple[int, float]:
        """The new prefix with a symbol behind one that has no such child yet, and the language model's factor."""
        state = self.states[prefix]
        factor, state = self._language_model.extend(state, symbol) if self._language_model else (1.0, state)
        child = self.children[prefix][symbol] = (len(self._parents), factor)
        self._parents.append(prefix)
        self.symbols.append(symbol)
        self.states.append(state)
        self.children.append({})
        return child

    def finish(self, prefix: int) -> float:
        """The language model's factor of a text that ends here."""
        return self._language_model.finish(self.states[prefix]) if self._language_model else 1.0

    def text(self, prefix: int) -> tuple[int, ...]:
        """The symbols of a prefix."""
        found = []
        while prefix:
            found.append(self.symbols[prefix])
            prefix = self._parents[prefix]
        return tuple(reversed(found))


def _following(
    beam: list[tuple[int, float, float]], blank: float, emissions: tuple[tuple[int, float], ...], tree: _PrefixTree
) -> dict[int, list[float]]:
    """The prefixes that there may be behind one more time step: of each, the weight of its paths that end in a blank
    and of those that end in its last symbol.

    Args:
        beam: prefixes before the step, with these two weights.
        blank: probability of the blank in the step.
        emissions: other symbols of the step and their probabilities.
    """
    following: dict[int, list[float]] = {}
    for prefix, ends_in_blank, ends_in_symbol in beam:
        total = ends_in_blank + ends_in_symbol
        last = tree.symbols[prefix]
        of_prefix = tree.children[prefix]
        kept = following.setdefault(prefix, [0.0, 0.0])
        kept[0] += total * blank
        for symbol, probability in emissions:
            weight = total * probability
            if symbol == last:
                # Without a blank between them two equal symbols are one.
                kept[1] += ends_in_symbol * probability
                weight = ends_in_blank * probability
                if not weight:
                    continue
            number, factor = of_prefix.get(symbol) or tree.grow(prefix, symbol)
            following.setdefault(number, [0.0, 0.0])[1] += weight * factor
    return following


def _events(steps: Steps, least_probability: float) -> list[tuple[float, tuple[tuple[int, float], ...]]]:
    """The time steps in order, each as the blank's probability and the other symbols with theirs.

    Consecutive steps that leave nothing but the blank, as most do, are one entry: the sum of their blanks'
    **log**-probabilities, and no symbols.
    """
    if not len(steps):
        return []
    probabilities = np.exp(np.asarray(steps.log_probabilities, np.float64))
    kept = probabilities >= np.minimum(least_probability, probabilities.max(axis=1, keepdims=True, initial=0.0))
    is_blank = steps.classes == BLANK
    blanks = np.where(kept & is_blank, probabilities, 0.0).sum(axis=1)
    log_blanks = np.log(np.maximum(blanks, np.finfo(float).tiny))
    kept &= ~is_blank & (probabilities > 0)
    rows, columns = np.nonzero(kept)
    pairs = list(zip(steps.classes[rows, columns].tolist(), probabilities[rows, columns].tolist(), strict=True))
    counts = kept.sum(axis=1)
    summed = np.concatenate(([0.0], np.cumsum(log_blanks)))
    events: list[tuple[float, tuple[tuple[int, float], ...]]] = []
    position = taken = 0
    for step in np.flatnonzero(counts).tolist():
        if step > position:
            events.append((float(summed[step] - summed[position]), ()))
        end = taken + int(counts[step])
        events.append((float(blanks[step]), tuple(pairs[taken:end])))
        position, taken = step + 1, end
    if position < len(steps):
        events.append((float(summed[-1] - summed[position]), ()))
    return events


def _best(
    weights: dict[int, list[float]],
    beam_width: int,
    least_share: float,
    states: list[Hashable] | None,
    symbols: list[int],
) -> tuple[list[tuple[int, float, float]], float]:
    """The heaviest prefixes, heaviest first, their weights divided by the heaviest's; and that weight.

    Among equals the prefix that was found first comes first. Where ``states`` are given, a prefix is left out when
    another of the same state and last symbol weighs more: of the paths that end in a blank and of those that do not.
    """
    ranked = sorted([(-b - s, prefix, b, s) for prefix, (b, s) in weights.items()])
    scale = -ranked[0][0]
    least = min(-scale * least_share, -math.ulp(0.0))
    beam: list[tuple[int, float, float]] = []
    ahead: dict[tuple[Hashable, int], tuple[float, float]] = {}
    for total, prefix, b, s in ranked:
        if total > least:
            break
        if states is not None:
            other = ahead.setdefault((states[prefix], symbols[prefix]), (b, s))
            if other[0] >= b and other[1] >= s and other != (b, s):
                continue
        beam.append((prefix, b / scale, s / scale))
        if len(beam) == beam_width:
            break
    return beam, scale
