"""``inkbeam data pack``: any data set as one small Parquet file."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.job import DEFAULT_MODEL
from pipelines.options.outputs import refuse_unwritable
from pipelines.wording import counted

if TYPE_CHECKING:
    from htr_model.data.samples import Item, Skipped
    from htr_model.recognizer import Recognizer

SUMMARY = "write a data set as one small file, to be trained on elsewhere"

_REASONS = 8
"""Of samples left out; each is counted."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="PATH", help="what train --data takes")
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="a .parquet file; its folder's name is the collection's"
    )
    parser.add_argument(
        "--lines",
        choices=("true", "found", "joined", "transcribed"),
        default="true",
        help="of pages: as the ground truth outlines them, or as digitize finds them; of IAM's words: joined; of page "
        "pictures with .txt files of the same name: found, and matched with their text (default: true)",
    )
    parser.add_argument(
        "--gaps", action="store_true", help="note where the words of lines part: train then puts them in other orders"
    )
    parser.add_argument(
        "--reader",
        default=DEFAULT_MODEL,
        metavar="BUNDLE",
        help="of --gaps and --lines transcribed: what reads the lines (default: default)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the gaps of joined words (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Write the file and say what is in it."""
    from htr_model.data.packing import pack
    from htr_model.normalization import Normalization

    output = Path(arguments.output)
    if output.suffix != ".parquet":
        raise UsageError(f"--output {output}: its name must end in .parquet")
    if arguments.seed < 0:
        raise UsageError(f"--seed must not be negative, got {arguments.seed!r}")
    refuse_unwritable("--output", arguments.output)
    by_reading = arguments.gaps or arguments.lines == "transcribed"
    recognizer = _recognizer(arguments.reader) if by_reading else None
    try:
        items = _items(arguments, recognizer)
        count, skipped = pack(items, output, Normalization(), recognizer if arguments.gaps else None)
    except OSError as error:
        raise UsageError(f"{arguments.path} cannot be read or {output} not be written ({error})") from error
    if not count:
        hint = (
            ". --lines joined is for words whose ids name their lines, as IAM's do"
            if arguments.lines == "joined"
            else ""
        )
        raise UsageError(f"{arguments.path}: no usable sample; most often: {_most_often(skipped)}{hint}")
    print(f"{output}: {counted(count, 'sample')}, {output.stat().st_size / 2**20:.1f} MiB; {len(skipped):,} left out")
    if skipped:
        print(f"left out: {_most_often(skipped)}")
    return exit_codes.DONE


def _recognizer(model: str) -> Recognizer:
    from htr_model.recognizer import Recognizer
    from pipelines.files import configure
    from pipelines.models import bundle_address, load_bundle

    configure([])
    return Recognizer(load_bundle(bundle_address(model), "--reader"))


def _most_often(skipped: list[Skipped]) -> str:
    reasons = Counter(item.reason for item in skipped).most_common(_REASONS)
    return "; ".join(f"{times:,} × {reason}" for reason, times in reasons) or "there is none at all"


def _items(arguments: argparse.Namespace, recognizer: Recognizer | None) -> Iterator[Item]:
    from htr_model.readers.datasets import read
    from htr_model.readers.page_truth import true_pages
    from htr_model.synthetic.joined_words import joined_lines
    from pipelines.training_data.found import found_lines
    from pipelines.training_data.transcribed import transcribed_lines

    if arguments.lines == "transcribed":
        return transcribed_lines(Path(arguments.path), recognizer)
    if arguments.lines == "found":
        return found_lines(true_pages(arguments.path))
    items = read(arguments.path)
    return joined_lines(items, arguments.seed) if arguments.lines == "joined" else items
