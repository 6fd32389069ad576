"""Where a training run stands, in one file: weights, the optimiser's state and the run's own progress."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from htr_model.networks import assign_weights, named_weights, seeds
from htr_model.training.settings import TrainingError
from htr_model.whole_files import written_aside

FILE = "checkpoint.safetensors"


@dataclass
class Progress:
    """Where a run stands, of whatever kind it is; goes into the checkpoint.

    Attributes:
        begun_with: by option what must be the same when the run goes on.
    """

    begun_with: dict[str, str | int] = field(default_factory=dict)


P = TypeVar("P", bound=Progress)


class CheckpointError(TrainingError):
    """A run cannot go on from a folder's checkpoint; the message says why."""


def save(folder: Path, model: keras.Model, progress: Progress) -> None:
    """Write a compiled model and ``progress``, a dataclass of what JSON can hold; whole or not at all."""
    arrays = {f"model/{k}": v for k, v in named_weights(model).items()}
    arrays |= {name: np.asarray(keras.ops.convert_to_numpy(variable)) for name, variable in _states(model)}
    with written_aside(folder / FILE) as partial:
        save_file(arrays, partial, metadata={"progress": json.dumps(asdict(progress))})


def _states(model: keras.Model) -> list[tuple[str, keras.Variable]]:
    """What a run needs beside its weights: the optimiser's variables, and dropout's, whose masks would begin anew."""
    states = {"optimizer": model.optimizer.variables, "seed": seeds(model)}
    return [(f"{name}/{i}", variable) for name, variables in states.items() for i, variable in enumerate(variables)]


def restore(folder: Path, model: keras.Model, fresh: P) -> P:
    """The progress saved in a folder; ``model``, compiled, and its optimiser get what was saved with it.

    Args:
        fresh: that of a run of the same kind that has not begun.

    Raises:
        CheckpointError: there is none, or it is damaged, of another kind of run or of one that was begun otherwise.
        BundleError: its weights are another network's.
    """
    path = folder / FILE
    if not path.is_file():
        raise CheckpointError(f"{path}: no checkpoint to resume from")
    try:
        arrays = load_file(path)
        with safe_open(path, "numpy") as file:
            progress = type(fresh)(**json.loads(file.metadata()["progress"]))
        _check(folder, progress.begun_with, fresh.begun_with)
        states = [(variable, arrays[name]) for name, variable in _states(model)]
    except (SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: not a checkpoint of this run ({error}); start without --resume") from error
    weights = {k.removeprefix("model/"): v for k, v in arrays.items() if k.startswith("model/")}
    assign_weights(model, weights, str(path))
    for variable, array in states:
        variable.assign(array)
    return progress


def _check(folder: Path, begun_with: dict, now_with: dict) -> None:
    for option, now in now_with.items():
        # Checkpoints from before an option was told say nothing of it.
        begun = begun_with.get(option, now)
        if begun != now:
            raise CheckpointError(
                f"{folder}: the run was begun with {option} {begun}, not {now}; resume it as it was begun"
            )
