"""Time steps and all paths through them, counted out."""

import itertools

import numpy as np

from htr_model.decoding.steps import Steps


def collapsed(path) -> tuple[int, ...]:
    """The definition: repeats merged, then blanks removed."""
    return tuple(c for c, _ in itertools.groupby(path) if c != 0)


def random_steps(time: int, classes: int, seed: int, sharpness: float = 2.0) -> Steps:
    """Time steps with every class, the most probable first, as the network's output comes."""
    logits = np.random.default_rng(seed).normal(0, sharpness, (time, classes))
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    order = np.argsort(-log_p, axis=1)
    return Steps(order, np.take_along_axis(log_p, order, axis=1))


def of_paths(steps: Steps) -> dict[tuple[int, ...], list[float]]:
    """Each text with the probabilities of all its paths."""
    texts: dict[tuple[int, ...], list[float]] = {}
    for choice in itertools.product(range(steps.classes.shape[1]), repeat=len(steps)):
        path = [int(steps.classes[t, k]) for t, k in enumerate(choice)]
        probability = float(np.exp(sum(steps.log_probabilities[t, k] for t, k in enumerate(choice))))
        texts.setdefault(collapsed(path), []).append(probability)
    return texts
