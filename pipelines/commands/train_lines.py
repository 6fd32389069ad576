"""``inkbeam train-lines``: pages with known lines in, a network that finds lines out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from htr_model.cores import usable_cores
from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.options.outputs import refuse_unwritable, writing
from pipelines.wording import counted

SUMMARY = "train a network that finds lines"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    data = parser.add_argument_group("data and result")
    data.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="PATH",
        help="pages.jsonl, PAGE or ALTO files, or their folder; again for more",
    )
    data.add_argument("--output", required=True, metavar="DIR", help="the line network, for --lines DIR")
    data.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR/training")
    how = parser.add_argument_group("how to train")
    how.add_argument("--steps", type=int, default=6000, metavar="N", help="batches at most (default: 6000)")
    how.add_argument(
        "--max-minutes", type=float, metavar="N", help="time budget; the learning rate is lowered within it"
    )
    how.add_argument("--learning-rate", type=float, default=3e-3, metavar="R", help="highest rate (default: 0.003)")
    how.add_argument(
        "--precision",
        choices=("float32", "mixed_bfloat16"),
        default="float32",
        help="of the convolutions (default: float32)",
    )
    how.add_argument("--seed", type=int, default=0, metavar="N", help="of pieces and weights (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Train, and say where the network is."""
    from segmentation.lines.network import MODEL_FILE

    refuse_unwritable("--output", arguments.output, folder=True)
    if not arguments.resume and (Path(arguments.output) / MODEL_FILE).exists():
        raise UsageError(
            f"--output {arguments.output}: holds a line network already; name another folder, or go on with --resume"
        )
    with hold_back_native_output():
        from htr_model.line_finder.training import LineTrainingRun, LineTrainingSettings
        from htr_model.training.settings import TrainingError
    from htr_model.readers.page_truth import true_pages
    from pipelines.training_data.line_network_pages import line_pages

    try:
        settings = LineTrainingSettings(
            steps=arguments.steps,
            max_minutes=arguments.max_minutes,
            learning_rate=arguments.learning_rate,
            seed=arguments.seed,
            precision=arguments.precision,
        )
        told = [page for path in arguments.data for page in true_pages(path)]
        if not arguments.resume:  # else it is there, or there is nothing to go on from
            with writing(f"--output {arguments.output}"):
                Path(arguments.output).mkdir(parents=True, exist_ok=True)
        pages = list(line_pages(told, usable_cores()))
        run = LineTrainingRun(pages, settings, Path(arguments.output))
        print(
            f"{counted(len(run.train), 'page')} to train on, {len(run.validation):,} to validate; "
            f"{run.model.count_params():,} parameters"
        )
        if not run.validation:
            print(
                "warning: without pages to validate nobody measures what is learned; give more pages", file=sys.stderr
            )
        done = run.run(resume=arguments.resume)
    except TrainingError as error:
        raise UsageError(str(error)) from error
    found = ", ".join(f"{name} {value:.3f}" for name, value in run.dice.items())
    took = f"{counted(done.step, 'step')} in {counted(round(done.seconds / 60), 'minute')}"
    print(f"{arguments.output}: {took}; {f'Dice of bands: {found}' if found else 'not validated'}")
    return exit_codes.DONE
