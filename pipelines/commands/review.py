"""``inkbeam review``: web pages to compare an archive with its scans, and to correct it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.options.archive import add_archive_options
from pipelines.wording import counted
from pipelines.written_files import writing

SUMMARY = "write web pages that show what was read beside the scans, to correct it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Open DIR/index.html in a browser. A corrected page is saved as PAGE XML; put into DIR it is shown from "
        "then on, what export --corrections DIR writes, and truth for train --data DIR and evaluate-pages --pages DIR."
    )
    add_archive_options(parser)
    parser.add_argument("--lowest", type=int, metavar="N", help="only the N pages with the lowest confidence")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the web pages, at any URI")


def run(arguments: argparse.Namespace) -> int:
    """Write the pages and say where; 1 when a scan could not be shown because it has changed or is gone."""
    with hold_back_native_output():
        from pipelines.archive.page_pictures import LostPicture, Pictures, jpeg, picture_name
        from pipelines.archive.reading import open_archive
        from pipelines.corrections import Corrections
        from pipelines.files import absolute, is_local, join, write_bytes
        from pipelines.review.pages import WebPages, assets, entries

    if arguments.lowest is not None and arguments.lowest < 1:
        raise UsageError(f"--lowest must be at least 1, got {arguments.lowest!r}")
    archive, folder = open_archive(arguments.archive, arguments.documents), absolute(arguments.output)
    archive.refuse_among_scans(arguments.output, "--output")
    if arguments.lowest is not None:
        archive = archive.with_lowest_confidence(arguments.lowest)
    pictures = Pictures(archive.records)
    listed = entries(archive.pages)
    web = WebPages(listed)

    def write(name: str, data: bytes) -> None:
        with writing(f"--output {join(folder, name)}"):
            write_bytes(join(folder, name), data)

    for name, data in assets().items():
        write(name, data)
    corrections = Corrections(Path(folder)) if is_local(folder) else None
    corrected, failed = set(), 0
    for page in archive.transcripts():
        missing = None
        try:
            write(picture_name(page.name, page.source), jpeg(pictures.picture(page.source)))
        except LostPicture as error:
            failed += 1
            missing = str(error)
            print(f"failed: {error}", file=sys.stderr)
        saved = corrections and corrections.of(page)
        if saved is not None:
            corrected.add(page.name)
        write(f"{page.name}.html", web.page(page, saved, missing))
    # Last, so that it leads to pages that are there.
    write("index.html", web.index(f"{archive.output.rpartition('/')[2]}: {counted(len(listed), 'page')}", corrected))
    print(f"{counted(len(listed), 'page')}: {folder}/index.html")
    return exit_codes.TOO_MANY_FAILURES if failed else exit_codes.DONE
