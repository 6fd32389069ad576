"""Where a training run stands, in one file: weights, the optimiser's state and the run's own progress."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import keras
import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from htr_model.networks import assign_weights, named_weights, seeds

FILE = "checkpoint.safetensors"

Progress = TypeVar("Progress")


class CheckpointError(Exception):
    """A run cannot go on from a folder's checkpoint; the message says why."""


def save(folder: Path, model: keras.Model, progress) -> None:
    """Write a compiled model and ``progress``, a dataclass of what JSON can hold; whole or not at all."""
    arrays = {f"model/{k}": v for k, v in named_weights(model).items()}
    for i, variable in enumerate(model.optimizer.variables):
        arrays[f"optimizer/{i}"] = np.asarray(keras.ops.convert_to_numpy(variable))
    for i, variable in enumerate(seeds(model)):
        arrays[f"seed/{i}"] = np.asarray(keras.ops.convert_to_numpy(variable))
    partial = folder / "checkpoint.partial"
    save_file(arrays, partial, metadata={"progress": json.dumps(asdict(progress))})
    partial.replace(folder / FILE)


def restore(folder: Path, model: keras.Model, kind: type[Progress]) -> Progress:
    """The progress saved in a folder, of its class ``kind``, after ``model`` and its optimiser have been set.

    Raises:
        CheckpointError: there is none, or it is damaged or of another kind of run.
        BundleError: its weights are another network's.
    """
    path = folder / FILE
    if not path.is_file():
        raise CheckpointError(f"{path}: no checkpoint to resume from")
    try:
        arrays = load_file(path)
        with safe_open(path, "numpy") as file:
            progress = kind(**json.loads(file.metadata()["progress"]))
        states = {
            "optimizer": model.optimizer.variables,
            "seed": seeds(model),  # of dropout: else its masks would begin anew
        }
        found = [
            (variable, arrays[f"{name}/{i}"])
            for name, variables in states.items()
            for i, variable in enumerate(variables)
        ]
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: not a checkpoint of this run ({error}); start without --resume") from error
    weights = {k.removeprefix("model/"): v for k, v in arrays.items() if k.startswith("model/")}
    assign_weights(model, weights, str(path))
    for variable, array in found:
        variable.assign(array)
    return progress
