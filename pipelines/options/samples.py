"""The command line's options of which samples are taken: how they are divided, and which part is measured."""

from __future__ import annotations

import argparse
import sys

from htr_model.data.samples import Sample
from htr_model.data.splits import divided_by_words, divided_by_writers, part, unnamed, writers_in
from htr_model.readers.datasets import Dataset
from pipelines.errors import UsageError
from pipelines.job import DEFAULT_MODEL
from pipelines.wording import counted


def add_division_options(group) -> None:
    """Add the options that `divided` reads."""
    division = group.add_mutually_exclusive_group()
    division.add_argument(
        "--by-words",
        action="store_true",
        help="split 90/5/5 word by word, as tutorials do; else as the data says, or by writer",
    )
    division.add_argument("--writers", metavar="FILE", help="validate on these writers, one a line, instead")


def divided(data: Dataset, arguments: argparse.Namespace) -> Dataset:
    """The data with the splits that the command line asks for.

    Raises:
        DatasetError: the list of writers cannot be used.
    """
    if arguments.by_words:
        return Dataset(divided_by_words(data.samples), data.skipped)
    if arguments.writers:
        return Dataset(divided_by_writers(data.samples, writers_in(arguments.writers)), data.skipped)
    return data


def add_measured_options(group, data_help: str) -> None:
    """Add the options of what is measured on what: ``--model``, ``--data``, and the split that `measured` reads."""
    group.add_argument("--model", default=DEFAULT_MODEL, metavar="DIR", help="model bundle (default: the one inside)")
    group.add_argument("--data", action="append", required=True, metavar="PATH", help=data_help)
    group.add_argument(
        "--split",
        choices=("validation", "test", "train", "all", "kept"),
        default="validation",
        metavar="PART",
        help="validation (the default), test, train or all; data without splits is read whole. kept: what train keeps "
        "back",
    )


def measured(data: Dataset, split: str) -> list[Sample]:
    """The samples of a split.

    Raises:
        UsageError: there are none.
    """
    samples = part(data.samples, split)
    unsplit = unnamed(samples) if split in ("validation", "test") else 0
    if unsplit:
        print(
            f"{counted(unsplit, 'sample')} of data that names no splits: all are measured. Of data that the model was "
            "trained on, measure what was kept back (--split kept)",
            file=sys.stderr,
        )
    if not samples:
        skipped = f"; {len(data.skipped):,} were skipped (inkbeam data check tells why)" if data.skipped else ""
        raise UsageError(f"no usable sample in split {split!r}{skipped}")
    return samples
