"""What decoding is given of the network's output."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Steps:
    """The likely classes of each time step, all that decoding is given.

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
