"""The training job: samples in, a model bundle out.

The run's own files stand beside the bundle in ``training/``: history.csv, curves.png, skipped.csv, the settings, and
a checkpoint from which ``resume`` goes on.
"""

from __future__ import annotations

import csv
import json
import logging
import math
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
import numpy as np
from keras import ops
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from htr_model import batches, bundle, card, networks, plots
from htr_model.charset import LATIN, Charset
from htr_model.ctc import ctc_loss
from htr_model.datasets import Dataset, split
from htr_model.evaluation import Evaluation, evaluate
from htr_model.normalization import Normalization
from htr_model.recognizer import Recognizer, assign_weights, named_weights
from htr_model.samples import Sample, Skipped

log = logging.getLogger(__name__)

_CHECKPOINT_SECONDS = 300
_LOG_SECONDS = 60


class TrainingError(Exception):
    """Training cannot begin or go on; the message says why."""


@dataclass(frozen=True)
class TrainingSettings:
    """What a training run is made of, data aside.

    Attributes:
        network: key of `networks.NETWORKS`.
        epochs: passes over the data at most.
        max_minutes: time budget; the learning rate comes down to its end within it. None: no limit.
        learning_rate: peak, reached after warm-up, then a half cosine down to 1 % of it.
        weight_decay: AdamW's, decoupled (Loshchilov and Hutter 2019).
        warmup_steps: steps of linear rise.
        patience: epochs without a better validation CER after which training stops.
        seed: of batches, augmentation and initial weights.
        precision: ``float32``, or ``mixed_bfloat16``: a quarter faster on processors that have bfloat16 instructions.
        charset: symbols; samples with others are skipped.
    """

    network: str = "crnn"
    epochs: int = 40
    max_minutes: float | None = None
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    warmup_steps: int = 200
    patience: int = 8
    seed: int = 0
    precision: str = "float32"
    charset: str = LATIN
    normalization: Normalization = field(default_factory=Normalization)

    def __post_init__(self) -> None:
        if self.network not in networks.NETWORKS:
            raise TrainingError(f"unknown network {self.network!r}; known are {', '.join(sorted(networks.NETWORKS))}")
        if self.epochs < 1 or self.patience < 1 or self.learning_rate <= 0 or self.warmup_steps < 0:
            raise TrainingError("epochs, patience and learning rate must be positive, warm-up steps not negative")
        if self.max_minutes is not None and self.max_minutes <= 0:
            raise TrainingError(f"the time budget must be positive, got {self.max_minutes!r} minutes")


