"""``inkbeam data synthesize``: fonts and running texts in, training data out."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.options.outputs import refuse_unwritable, writing

SUMMARY = "draw lines and words with fonts, as training data"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fonts",
        required=True,
        metavar="DIR",
        help="TTF, OTF and WOFF files; those below folders named typed and printed are drawn as such, "
        "all others as handwriting",
    )
    parser.add_argument(
        "--text",
        action="append",
        required=True,
        metavar="FILE",
        help="running text in UTF-8; again for more, each is used as often as the others",
    )
    parser.add_argument("--count", type=int, required=True, metavar="N", help="pictures to draw")
    parser.add_argument(
        "--output", required=True, metavar="FILE", help="a .parquet file, for train --data; its writers are the fonts"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="same fonts, texts and seed: same pictures (default: 0)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Draw the pictures and say where they are."""
    from rich.console import Console
    from rich.progress import track

    from htr_model.charset import LATIN, Charset
    from htr_model.synthetic.fonts import find
    from htr_model.synthetic.samples import synthesize, write_parquet
    from htr_model.synthetic.texts import read_texts

    output = Path(arguments.output)
    if arguments.count < 1:
        raise UsageError(f"--count must be at least 1, got {arguments.count!r}")
    if arguments.seed < 0:
        raise UsageError(f"--seed must not be negative, got {arguments.seed!r}")
    if output.suffix != ".parquet":
        raise UsageError(f"--output {output}: its name must end in .parquet")
    refuse_unwritable("--output", arguments.output)
    fonts, skipped = find(Path(arguments.fonts), LATIN)
    text = read_texts([Path(path) for path in arguments.text], Charset(LATIN))
    for font in skipped:
        print(f"left out: {font.id}: {font.reason}", file=sys.stderr)
    started = time.monotonic()
    drawn = synthesize(fonts, text, arguments.count, arguments.seed)
    console = Console(stderr=True)
    try:
        with writing(f"--output {output}"):
            count = write_parquet(output, track(drawn, "drawing", arguments.count, console=console, transient=True))
    except ValueError as error:
        raise UsageError(str(error)) from error
    seconds = time.monotonic() - started
    print(f"{output}: {count:,} pictures of {len(fonts)} fonts in {seconds:.0f} s, {count / seconds:.0f} a second")
    return exit_codes.DONE
