"""The training job: samples in, a model bundle out.

The run's own files stand beside the bundle in ``training/``: history.csv, curves.png, skipped.csv, the settings, events
for TensorBoard, a report on the validation samples, and a checkpoint from which ``resume`` goes on.
"""

from __future__ import annotations

import csv
import json
import logging
import math
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np
from keras import ops
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from htr_model import bundle, networks
from htr_model.charset import LATIN, Charset
from htr_model.confidence import UNCALIBRATED, Calibration
from htr_model.data.samples import Sample, Skipped
from htr_model.data.splits import split
from htr_model.networks import assign_weights, named_weights
from htr_model.normalization import Normalization
from htr_model.readers.datasets import Dataset
from htr_model.recognizer import Recognizer
from htr_model.runtimes import ONNX
from htr_model.scoring import plots, report
from htr_model.scoring.calibration import cross_fitted, fit
from htr_model.scoring.evaluation import Evaluation, evaluate
from htr_model.training import batches, card, checkpoint
from htr_model.training.charset_extension import extend
from htr_model.training.optimizer import adamw
from htr_model.training.run_files import FIRST_SECONDS, write_history
from htr_model.training.settings import (
    SETTINGS_FILE,
    TRAINING_FOLDER,
    TrainingError,
    TrainingSettings,
    learning_rate,
)
from htr_model.training.steps import GraphedSteps, Step, graphs_are_possible, keras_step, packed_ctc_loss
from htr_model.training.tensorboard import EventWriter

log = logging.getLogger(__name__)

_CHECKPOINT_SECONDS = 300
_LOG_SECONDS = 60


@dataclass
class Progressed(checkpoint.Progress):
    """Where a run stands."""

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    best_cer: float = math.inf
    best_epoch: int = -1
    history: list[dict] = field(default_factory=list)


def _with_shortcut(model: keras.Model, weight: float) -> tuple[keras.Model, list[float]]:
    """What is trained, and the weights of its outputs' losses: the network, and where it has columns that
    convolutions alone have made, logits of those as well."""
    if not weight or "columns" not in {layer.name for layer in model.layers}:
        return keras.Model(model.inputs, [model.output]), [1.0]
    columns = model.get_layer("columns").output
    shortcut = keras.layers.Dense(model.output.shape[-1], dtype="float32", name="shortcut")(columns)
    return keras.Model(model.inputs, [model.output, shortcut]), [1.0, weight]