@dataclass
class Progressed:
    """Where a run stands; goes into the checkpoint."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_cer: float = math.inf
    best_epoch: int = -1
    history: list[dict] = field(default_factory=list)


def packed_ctc_loss(packed, logits):
    """CTC loss per true character, for labels as `batches.make` packs them: float32 (batch,), mean over the batch.

    Divided by the batch's characters and not by its samples, so that a letter weighs as much in a line as in a word.
    """
    packed = ops.cast(packed, "int32")
    lengths = packed[:, 0]
    losses = ctc_loss(packed[:, 2:], lengths, logits, packed[:, 1])
    count = ops.cast(ops.shape(lengths)[0], "float32")
    return losses * count / ops.cast(ops.sum(lengths), "float32")


def learning_rate(settings: TrainingSettings, step: int, progress: float) -> float:
    """Rate of a step: linear warm-up, then a half cosine over ``progress`` 0–1 (of the steps or of the minutes)."""
    warm = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    cosine = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return settings.learning_rate * warm * cosine


class TrainingRun:
    """One training run and its folder."""

    def __init__(
        self, data: Dataset, settings: TrainingSettings, output: Path, *, start_from: bundle.Bundle | None = None
    ):
        """Prepare the data and the network.

        Args:
            start_from: a bundle whose weights the run begins with; its charset and normalisation are kept.

        Raises:
            TrainingError: no usable samples for training or validation.
        """
        self.settings = settings
        self.output = output
        self.folder = output / "training"
        self.charset = start_from.charset if start_from else Charset(settings.charset)
        self.normalization = start_from.normalization if start_from else settings.normalization
        self.train, self.validation, self.skipped = self._divide(data)
        keras.utils.set_random_seed(settings.seed)
        network = start_from.network if start_from else settings.network
        self.network = network
        self.model = networks.build(network, self.normalization.height, self.charset.classes, settings.precision)
        if start_from:
            assign_weights(self.model, start_from.weights, f"bundle {start_from.id}")
        optimizer = keras.optimizers.AdamW(
            settings.learning_rate, weight_decay=settings.weight_decay, global_clipnorm=5.0
        )
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        optimizer.build(self.model.trainable_variables)
        jit = keras.backend.backend() == "jax"
        self.model.compile(optimizer, loss=packed_ctc_loss, jit_compile=jit)
        self.progress = Progressed()

    def _divide(self, data: Dataset) -> tuple[list[batches.Prepared], list[Sample], list[Skipped]]:
        train, validation = split(data.samples)
        if not train or not validation:
            raise TrainingError(
                f"{len(train)} training and {len(validation)} validation samples; both must be there. "
                "Give more data, or data that names its splits."
            )
        known = [s for s in train if not self.charset.unknown(s.text)]
        strange = [
            Skipped(s.id, f"characters outside the charset: {self.charset.unknown(s.text)!r}")
            for s in train
            if self.charset.unknown(s.text)
        ]
        prepared, narrow = batches.prepare(known, self.charset, self.normalization)
        skipped = data.skipped + strange + narrow
        if not prepared:
            reasons = Counter(s.reason for s in skipped).most_common(3)
            raise TrainingError(f"no training sample is usable; most often: {'; '.join(r for r, _ in reasons)}")
        return prepared, validation, skipped

    def run(self, resume: bool = False) -> Progressed:
        """Train until the epochs, the minutes or the patience are used up; the output then holds the best bundle.

        Ctrl-C ends the run early and leaves a usable bundle and a checkpoint.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_inputs()
        if resume:
            self._restore()
        try:
            while not self._finished():
                self._train_epoch()
                self._close_epoch()
        except KeyboardInterrupt:
            log.warning("interrupted in epoch %d; keeping what was learned", self.progress.epoch + 1)
            self._save_checkpoint()
            if self.progress.best_epoch < 0:
                self._save_bundle(None)
        return self.progress

    def _finished(self) -> bool:
        done = self.progress
        stale = done.best_epoch >= 0 and done.epoch - 1 - done.best_epoch >= self.settings.patience
        return done.epoch >= self.settings.epochs or stale or self._share_of_time() >= 1

    def _share_of_time(self) -> float:
        return self.progress.seconds / 60 / self.settings.max_minutes if self.settings.max_minutes else 0.0

    def _train_epoch(self) -> None:
        done, settings = self.progress, self.settings
        per_epoch = batches.batches_per_epoch(self.train, self.normalization, settings.seed)
        losses: list[float] = []
        before = checkpointed = logged = time.monotonic()
        with _progress_bar() as bar:
            task = bar.add_task(
                f"epoch {done.epoch + 1}/{settings.epochs}", total=per_epoch, completed=done.batch, loss=0
            )
            for inputs, packed in batches.epoch(self.train, self.normalization, settings.seed, done.epoch, done.batch):
                share = max(done.step / (settings.epochs * per_epoch), self._share_of_time())
                self.model.optimizer.learning_rate = learning_rate(settings, done.step, share)
                losses.append(float(self.model.train_on_batch(list(inputs), packed)))
                now = time.monotonic()
                done.seconds += now - before
                before = now
                done.batch += 1
                done.step += 1
                bar.update(task, completed=done.batch, loss=float(np.mean(losses[-50:])))
                if now - logged > _LOG_SECONDS:
                    logged = now
                    log.info(
                        "epoch %d, step %d/%d, loss %.3f, %.0f min",
                        done.epoch + 1, done.batch, per_epoch, np.mean(losses[-50:]), done.seconds / 60,
                    )  # fmt: skip
                if now - checkpointed > _CHECKPOINT_SECONDS:
                    checkpointed = now
                    self._save_checkpoint()
                if self._share_of_time() >= 1:
                    break
        self._mean_loss = float(np.mean(losses)) if losses else math.nan

    def _close_epoch(self) -> None:
        done = self.progress
        result = evaluate(Recognizer(self._bundle()), self.validation)
        rates = {name: r.cer for name, r in result.by_collection.items()}
        # The mean over collections, so that the largest one does not decide alone.
        cer = float(np.mean(list(rates.values())))
        row = {"epoch": done.epoch + 1, "minutes": round(done.seconds / 60, 2), "loss": self._mean_loss, "cer": cer}
        done.history.append({**row, "wer": result.overall.wer, **{f"cer_{k}": v for k, v in rates.items()}})
        log.info(
            "epoch %d: loss %.3f, validation CER %.2f %% (%s), %.0f min",
            done.epoch + 1, self._mean_loss, 100 * cer,
            ", ".join(f"{k} {100 * v:.2f}" for k, v in rates.items()), done.seconds / 60,
        )  # fmt: skip
        if cer < done.best_cer:
            done.best_cer, done.best_epoch = cer, done.epoch
            self._save_bundle(result)
        done.epoch += 1
        done.batch = 0
        self._save_checkpoint()
        _write_history(done.history, self.folder / "history.csv")
        plots.training_curves(done.history, self.folder / "curves.png")

    def _bundle(self, temperature: float = 1.0) -> bundle.Bundle:
        return bundle.Bundle(self.network, self.charset, self.normalization, temperature, named_weights(self.model))

    def _save_bundle(self, result: Evaluation | None) -> None:
        samples = [p.sample for p in self.train]
        text = card.write(self.network, self.model.count_params(), samples, self.validation, self.progress.step, result)
        bundle.save(self._bundle(), self.output, text)

    def _write_inputs(self) -> None:
        settings = {**asdict(self.settings), "training_samples": len(self.train), "backend": keras.backend.backend()}
        (self.folder / "settings.json").write_text(json.dumps(settings, indent=1, ensure_ascii=False), encoding="utf-8")
        with open(self.folder / "skipped.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "reason"])
            writer.writerows((s.id, s.reason) for s in self.skipped)

    def _save_checkpoint(self) -> None:
        arrays = {f"model/{k}": v for k, v in named_weights(self.model).items()}
        for i, variable in enumerate(self.model.optimizer.variables):
            arrays[f"optimizer/{i}"] = np.asarray(ops.convert_to_numpy(variable))
        partial = self.folder / "checkpoint.partial"
        save_file(arrays, partial, metadata={"progress": json.dumps(asdict(self.progress))})
        partial.replace(self.folder / "checkpoint.safetensors")

    def _restore(self) -> None:
        path = self.folder / "checkpoint.safetensors"
        if not path.is_file():
            raise TrainingError(f"{path}: no checkpoint to resume from")
        try:
            arrays = load_file(path)
            with safe_open(path, "numpy") as file:
                self.progress = Progressed(**json.loads(file.metadata()["progress"]))
            optimizer = [arrays[f"optimizer/{i}"] for i in range(len(self.model.optimizer.variables))]
        except (SafetensorError, KeyError, TypeError, ValueError) as error:
            raise TrainingError(f"{path}: not a checkpoint of this run ({error}); start without --resume") from error
        model = {k.removeprefix("model/"): v for k, v in arrays.items() if k.startswith("model/")}
        assign_weights(self.model, model, str(path))
        for variable, array in zip(self.model.optimizer.variables, optimizer, strict=True):
            variable.assign(array)
        log.info("resumed in epoch %d after %.0f min", self.progress.epoch + 1, self.progress.seconds / 60)


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("loss {task.fields[loss]:.3f}"), transient=True)


def _write_history(history: list[dict], path: Path) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[-1]))
        writer.writeheader()
        writer.writerows(history)
