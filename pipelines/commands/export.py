"""``inkbeam export``: an archive's pages for other programs."""

from __future__ import annotations

import argparse

from pipelines import exit_codes
from pipelines.logs import hold_back_native_output
from pipelines.options import UsageError

SUMMARY = "write the pages of an archive as text, ALTO or PAGE files, their tables as CSV"
FORMATS = ("text", "alto", "page", "csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Each page is written once, as its latest run read it, under its document's name and a part of its checksum, "
        "like the overlays. Files of an earlier export are replaced."
    )
    parser.add_argument("archive", metavar="ARCHIVE", help="folder given to digitize --output, at any URI")
    parser.add_argument(
        "--to",
        choices=FORMATS,
        required=True,
        help="what to write: .txt, XML with boxes, or rows and cells of the pages that have any",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the files, at any URI")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say how many."""
    with hold_back_native_output():
        from pipelines import runs
        from pipelines.files import absolute, configure, join, write_bytes
        from pipelines.transcripts import FORMATS as WRITERS
        from pipelines.transcripts import transcripts

    configure([])
    archive, folder = absolute(arguments.archive), absolute(arguments.output)
    ending, write = WRITERS[arguments.to]
    count = 0
    for page in transcripts(archive, runs.known(archive)):
        content = write(page)
        if content is None:
            continue
        path = join(folder, f"{page.name}{ending}")
        try:
            write_bytes(path, content)
        except OSError as error:
            raise UsageError(f"--output {path}: cannot be written ({error}); {count:,} pages were") from error
        count += 1
    print(f"{count:,} pages: {folder}/*{ending}")
    return exit_codes.DONE
