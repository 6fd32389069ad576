"""The command line's choice of an archive, and of documents in it."""

from __future__ import annotations

import argparse


def add_archive_options(parser: argparse.ArgumentParser) -> None:
    """Add ``archive`` and ``--documents``, which `pipelines.archive.reading.open_archive` takes."""
    parser.add_argument("archive", metavar="ARCHIVE", help="folder given to digitize --output, at any URI")
    parser.add_argument(
        "--documents",
        action="append",
        metavar="PATTERN",
        help="only documents whose path ends so; * and ? stand for anything; again for more",
    )