class TrainingRun:
    """One training run and its folder."""

    def __init__(
        self,
        data: Dataset,
        settings: TrainingSettings,
        output: Path,
        *,
        start_from: bundle.Bundle | None = None,
        options: dict | None = None,
    ):
        """Prepare the data and the network.

        Args:
            start_from: a bundle whose weights the run begins with; its network and language model are kept, its
                normalisation where the settings have none, its charset is extended by symbols that the settings name.
            options: of the command line, as JSON holds them; kept with the settings for who resumes the run.

        Raises:
            TrainingError: no usable samples for training or validation.
        """
        self.settings = settings
        self.output = output
        self.folder = output / TRAINING_FOLDER
        self.start_from = start_from
        self.options = options or {}
        if start_from:
            start_from = extend(start_from, settings.charset or "")
            self.network, self.charset = start_from.network, start_from.charset
            usual = start_from.normalization
        else:
            self.network, self.charset = settings.network, Charset(settings.charset or LATIN)
            usual = Normalization.of_height(networks.usual_height(settings.network))
        self.normalization = settings.normalization or usual
        self.train, self.validation, self.skipped = self._divide(data)
        keras.utils.set_random_seed(settings.seed)
        self.model = networks.build(self.network, self.normalization.height, self.charset.classes, settings.precision)
        if start_from:
            assign_weights(self.model, start_from.weights, f"bundle {start_from.id}")
        self.trainer, self.loss_weights = _with_shortcut(self.model, settings.shortcut)
        variables = self.trainer.trainable_variables
        optimizer = adamw(variables, settings.learning_rate, settings.weight_decay, clipnorm=5.0)
        jit = keras.backend.backend() == "jax"
        losses = [packed_ctc_loss] * len(self.loss_weights)
        self.trainer.compile(optimizer, loss=losses, loss_weights=self.loss_weights, jit_compile=jit)
        self.step = self._step()
        self.progress = Progressed(
            begun_with={
                "--network": self.network,
                "--height": self.normalization.height,
                "--from": self.start_from.id if self.start_from else "no bundle",
                "--charset": self.charset.symbols,
            }
        )

    def _divide(self, data: Dataset) -> tuple[list[batches.Prepared], list[Sample], list[Skipped]]:
        train, validation = split(data.samples)
        if not train or not validation:
            left_out = f" {len(data.skipped):,} were left out, most often: {_reasons(data.skipped)}"
            raise TrainingError(
                f"{len(train)} training and {len(validation)} validation samples; both must be there. "
                f"Give more data, or data that names its splits.{left_out if data.skipped else ''}"
            )
        known = [s for s in train if not self.charset.unknown(s.text)]
        strange = [
            Skipped(s.id, f"characters outside the charset: {self.charset.unknown(s.text)!r}")
            for s in train
            if self.charset.unknown(s.text)
        ]
        prepared, narrow = batches.prepare(known, self.charset, self.normalization, self.settings.batching.workers)
        skipped = data.skipped + strange + narrow
        if not prepared:
            raise TrainingError(f"no training sample is usable; most often: {_reasons(skipped)}")
        return prepared, validation, skipped

    def run(self, resume: bool = False) -> Progressed:
        """Train until the epochs, the minutes or the patience are used up; the output then holds the best bundle.

        Ctrl-C ends the run early and leaves a usable bundle and a checkpoint.
        """
        if resume:
            self._restore()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_inputs()
        try:
            while not self._finished():
                self._train_epoch()
                self._close_epoch()
        except KeyboardInterrupt:
            log.warning("interrupted in epoch %d; keeping what was learned", self.progress.epoch + 1)
            checkpoint.save(self.folder, self.trainer, self.progress)
            if self.progress.best_epoch < 0:
                self._save_bundle(None)
        return self.progress

    def _finished(self) -> bool:
        done = self.progress
        # Counted to the last validation: what was learned after it is not known to be no better.
        measured = done.history[-1]["epoch"] - 1 if done.history else -1
        stale = done.best_epoch >= 0 and measured - done.best_epoch >= self.settings.patience
        return done.epoch >= self.settings.epochs or stale or self._share_of_time() >= 1

    def _share_of_time(self) -> float:
        return self.progress.seconds / 60 / self.settings.max_minutes if self.settings.max_minutes else 0.0

    def _train_epoch(self) -> None:
        done, settings = self.progress, self.settings
        per_epoch = batches.batches_per_epoch(self.train, self.normalization, settings.seed, settings.batching)
        losses: list[float] = []
        before = checkpointed = logged = time.monotonic()
        if not done.step:
            logged -= _LOG_SECONDS - FIRST_SECONDS
        with _progress_bar() as bar:
            task = bar.add_task(
                f"epoch {done.epoch + 1}/{settings.epochs}", total=per_epoch, completed=done.batch, loss=0
            )
            # A network that can read needs no narrow pictures first; they would only spoil what it knows of lines.
            shuffle = done.epoch > 0 or self.start_from is not None
            for inputs, packed in batches.epoch(
                self.train, self.normalization, settings.seed, done.epoch, done.batch, settings.batching, shuffle
            ):
                share = max(done.step / (settings.epochs * per_epoch), self._share_of_time())
                self.trainer.optimizer.learning_rate = learning_rate(settings, done.step, share)
                losses.append(self.step(inputs, packed))
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
                    checkpoint.save(self.folder, self.trainer, self.progress)
                if self._share_of_time() >= 1:
                    break
        self._mean_loss = float(np.mean(losses)) if losses else math.nan

    def _step(self) -> Step:
        """How steps of training are taken here."""
        if self.settings.batching.few_shapes and graphs_are_possible():
            return GraphedSteps(self.trainer, self.loss_weights)
        return keras_step(self.trainer.train_on_batch, len(self.loss_weights))

    def _validation_loss(self) -> float:
        """Mean CTC loss per true character (nats) of the validation samples that the network could write."""
        if not self._measurable:
            return math.nan
        total = characters = 0.0
        batching = replace(self.settings.batching, augmentation=False)
        step = keras_step(self.trainer.test_on_batch, len(self.loss_weights))
        for inputs, packed in batches.epoch(self._measurable, self.normalization, 0, 0, 0, batching):
            count = float(packed[:, 0].sum())
            total += count * step(inputs, packed)
            characters += count
        return total / characters

    @cached_property
    def _measurable(self) -> list[batches.Prepared]:
        """The validation samples that the network could write."""
        writable = [s for s in self.validation if not self.charset.unknown(s.text)]
        return batches.prepare(writable, self.charset, self.normalization, self.settings.batching.workers)[0]

    def _close_epoch(self) -> None:
        done, settings = self.progress, self.settings
        last = done.epoch + 1 >= settings.epochs or self._share_of_time() >= 1
        if last or (done.epoch + 1) % settings.validate_every == 0:
            before = time.monotonic()
            self._validate()
            done.seconds += time.monotonic() - before
        done.epoch += 1
        done.batch = 0
        checkpoint.save(self.folder, self.trainer, self.progress)

    def _validate(self) -> None:
        """Measure what was learned, and keep it where it is the best so far."""
        done = self.progress
        # On the processor: an accelerator would prepare for the shapes of this once.
        result = evaluate(Recognizer(self._bundle(), runtime=ONNX), self.validation)
        rates = {name: r.cer for name, r in result.by_collection.items()}
        # The mean over collections, so that the largest one does not decide alone.
        cer = float(np.mean(list(rates.values())))
        row = {
            "epoch": done.epoch + 1,
            "minutes": round(done.seconds / 60, 2),
            "learning_rate": float(ops.convert_to_numpy(self.trainer.optimizer.learning_rate)),
            "loss": self._mean_loss,
            "validation_loss": self._validation_loss(),
            "cer": cer,
            "wer": result.overall.wer,
            "accuracy": result.overall.accuracy,
            "mean_edit_distance": result.overall.mean_edit_distance,
            **{f"cer_{k}": v for k, v in rates.items()},
        }
        # In place of the row that is there already when the run was interrupted at this point and resumed.
        done.history = [r for r in done.history if r["epoch"] <= done.epoch] + [row]
        self._events.scalars(done.epoch + 1, {k: v for k, v in row.items() if k != "epoch"})
        log.info(
            "epoch %d: loss %.3f, validation loss %.3f, CER %.2f %% (%s), edit distance %.2f, %.0f min",
            done.epoch + 1, row["loss"], row["validation_loss"], 100 * cer,
            ", ".join(f"{k} {100 * v:.2f}" for k, v in rates.items()), row["mean_edit_distance"], done.seconds / 60,
        )  # fmt: skip
        if cer < done.best_cer:
            self.save_best(result)
            done.best_cer, done.best_epoch = cer, done.epoch
        write_history(done.history, self.folder / "history.csv")
        plots.training_curves(done.history, self.folder / "curves.png")

    def save_best(self, result: Evaluation) -> None:
        """Write the bundle, its confidence calibrated on the words of ``result``, and the report on it."""
        judged = cross_fitted(result.words)
        if judged:
            result = replace(result, words=judged)
        usual = self.start_from.calibration if self.start_from else UNCALIBRATED
        self._save_bundle(result, fit(result.words) if judged else usual, bool(judged))
        title = f"Validation after epoch {self.progress.epoch + 1}"
        report.write(self.folder / "report", title, self.validation, result)
        grid = report.grid(self.validation, result)
        self._events.picture(self.progress.epoch + 1, "predictions", plots.png(grid), *grid.shape[1::-1])

    @cached_property
    def _events(self) -> EventWriter:
        return EventWriter(self.folder / "tensorboard")

    def _bundle(self, calibration: Calibration = UNCALIBRATED) -> bundle.Bundle:
        weights = named_weights(self.model)
        made = bundle.Bundle(self.network, self.charset, self.normalization, weights, calibration=calibration)
        if self.start_from is None:
            return made
        start = self.start_from
        return replace(made, language_model=start.language_model, language_calibration=start.language_calibration)

    def _save_bundle(
        self, result: Evaluation | None, calibration: Calibration = UNCALIBRATED, calibrated: bool = False
    ) -> None:
        told = card.Training(
            network=self.network,
            parameters=self.model.count_params(),
            steps=self.progress.step,
            training=[p.sample for p in self.train],
            validation=self.validation,
            result=result,
            calibration_error=result.calibration_error if result and calibrated else None,
            start_from=self.start_from,
        )
        bundle.save(self._bundle(calibration), self.output, card.write(told))

    def _write_inputs(self) -> None:
        settings = {
            **asdict(self.settings),
            "network": self.network,
            "charset": self.charset.symbols,
            "normalization": asdict(self.normalization),
            "training_samples": len(self.train),
            "backend": keras.backend.backend(),
            "options": self.options,
        }
        (self.folder / SETTINGS_FILE).write_text(json.dumps(settings, indent=1, ensure_ascii=False), encoding="utf-8")
        with open(self.folder / "skipped.csv", "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "reason"])
            writer.writerows((s.id, s.reason) for s in self.skipped)

    def _restore(self) -> None:
        self.progress = checkpoint.restore(self.folder, self.trainer, self.progress)
        log.info("resumed in epoch %d after %.0f min", self.progress.epoch + 1, self.progress.seconds / 60)


def _reasons(skipped: list[Skipped]) -> str:
    """Why most samples were left out, the commonest reason first."""
    return "; ".join(reason for reason, _ in Counter(s.reason for s in skipped).most_common(3))


def _progress_bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, TextColumn("loss {task.fields[loss]:.3f}"), transient=True)
