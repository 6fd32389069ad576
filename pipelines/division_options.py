"""The command line's options of how samples are divided into those to train on and those to validate on."""

from __future__ import annotations

import argparse

from htr_model.readers.datasets import Dataset, divided_by_words, divided_by_writers, writers_in


def add_division_options(group) -> None:
    """Add the options that `divided` reads."""
    division = group.add_mutually_exclusive_group()
    division.add_argument(
        "--by-words",
        action="store_true",
        help="split 90/5/5 word by word, as tutorials do; else as the data says, or by writer",
    )
    division.add_argument(
        "--writers", metavar="FILE", help="validate on these writers, one a line, and leave out the data's validation"
    )


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
