"""Which time steps say which symbol of a text: the best path of CTC that carries it."""

from __future__ import annotations

import numpy as np

from htr_model.charset import BLANK
from htr_model.decoding.steps import Steps

_IMPOSSIBLE = -1e30


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
