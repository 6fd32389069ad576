"""The command line: ``inkbeam digitize | segment | train | evaluate``.

Only arguments are handled here; the libraries that the commands need are loaded when one runs, so that ``--help`` is
quick and what they print while loading can be held back.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys

from pipelines.logs import configure_logging, hold_back_native_output
from pipelines.options import DEFAULT_MODEL, EXISTING, UNITS, UsageError


def main(argv: list[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 too many failed pages, 2 wrong usage, 3 the job failed."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    arguments, rest = _parser().parse_known_args(argv)
    configure_logging(arguments.verbose)
    signal.signal(signal.SIGTERM, _interrupt)
    with hold_back_native_output():
        from pipelines import commands
    if arguments.command == "digitize":
        return commands.finish(arguments, lambda: commands.run_digitize(arguments, rest))
    run = {"segment": commands.run_segment, "train": commands.run_train, "evaluate": commands.run_evaluate}
    return commands.finish(arguments, lambda: run[arguments.command](_without_rest(arguments, rest)))


def _without_rest(arguments: argparse.Namespace, rest: list[str]) -> argparse.Namespace:
    if rest:
        raise UsageError(f"unknown option {rest[0]}; see inkbeam {arguments.command} --help")
    return arguments


def _interrupt(signum, frame):
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inkbeam", description="Digitise scanned handwriting.", allow_abbrev=False)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_digitize(_command(subparsers, "digitize", "read pages and write tables of words, pages and failures"))
    _add_segment(_command(subparsers, "segment", "find lines and words and draw them on the pages"))
    _add_train(_command(subparsers, "train", "train a recogniser"))
    _add_evaluate(_command(subparsers, "evaluate", "measure a recogniser on pictures with known text"))
    return parser


def _command(subparsers, name: str, summary: str) -> argparse.ArgumentParser:
    parser = subparsers.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
    )
    parser.add_argument("--verbose", action="store_true", help="say more")
    return parser


def _add_digitize(parser: argparse.ArgumentParser) -> None:
    parser.usage = "inkbeam digitize --input PATH --output DIR [options] [Beam's options]"
    parser.epilog = "Beam's own options pass through, such as --runner."
    what = parser.add_argument_group("what to read")
    what.add_argument(
        "--input", action="extend", nargs="+", default=[], metavar="PATH", help="files, folders, globs or URIs"
    )
    what.add_argument(
        "--input-list", action="append", default=[], metavar="FILE", help="text file with an input a line"
    )
    what.add_argument(
        "--existing",
        choices=EXISTING,
        default="skip",
        help="pages done in earlier runs: leave out, read again, or refuse (default: skip)",
    )
    what.add_argument("--pdf-dpi", type=int, default=300, metavar="N", help="resolution for PDF pages (default: 300)")
    what.add_argument(
        "--max-megapixels", type=float, default=120, metavar="N", help="larger pages are refused (default: 120)"
    )
    how = parser.add_argument_group("how to read")
    how.add_argument(
        "--model", default=DEFAULT_MODEL, metavar="DIR", help="model bundle, at any URI (default: the one inside)"
    )
    how.add_argument("--unit", choices=UNITS, default="line", help="what the recogniser is given (default: line)")
    how.add_argument(
        "--batch-size", type=int, default=64, metavar="N", help="most pictures a call of the network (default: 64)"
    )
    how.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine (default: 1)")
    where = parser.add_argument_group("where to write")
    where.add_argument("--output", required=True, metavar="DIR", help="folder of the tables, at any URI")
    where.add_argument("--overlays", metavar="DIR", help="also draw every page with what was read")
    where.add_argument("--run-id", metavar="NAME", help="name of this run (default: time and a random part)")
    ends = parser.add_argument_group("how it ends")
    ends.add_argument("--dry-run", action="store_true", help="list what would be read, and stop")
    ends.add_argument(
        "--max-failure-rate",
        type=float,
        default=0.0,
        metavar="R",
        help="exit with 1 when a larger share of the pages failed (default: 0)",
    )


def _add_segment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="files, folders or globs")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the pictures")


def _add_train(parser: argparse.ArgumentParser) -> None:
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


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default=DEFAULT_MODEL, metavar="DIR", help="model bundle (default: the one inside)")
    parser.add_argument(
        "--data",
        action="append",
        required=True,
        metavar="PATH",
        help="IAM folder, CSV, Parquet or pages.jsonl; again for more",
    )
    parser.add_argument(
        "--split",
        choices=("validation", "train", "all"),
        default="validation",
        help="part of data that names its splits; other data is read whole (default: validation)",
    )
    parser.add_argument("--json", metavar="FILE", help="also write the figures here")
    parser.add_argument(
        "--save-predictions", metavar="FILE", help="also write a Parquet file of id, text, prediction and confidence"
    )


if __name__ == "__main__":
    sys.exit(main())
