"""``inkbeam review``: web pages to compare an archive with its scans, and to correct it."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.options.archive import add_archive_options
from pipelines.wording import counted
from pipelines.written_files import writing

if TYPE_CHECKING:
    from pipelines.archive.reading import Archive

SUMMARY = "write web pages that show what was read beside the scans, to correct it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Open DIR/index.html in a browser. A corrected page is saved as PAGE XML; put into DIR it is shown from "
        "then on, what export --corrections DIR writes, and truth for train --data DIR and evaluate-pages --pages DIR. "
        "Given again, DIR holds the pages that are chosen now, and those that were corrected."
    )
    add_archive_options(parser)
    parser.add_argument("--lowest", type=int, metavar="N", help="only the N uncorrected pages of lowest confidence")
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
    whole, folder = open_archive(arguments.archive), absolute(arguments.output)
    whole.refuse_among_scans(arguments.output, "--output")
    whole.refuse_among_tables(arguments.output, "--output")
    chosen = open_archive(arguments.archive, arguments.documents) if arguments.documents else whole
    # A folder on this machine may hold corrections; what was corrected stays in the review.
    corrections = Corrections(Path(folder)) if is_local(folder) and Path(folder).is_dir() else None
    corrected = set(filter(corrections.holds, whole.names())) if corrections else set()
    archive = _chosen(whole, chosen, corrected, arguments.lowest)
    pictures = Pictures(archive.records)
    listed = entries(archive.pages)
    web = WebPages(listed)

    def write(name: str, data: bytes) -> None:
        with writing(f"--output {join(folder, name)}"):
            write_bytes(join(folder, name), data)

    for name, data in assets().items():
        write(name, data)
    shown_corrected, failed = set(), 0
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
            shown_corrected.add(page.name)
        write(f"{page.name}.html", web.page(page, saved, missing))
    # Last, so that it leads to pages that are there.
    write(
        "index.html", web.index(f"{archive.output.rpartition('/')[2]}: {counted(len(listed), 'page')}", shown_corrected)
    )
    if corrections:
        _remove_pages(Path(folder), set(whole.names()) - {entry.name for entry in listed})
    print(f"{counted(len(listed), 'page')}: {folder}/index.html")
    return exit_codes.TOO_MANY_FAILURES if failed else exit_codes.DONE


def _chosen(whole: Archive, chosen: Archive, corrected: set[str], lowest: int | None) -> Archive:
    """The pages of a review: those that were chosen, and those that were corrected before.

    Args:
        corrected: names of pages.
        lowest: of those chosen that nobody has corrected, how many; None for all.
    """
    if lowest is None:
        names = corrected | set(chosen.names())
        return whole.where(lambda name: name in names)
    import pyarrow as pa

    left = chosen.where(lambda name: name not in corrected).with_lowest_confidence(lowest)
    done = whole.where(lambda name: name in corrected)
    return replace(whole, pages=pa.concat_tables([left.pages, done.pages]))


def _remove_pages(folder: Path, names: set[str]) -> None:
    """Remove pages of an earlier review, and their pictures: their links lead through a list that is no more."""
    of_page = re.compile(r"(.+?)(?:\.html|-[0-9a-f]{6}(?:-\d+)?\.jpg)")
    for path in list(folder.iterdir()):
        named = of_page.fullmatch(path.name)
        if named and named[1] in names:
            path.unlink()
