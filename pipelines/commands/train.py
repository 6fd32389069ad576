"""``inkbeam train``: pictures with their text in, a model bundle out."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

from htr_model.cores import usable_cores
from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.job import DEFAULT_MODEL
from pipelines.logs import hold_back_native_output
from pipelines.options.outputs import refuse_unwritable, writing
from pipelines.options.samples import add_division_options, divided
from pipelines.wording import counted

SUMMARY = "train a recogniser"

GPU_COLUMNS = 98_304
"""Columns of a step on a GPU of 20 GB or more: about 140 lines. Steps of twice as many take a fifth longer, and
are half as many in a pass (docs/experiments.md)."""

_NOT_KEPT = {"command", "verbose", "own_options", "output", "resume"}
"""Of a parsed command line, what is no setting of the run."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "inkbeam train --data PATH --output DIR [options]\n       inkbeam train --resume --output DIR [options]"
    )
    # No option has a default here: a run that is resumed takes its own where none is given.
    data = parser.add_argument_group("data and result")
    data.add_argument(
        "--data",
        action="append",
        metavar="PATH",
        help="IAM folder, CSV, Parquet, pages.jsonl, PAGE or ALTO XML, pictures with .txt; again for more",
    )
    add_division_options(data)
    data.add_argument(
        "--output", required=True, metavar="DIR", help="the model bundle; DIR/training: curves, report, TensorBoard"
    )
    data.add_argument("--from", dest="start", metavar="DIR", help="begin with this bundle's weights")
    data.add_argument(
        "--charset",
        choices=("fixed", "data"),
        help="symbols: --from's or Latin; or --from's and the data's",
    )
    data.add_argument(
        "--resume", action="store_true", help="go on from the checkpoint in DIR/training, with that run's options"
    )
    how = parser.add_argument_group("how to train (defaults: those of the recipe default)")
    how.add_argument(
        "--recipe",
        choices=("default", "classic"),
        help="classic: cnn-bilstm, Adam at 0.001, 10 epochs, batches of 64, no augmentation",
    )
    how.add_argument("--network", metavar="NAME", help="crnn, resnet-ctc or cnn-bilstm (default: crnn)")
    how.add_argument("--height", type=int, metavar="N", help="rows (default: --from's, or 64; cnn-bilstm: 32)")
    how.add_argument("--epochs", type=int, metavar="N", help="passes over the data at most (default: 40)")
    how.add_argument(
        "--max-minutes", type=float, metavar="N", help="time budget; the learning rate is lowered within it"
    )
    how.add_argument("--patience", type=int, metavar="N", help="epochs without gain before it stops (default: 8)")
    how.add_argument(
        "--learning-rate", type=float, metavar="R", help="highest rate; falls in half a cosine (default: 0.002)"
    )
    how.add_argument(
        "--validate-every", type=int, metavar="N", help="passes over the data between validations (default: 1)"
    )
    how.add_argument("--batch-size", type=int, metavar="N", help="pictures a step (default: by width)")
    how.add_argument("--gpu", action="store_true", help="large batches of few shapes, made by all cores")
    how.add_argument("--batch-columns", type=int, metavar="N", help="pixel columns a step (12288; --gpu: 98304)")
    how.add_argument("--precision", choices=("float32", "mixed_bfloat16"), help="of convolutions (default: float32)")
    how.add_argument("--seed", type=int, metavar="N", help="of weights, batches, augmentation (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Train, and say where the bundle is; 3 when training ended before there was any."""
    from htr_model.bundle import SETTINGS_FILE
    from htr_model.readers.datasets import load

    output = Path(arguments.output)
    refuse_unwritable("--output", arguments.output, folder=True)
    if not arguments.resume and (output / SETTINGS_FILE).exists():
        raise UsageError(
            f"--output {arguments.output}: holds a model bundle already; name another folder, or go on with --resume"
        )
    with hold_back_native_output():
        from htr_model.bundle import BundleError
        from htr_model.training.job import TrainingRun
        from htr_model.training.settings import TRAINING_FOLDER, TrainingError

    if arguments.resume:
        arguments = _resumed(arguments, output / TRAINING_FOLDER)
    if not arguments.data:
        raise UsageError("--data is missing; say what to train on, or go on with a run: --resume --output DIR")
    if not arguments.resume and output.is_dir() and any(output.iterdir()) and not (output / TRAINING_FOLDER).is_dir():
        raise UsageError(f"--output {arguments.output}: holds other files; name a new folder, or an empty one")
    data = divided(load(arguments.data), arguments)
    start = _bundle(arguments.start) if arguments.start else None
    try:
        settings = _settings(arguments)
        _check_network(arguments, settings, start)
        if arguments.charset == "data":
            symbols = "".join(sorted({c for s in data.samples for c in s.text}))
            settings = replace(settings, charset=symbols or None)
        run = TrainingRun(data, settings, output, start_from=start, options=_given(arguments))
        skipped = f", {len(run.skipped):,} skipped (listed in {run.folder / 'skipped.csv'})" if run.skipped else ""
        print(
            f"{counted(len(run.train), 'sample')} to train on, {len(run.validation):,} to validate{skipped}; "
            f"{run.network}, {run.model.count_params():,} parameters, {len(run.charset)} symbols"
        )
        with writing(f"--output {arguments.output}"):
            if not arguments.resume:  # else it is there, or there is nothing to go on from
                run.folder.mkdir(parents=True, exist_ok=True)
        done = run.run(resume=arguments.resume)
    except BundleError as error:  # weights that do not fit: the bundle's, or the checkpoint's
        raise UsageError(str(error) if arguments.resume else f"--from {arguments.start}: {error}") from error
    except TrainingError as error:
        raise UsageError(str(error)) from error
    found = f"best validation CER {100 * done.best_cer:.2f} % after epoch {done.best_epoch + 1}"
    if done.best_epoch < 0:
        found = "nothing was validated yet; go on with --resume"
    took = f"{counted(done.step, 'step')} in {counted(round(done.seconds / 60), 'minute')}"
    print(f"{arguments.output}: {took}, {found}")
    return exit_codes.DONE if (output / SETTINGS_FILE).exists() else exit_codes.FAILED


def _resumed(arguments: argparse.Namespace, folder: Path) -> argparse.Namespace:
    """The command line, with the options that it leaves out as the run in ``folder`` was begun or resumed with.

    Raises:
        UsageError: there is no such run, or it does not tell its options and no data is named.
    """
    from htr_model.training import checkpoint
    from htr_model.training.settings import SETTINGS_FILE

    if not (folder / checkpoint.FILE).is_file():
        raise UsageError(f"{folder / checkpoint.FILE}: no checkpoint to resume from")
    try:
        kept = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8")).get("options", {})
    except (OSError, ValueError):
        kept = {}
    given = _given(arguments)
    if not kept and not arguments.data:
        raise UsageError(
            f"{folder / SETTINGS_FILE}: does not tell the options of the run, which an earlier inkbeam began; "
            "type them again behind --resume: --data, and --network, --from and the like where they were given"
        )
    if arguments.writers:  # a way to divide the data in place of the other
        kept.pop("by_words", None)
    return argparse.Namespace(**{**vars(arguments), **kept, **given})


def _given(arguments: argparse.Namespace) -> dict:
    """The options of a run that were given, by their names; paths hold from every folder."""
    given = {n: v for n, v in vars(arguments).items() if n not in _NOT_KEPT and v is not None and v is not False}
    if arguments.data:
        given["data"] = [os.path.abspath(path) for path in arguments.data]
    if arguments.writers:
        given["writers"] = os.path.abspath(arguments.writers)
    if arguments.start and arguments.start != DEFAULT_MODEL and "://" not in arguments.start:
        given["start"] = os.path.abspath(arguments.start)
    return given


def _check_network(arguments: argparse.Namespace, settings, start) -> None:
    """Nothing, for a network that is the bundle's to begin with, or where there is no such bundle.

    Raises:
        UsageError: another one is asked for.
    """
    named = arguments.network is not None or arguments.recipe == "classic"
    if start and named and settings.network != start.network:
        what = f"--network {arguments.network}" if arguments.network else "--recipe classic"
        raise UsageError(f"{what}: bundle {arguments.start} is a {start.network}; leave it out")


def _bundle(model: str):
    """The bundle to begin with; a local one is read without Beam, which machines for training need not have.

    Raises:
        UsageError: it cannot be used.
    """
    from htr_model import bundle

    folder = bundle.DEFAULT if model == DEFAULT_MODEL else Path(model)
    if folder.is_dir():
        try:
            return bundle.load(folder)
        except bundle.BundleError as error:
            raise UsageError(f"--from {model}: {error}") from error
    from pipelines import files
    from pipelines.models import bundle_address, load_bundle

    files.configure([])
    return load_bundle(bundle_address(model), "--from")


def _settings(arguments: argparse.Namespace):
    """The recipe's settings with what the command line says otherwise."""
    from htr_model.training.settings import RECIPES

    recipe = RECIPES[arguments.recipe or "default"]
    batching = {"size": arguments.batch_size, "columns": arguments.batch_columns}
    batching = {name: value for name, value in batching.items() if value is not None}
    if arguments.gpu:
        from htr_model.runtimes import gpu_is_there

        if not gpu_is_there():
            print("warning: --gpu: no GPU that Keras can use is here; training on the processor", file=sys.stderr)
        batching = {"columns": GPU_COLUMNS, "few_shapes": True, "workers": usable_cores(), **batching}
    normalization = _normalization(arguments.height) if arguments.height is not None else None
    names = ("network", "epochs", "max_minutes", "patience", "validate_every", "learning_rate", "precision", "seed")
    given = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    batching = replace(recipe.batching, **batching)
    return replace(recipe, **given, normalization=normalization, batching=batching)


def _normalization(height: int):
    from htr_model.normalization import Normalization

    try:
        return Normalization.of_height(height)
    except ValueError as error:
        raise UsageError(f"--height: {error}") from error
