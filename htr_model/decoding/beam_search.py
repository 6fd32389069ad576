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

LEAST_PROBABILITY = 8e-3
"""Classes less probable at a time step are not followed there; most steps are left with the blank alone."""
LEAST_SHARE = 2e-3
"""Texts less probable than this share of the best one so far are dropped, however wide the beam is."""
_IMPOSSIBLE = -1e30


class LanguageModel(Protocol):
    """What the search asks of a language model. States are whatever it wants to know of the text so far."""

    start: Hashable

    def extend(self, state: Hashable, symbol: int) -> tuple[float, Hashable]:
        """Factor of the text's weight when class ``symbol`` follows, above 0, and the state behind it."""

    def finish(self, state: Hashable) -> float:
        """Factor of the text's weight when it ends here, above 0."""


@dataclass(frozen=True)
class Steps:
    """The likely classes of each time step, all that the search is given.

    Attributes:
        classes: int (time, k), no class twice in a step.
        log_probabilities: float (time, k), in nats.
    """

    classes: np.ndarray
    log_probabilities: np.ndarray

    def __len__(self) -> int:
        return len(self.classes)

    def between(self, first: int, end: int) -> Steps:
        """The steps ``first`` … ``end`` - 1."""
        return Steps(self.classes[first:end], self.log_probabilities[first:end])


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
        best_only: only the best text is asked for. Of texts that the language model takes for the same, since it does
            not look back as far as they differ, those are dropped that another is ahead of: nothing to come tells them
            apart. So a doubt at a line's beginning takes no place in the beam at its end.
    """
    if beam_width < 1:
        raise ValueError(f"beam_width must be at least 1, got {beam_width!r}")
    # Prefixes are numbers, so that the tree of them holds no reference cycles: number 0 is the empty text.
    parents, symbols = [-1], [BLANK]
    states = [language_model.start if start is None else start] if language_model else [0]
    extend = language_model.extend if language_model else None
    children: list[dict[int, tuple[int, float]]] = [{}]
    merge = states if best_only and language_model else None
    # Weight of a prefix's paths that end in a blank, and of those that end in its last symbol.
    beam: list[tuple[int, float, float]] = [(0, 1.0, 0.0)]
    log_scale = 0.0
    for blank, emissions in _events(steps, least_probability):
        if not emissions:
            beam = [(prefix, b + s, 0.0) for prefix, b, s in beam]
            log_scale += blank
            continue
        following: dict[int, list[float]] = {}
        for prefix, ends_in_blank, ends_in_symbol in beam:
            total = ends_in_blank + ends_in_symbol
            last = symbols[prefix]
            of_prefix = children[prefix]
            kept = following.get(prefix)
            if kept is None:
                kept = following[prefix] = [total * blank, 0.0]
            else:
                kept[0] += total * blank
            for symbol, probability in emissions:
                weight = total * probability
                if symbol == last:
                    # Without a blank between them two equal symbols are one.
                    kept[1] += ends_in_symbol * probability
                    weight = ends_in_blank * probability
                    if not weight:
                        continue
                child = of_prefix.get(symbol)
                if child is None:
                    factor, state = extend(states[prefix], symbol) if extend else (1.0, 0)
                    child = of_prefix[symbol] = (len(parents), factor)
                    parents.append(prefix)
                    symbols.append(symbol)
                    states.append(state)
                    children.append({})
                number, factor = child
                longer = following.get(number)
                if longer is None:
                    following[number] = [0.0, weight * factor]
                else:
                    longer[1] += weight * factor
        beam, scale = _best(following, beam_width, least_share, merge, symbols)
        log_scale += math.log(scale)
    weights = [(b + s) * (language_model.finish(states[p]) if language_model else 1.0) for p, b, s in beam]
    everything = sum(weights)
    candidates = [
        Candidate(_text(prefix, parents, symbols), log_scale + math.log(weight), weight / everything)
        for (prefix, _, _), weight in zip(beam, weights, strict=True)
    ]
    return sorted(candidates, key=lambda c: (-c.log_probability, c.classes))


def _events(steps: Steps, least_probability: float) -> list[tuple[float, tuple[tuple[int, float], ...]]]:
    """What happens, step by step: the blank's probability, and the classes and probabilities of other symbols.

    Steps with nothing but the blank, which are most of them, come together: the blanks' log-probability, and nothing.
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
    """The heaviest prefixes, heaviest first, their weights divided by the heaviest's, which is also returned.

    Among equals the prefix that was found first comes first. Where ``states`` are given, prefixes that another with
    the same state and last symbol is ahead of are left out.
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


def _text(prefix: int, parents: list[int], symbols: list[int]) -> tuple[int, ...]:
    found = []
    while prefix:
        found.append(symbols[prefix])
        prefix = parents[prefix]
    return tuple(reversed(found))


def best_alignment(steps: Steps, classes: tuple[int, ...]) -> np.ndarray | None:
    """The most probable path of a text (Viterbi): int (time,), classes of the time steps.

    None where no path that the steps hold carries the text.
    """
    time = len(steps)
    states = np.full(2 * len(classes) + 1, BLANK)
    states[1::2] = classes
    skippable = np.zeros(len(states), bool)
    skippable[3::2] = states[3::2] != states[1:-2:2]
    emitted = np.full((time, len(states)), _IMPOSSIBLE)
    for k in range(steps.classes.shape[1]):
        same = steps.classes[:, k, None] == states[None, :]
        emitted = np.where(same, steps.log_probabilities[:, k, None], emitted)
    score = np.full(len(states), _IMPOSSIBLE)
    score[0] = 0.0
    moves = np.zeros((time, len(states)), np.int8)
    entered = np.full((3, len(states)), _IMPOSSIBLE)
    for t in range(time):
        entered[0] = score
        entered[1, 1:] = score[:-1]
        entered[2, 2:] = np.where(skippable[2:], score[:-2], _IMPOSSIBLE)
        moves[t] = entered.argmax(axis=0)
        score = entered.max(axis=0) + emitted[t]
    state = len(states) - 1
    if state and score[state - 1] > score[state]:
        state -= 1
    if time and score[state] <= _IMPOSSIBLE / 2:
        return None
    path = np.zeros(time, np.int64)
    for t in range(time - 1, -1, -1):
        path[t] = states[state]
        state -= int(moves[t, state])
    return path if time or not classes else None
