"""Training of the network that finds lines: pages with known lines in, an ONNX model with its card out.

The run's own files stand beside the model in ``training/``: history.csv, the settings, and a checkpoint from which
``resume`` goes on.
"""

from __future__ import annotations

import json
import logging
import math
import time
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops

from htr_model.line_finder import network
from htr_model.line_finder.augmentation import Crop, random_crop, whole
from htr_model.line_finder.onnx_file import to_onnx
from htr_model.line_finder.pages import STRIDE, UNIT, LinePage
from htr_model.training import checkpoint
from htr_model.training.optimizer import adamw
from htr_model.training.run_files import FIRST_SECONDS, write_history
from htr_model.training.schedule import cosine, warm_up
from htr_model.training.settings import TRAINING_FOLDER, TrainingError
from htr_model.whole_files import write_whole
from segmentation.lines.network import FORMAT_VERSION, MODEL_FILE, SETTINGS_FILE

log = logging.getLogger(__name__)

CARD_FILE = "README.md"
_SAVE_SECONDS = 120


@dataclass(frozen=True)
class LineTrainingSettings:
    """What a training run is made of, data aside.

    Attributes:
        steps: batches at most.
        max_minutes: time budget; the learning rate comes down to its end within it. None: no limit.
        batch_size: pieces of pages a step.
        side: of a piece, pixels, a multiple of `network.MULTIPLE`.
        learning_rate: peak, reached after warm-up, then a half cosine down to 1 % of it.
        weight_decay: AdamW's.
        seed: of pieces, their changes and initial weights.
        precision: ``float32`` or ``mixed_bfloat16``.
    """

    steps: int = 6000
    max_minutes: float | None = None
    batch_size: int = 8
    side: int = 384
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    seed: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch_size < 1 or not 0 < self.learning_rate < math.inf:
            raise TrainingError("steps, batch size and learning rate must be positive and finite")
        if not 0 <= self.weight_decay < math.inf:
            raise TrainingError(f"the weight decay must be finite and not negative, got {self.weight_decay!r}")
        if self.seed < 0:
            raise TrainingError(f"the seed must not be negative, got {self.seed!r}")
        if self.side < network.MULTIPLE or self.side % network.MULTIPLE:
            raise TrainingError(f"side must be a multiple of {network.MULTIPLE}, got {self.side!r}")
        if self.max_minutes is not None and not self.max_minutes > 0:
            raise TrainingError(f"the time budget must be positive, got {self.max_minutes!r} minutes")


@dataclass
class LineProgress(checkpoint.Progress):
    """Where a run stands: steps taken, seconds spent, rows of the history."""

    step: int = 0
    seconds: float = 0.0
    history: list[dict] = field(default_factory=list)


_WARM_UP = 100


def band_loss(packed, logits):
    """Binary cross-entropy and Dice loss (Milletari, Navab and Ahmadi 2016), summed: float32 scalar.

    Args:
        packed: float32 (batch, h, w, 2): share of line in a pixel, and the pixel's weight.
        logits: float32 (batch, h, w, 1).
    """
    target, weight = packed[..., :1], packed[..., 1:]
    entropy = ops.maximum(logits, 0.0) - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))
    share = ops.sigmoid(logits)
    common = ops.sum(weight * share * target)
    dice = 1 - (2 * common + 1.0) / (ops.sum(weight * share) + ops.sum(weight * target) + 1.0)
    return ops.sum(weight * entropy) / (ops.sum(weight) + 1.0) + dice


