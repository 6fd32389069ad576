"""What a training run is made of, data aside, and the recipes that have a name."""

from __future__ import annotations

import math
from dataclasses import dataclass

from htr_model import networks
from htr_model.normalization import Normalization
from htr_model.training.batches import Batching
from htr_model.training.schedule import cosine, warm_up

SCHEDULES = ("cosine", "constant")

TRAINING_FOLDER = "training"
"""Beside a bundle, what its training left: checkpoint, curves, report."""

SETTINGS_FILE = "settings.json"
"""In that folder, what the run was begun with."""


class TrainingError(Exception):
    """Training cannot begin or go on; the message says why."""


@dataclass(frozen=True)
class TrainingSettings:
    """What a training run is made of, data aside.

    Attributes:
        network: key of `networks.NETWORKS`.
        epochs: passes over the data at most.
        max_minutes: time budget; the learning rate comes down to its end within it. None: no limit.
        learning_rate: peak, reached after warm-up.
        schedule: what follows the warm-up: half a ``cosine`` down to 1 % of the peak (Loshchilov and Hutter 2017), or
            a ``constant`` rate.
        weight_decay: AdamW's, decoupled (Loshchilov and Hutter 2019); with 0 it is Adam.
        warmup_steps: steps of linear rise.
        patience: epochs without a better validation CER after which training stops.
        seed: of batches, augmentation, dropout and initial weights.
        precision: ``float32``, or ``mixed_bfloat16``: a quarter faster on processors that have bfloat16 instructions.
        validate_every: passes over the data between two validations.
        shortcut: weight of a second CTC loss, on what the convolutions alone make of each column (Retsinas et al.
            2022); 0: none. Its layer is not part of the bundle. Networks without such columns have none.
        batching: size of batches, whether pictures are augmented, who makes them.
        charset: symbols; samples with others are skipped. None: `charset.LATIN`, or those of the bundle that the run
            starts from, which gets the symbols given here that it lacks.
        normalization: None: that of the bundle that the run starts from, else of the network's usual height.
    """

    network: str = "crnn"
    epochs: int = 40
    max_minutes: float | None = None
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    weight_decay: float = 1e-3
    warmup_steps: int = 200
    patience: int = 8
    validate_every: int = 1
    shortcut: float = 0.1
    seed: int = 0
    precision: str = "float32"
    batching: Batching = Batching()
    charset: str | None = None
    normalization: Normalization | None = None

    def __post_init__(self) -> None:
        if self.network not in networks.NETWORKS:
            raise TrainingError(f"unknown network {self.network!r}; known are {', '.join(sorted(networks.NETWORKS))}")
        if self.schedule not in SCHEDULES:
            raise TrainingError(f"unknown schedule {self.schedule!r}; known are {', '.join(SCHEDULES)}")
        if min(self.epochs, self.patience, self.validate_every) < 1 or not 0 < self.learning_rate < math.inf:
            raise TrainingError("epochs, patience, passes between validations and learning rate must be positive")
        if self.warmup_steps < 0 or self.shortcut < 0:
            raise TrainingError("warm-up steps and the weight of the shortcut must not be negative")
        if self.seed < 0:
            raise TrainingError(f"the seed must not be negative, got {self.seed!r}")
        if self.max_minutes is not None and not self.max_minutes > 0:
            raise TrainingError(f"the time budget must be positive, got {self.max_minutes!r} minutes")
        if self.batching.size is not None and self.batching.size < 1:
            raise TrainingError(f"the batch size must be at least 1, got {self.batching.size!r}")
        if self.batching.columns < 1 or self.batching.workers < 0:
            raise TrainingError("columns of a batch must be positive, workers not negative")


RECIPES = {
    "default": TrainingSettings(),
    "classic": TrainingSettings(
        network="cnn-bilstm",
        epochs=10,
        patience=10,
        learning_rate=1e-3,
        schedule="constant",
        weight_decay=0.0,
        warmup_steps=0,
        shortcut=0.0,
        batching=Batching(size=64, augmentation=False),
    ),
}
"""``classic`` is how tutorials train on IAM's words: Adam at a constant rate, batches of 64, no augmentation."""


def learning_rate(settings: TrainingSettings, step: int, progress: float) -> float:
    """Rate of a step: linear warm-up, then the schedule over ``progress`` 0–1 (of the steps or of the minutes)."""
    rate = settings.learning_rate * warm_up(step, settings.warmup_steps)
    return rate if settings.schedule == "constant" else rate * cosine(progress)
