"""``inkbeam export``: an archive's pages for other programs."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from pipelines import exit_codes
from pipelines.archive_options import add_archive_options
from pipelines.logs import hold_back_native_output
from pipelines.options import UsageError

SUMMARY = "write the pages of an archive as text, ALTO or PAGE files, their tables as CSV"
FORMATS = ("text", "alto", "page", "csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Each page is written once, as its latest run read it, under its document's name and a hash of its path, "
        "like the overlays. Files of an earlier export are replaced."
    )
    add_archive_options(parser)
    parser.add_argument(
        "--to",
        choices=FORMATS,
        required=True,
        help="what to write: .txt, XML with boxes, or rows and cells of the pages that have any",
    )
    parser.add_argument(
        "--pictures",
        action="store_true",
        help="also write each page's picture, upright, and name it in the XML, to correct the page and train on it",
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the files, at any URI")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say how many; 1 when a page's picture could not be made again."""
    with hold_back_native_output():
        from pipelines.archive import open_archive
        from pipelines.files import absolute, join, write_bytes
        from pipelines.formats import FORMATS as WRITERS
        from pipelines.page_pictures import ENDING, ChangedSource, decoding_settings, jpeg, page_gray
        from segmentation.decoding import DecodingError

    folder = absolute(arguments.output)
    ending, write = WRITERS[arguments.to]
    archive = open_archive(arguments.archive, arguments.documents)
    settings = decoding_settings(archive.records) if arguments.pictures else {}
    count = failed = 0
    for page in archive.transcripts():
        files = {}
        if arguments.pictures:
            try:
                files[ENDING] = jpeg(page_gray(page.source, settings[page.source.run_id]))
                page = replace(page, picture=f"{page.name}{ENDING}")
            except (OSError, DecodingError, ChangedSource) as error:
                failed += 1
                print(f"failed: {error}", file=sys.stderr)
        content = write(page)
        if content is None:
            continue
        for suffix, data in {**files, ending: content}.items():
            path = join(folder, f"{page.name}{suffix}")
            try:
                write_bytes(path, data)
            except OSError as error:
                raise UsageError(f"--output {path}: cannot be written ({error}); {count:,} pages were") from error
        count += 1
    print(f"{count:,} pages: {folder}/*{ending}")
    return exit_codes.TOO_MANY_FAILURES if failed else exit_codes.DONE