class LineTrainingRun:
    """One training run and its folder.

    Attributes:
        dice: what `validate` found of the network that was saved; empty until then.
    """

    def __init__(self, pages: list[LinePage], settings: LineTrainingSettings, output: Path):
        """Prepare the network.

        Raises:
            TrainingError: no page to train on.
        """
        self.settings = settings
        self.output = output
        self.folder = output / TRAINING_FOLDER
        self.train = [p for p in pages if p.split == "train"]
        self.validation = [p for p in pages if p.split == "validation"]
        if not self.train:
            raise TrainingError("no page to train on. Give pages whose split is train.")
        keras.utils.set_random_seed(settings.seed)
        self.model = network.build(settings.precision)
        variables = self.model.trainable_variables
        optimizer = adamw(variables, settings.learning_rate, settings.weight_decay, clipnorm=1.0)
        self.model.compile(optimizer, loss=band_loss, jit_compile=keras.backend.backend() == "jax")
        self.progress = LineProgress(
            begun_with={"--seed": settings.seed, "side": settings.side, "batch size": settings.batch_size}
        )
        self.dice: dict[str, float] = {}

    def run(self, resume: bool = False) -> LineProgress:
        """Train until the steps or the minutes are used up, and write the model.

        Ctrl-C ends the run early and leaves a model and a checkpoint.

        Raises:
            TrainingError: there is no checkpoint to resume from, or that of another run.
        """
        if resume:
            self._restore()
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {**asdict(self.settings), "training_pages": len(self.train), "backend": keras.backend.backend()}
        (self.folder / "settings.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
        try:
            self._train()
        except KeyboardInterrupt:
            log.warning("interrupted in step %d; keeping what was learned", self.progress.step)
        checkpoint.save(self.folder, self.model, self.progress)
        write_history(self.progress.history, self.folder / "history.csv", ("step", "minutes", "loss"))
        self.save()
        return self.progress

    def _share(self) -> float:
        """Share of the run that is done, 0–1: of its steps or of its minutes, whichever is more."""
        minutes = self.settings.max_minutes
        of_time = self.progress.seconds / 60 / minutes if minutes else 0.0
        return max(self.progress.step / self.settings.steps, of_time)

    def _train(self) -> None:
        done = self.progress
        losses: deque[float] = deque(maxlen=100)
        before = time.monotonic()
        saved = before - _SAVE_SECONDS + FIRST_SECONDS
        while self._share() < 1:
            rate = self.settings.learning_rate * warm_up(done.step, _WARM_UP) * cosine(self._share())
            self.model.optimizer.learning_rate = rate
            losses.append(float(self.model.train_on_batch(*self.batch(done.step))))
            now = time.monotonic()
            done.step += 1
            done.seconds += now - before
            before = now
            if now - saved > _SAVE_SECONDS:
                saved = now
                self._record(losses)
                checkpoint.save(self.folder, self.model, self.progress)
        self._record(losses)

    def batch(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Pictures float32 (batch, side, side, 1) of a step, and their packed targets (`band_loss`)."""
        rng = np.random.default_rng((self.settings.seed, step))
        # Collections in turn by the root of their size: a small one is seen more often than its share, not as often.
        groups = sorted({p.collection for p in self.train})
        members = [[p for p in self.train if p.collection == g] for g in groups]
        chances = np.sqrt([len(m) for m in members])
        chosen = rng.choice(len(groups), self.settings.batch_size, p=chances / chances.sum())
        crops = []
        for i in chosen:
            page, other = members[i][rng.integers(len(members[i]))], self.train[rng.integers(len(self.train))]
            crops.append(random_crop(page, other, self.settings.side, rng))
        return _stack(crops)

    def _record(self, losses: Collection[float]) -> None:
        """Add a row to the history: the mean of some losses."""
        done = self.progress
        if losses:
            row = {"step": done.step, "minutes": round(done.seconds / 60, 2), "loss": float(np.mean(losses))}
            log.info(
                "step %d of %d, loss %.3f, %.0f min", row["step"], self.settings.steps, row["loss"], row["minutes"]
            )
            done.history.append(row)

    def validate(self) -> dict[str, float]:
        """Dice coefficient of bands found and true, 0–1, by collection of the validation pages."""
        sums: dict[str, np.ndarray] = {}
        for page in self.validation:
            crop = whole(page, network.MULTIPLE)
            logits = np.asarray(self.model.predict_on_batch(crop.picture[None, :, :, None]))[0, :, :, 0]
            found = (logits > 0) * crop.weight
            true = crop.target * crop.weight
            sums.setdefault(page.collection, np.zeros(2))
            sums[page.collection] += (2 * (found * true).sum(), found.sum() + true.sum())
        return {name: float(common / max(total, 1)) for name, (common, total) in sorted(sums.items())}

    def save(self) -> None:
        """Measure the model and write it, its settings and its card; each file is replaced whole."""
        self.dice = self.validate()
        self.output.mkdir(parents=True, exist_ok=True)
        about = {
            "format_version": FORMAT_VERSION,
            "x_height": UNIT,
            "stride": STRIDE,
            "multiple": network.MULTIPLE,
        }
        files = {
            MODEL_FILE: to_onnx(self.model),
            SETTINGS_FILE: json.dumps(about, indent=1).encode(),
            CARD_FILE: self._card().encode(),
        }
        for name, data in files.items():
            write_whole(self.output / name, data)

    def _card(self) -> str:
        trained, validated = (Counter(p.collection for p in pages) for pages in (self.train, self.validation))
        dice = {name: f"{value:.3f}" for name, value in self.dice.items()}
        rows = [
            f"| {name} | {trained[name]} | {validated[name]} | {dice.get(name, '')} |"
            for name in sorted(trained | validated)
        ]
        return "\n".join(
            [
                "# Line network",
                "",
                f"A U-Net of {self.model.count_params():,} parameters that marks the x-height zone of each line of "
                f"writing on a page scaled to an x-height of {UNIT:g} pixels. Made by `inkbeam train-lines` in "
                f"{self.progress.step:,} steps of {self.settings.batch_size} pieces of {self.settings.side} × "
                f"{self.settings.side} pixels ({self.progress.seconds / 60:.0f} minutes), seed {self.settings.seed}.",
                "",
                "| collection | training pages | validation pages | Dice of bands |",
                "|---|---|---|---|",
                *rows,
                "",
                f"`{MODEL_FILE}` is plain ONNX; `{SETTINGS_FILE}` says how its picture is made.",
                "",
            ]
        )

    def _restore(self) -> None:
        self.progress = checkpoint.restore(self.folder, self.model, self.progress)
        log.info("resumed in step %d after %.0f min", self.progress.step, self.progress.seconds / 60)


def _stack(crops: list[Crop]) -> tuple[np.ndarray, np.ndarray]:
    pictures = np.stack([c.picture for c in crops])[..., None]
    return pictures, np.stack([np.stack([c.target, c.weight], axis=-1) for c in crops])
