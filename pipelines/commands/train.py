"""``inkbeam train``: pictures with their text in, a model bundle out."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines import exit_codes
from pipelines.logs import hold_back_native_output
from pipelines.options import UsageError

SUMMARY = "train a recogniser"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("data and result")
    data.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="PATH",
        help="IAM folder, CSV, Parquet or pages.jsonl; again for more",
    )
    data.add_argument(
        "--output", required=True, metavar="DIR", help="the model bundle; DIR/training holds curves and checkpoints"
    )
    data.add_argument("--from", dest="start", metavar="DIR", help="begin with this bundle's weights")
    data.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR/training")
    how = parser.add_argument_group("how to train")
    how.add_argument("--network", default="crnn", help="crnn or resnet-ctc (default: crnn)")
    how.add_argument("--epochs", type=int, default=40, metavar="N", help="passes over the data at most (default: 40)")
    how.add_argument(
        "--max-minutes", type=float, metavar="N", help="time budget; the learning rate is lowered within it"
    )
    how.add_argument(
        "--patience", type=int, default=8, metavar="N", help="epochs without gain before it stops (default: 8)"
    )
    how.add_argument("--learning-rate", type=float, default=2e-3, metavar="R", help="highest rate (default: 0.002)")
    how.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="float32",
        help="of the convolutions (default: float32)",
    )
    how.add_argument("--seed", type=int, default=0, metavar="N")


def run(arguments: argparse.Namespace) -> int:
    """Train, and say where the bundle is."""
    from htr_model.datasets import load
    from pipelines.model_handler import load_bundle

    data = load(arguments.data)
    with hold_back_native_output():
        from htr_model.training import TrainingError, TrainingRun, TrainingSettings

    start = load_bundle(arguments.start) if arguments.start else None
    try:
        settings = TrainingSettings(
            network=arguments.network,
            epochs=arguments.epochs,
            max_minutes=arguments.max_minutes,
            learning_rate=arguments.learning_rate,
            patience=arguments.patience,
            seed=arguments.seed,
            precision=arguments.precision,
        )
        run = TrainingRun(data, settings, Path(arguments.output), start_from=start)
        print(
            f"{len(run.train):,} samples to train on, {len(run.validation):,} to validate, "
            f"{len(run.skipped):,} skipped (listed in {run.folder / 'skipped.csv'}); "
            f"{run.model.count_params():,} parameters"
        )
        done = run.run(resume=arguments.resume)
    except TrainingError as error:
        raise UsageError(str(error)) from error
    print(
        f"{arguments.output}: {done.step:,} steps in {done.seconds / 60:.0f} minutes, "
        f"best validation CER {100 * done.best_cer:.2f} % after epoch {done.best_epoch + 1}"
    )
    return exit_codes.DONE
