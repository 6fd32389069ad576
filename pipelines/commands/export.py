"""``inkbeam export``: an archive's pages for other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.options.archive import add_archive_options
from pipelines.options.outputs import writing
from pipelines.wording import counted

if TYPE_CHECKING:
    from pipelines.exports import Exported

SUMMARY = "write the pages of an archive as text, ALTO or PAGE files, searchable PDF, tables as CSV"
PDF = "pdf"
FORMATS = ("text", "alto", "page", "csv", PDF)
_XML = ("alto", "page")
_NOTHING = {"csv": "no page has a table", PDF: "no document can be shown"}
"""Why there is no file of a format."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Each page is written once, as its latest run read it, under its document's name and a hash of its path, "
        "like the overlays; a PDF holds the pages of a document. Files of an earlier export are replaced; those of "
        "pages that are no more are removed unless they were changed."
    )
    add_archive_options(parser)
    parser.add_argument(
        "--to",
        choices=FORMATS,
        required=True,
        help="what to write: .txt, XML with boxes, rows and cells of the pages that have any, or PDF with the pictures",
    )
    parser.add_argument(
        "--pictures",
        action="store_true",
        help="also write each page's picture, upright, and name it in the XML, to correct the page and train on it",
    )
    parser.add_argument(
        "--corrections", metavar="DIR", help="folder of a review: pages saved in it as they were corrected there"
    )
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the files, at any URI")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say how many; 1 when a page's picture could not be made again, or a correction not used."""
    with hold_back_native_output():
        from pipelines.archive.page_pictures import Pictures
        from pipelines.archive.reading import open_archive
        from pipelines.corrections import Corrections
        from pipelines.exports import exported, remove_former, without_picture
        from pipelines.files import absolute, is_local
        from pipelines.losses import Losses

    if arguments.to == PDF and arguments.pictures:
        raise UsageError("--to pdf holds the pictures; leave --pictures out")
    shows = arguments.to == PDF or arguments.pictures
    folder, whole, lost = absolute(arguments.output), open_archive(arguments.archive), Losses()
    archive = whole.of_documents(arguments.documents)
    archive.refuse_among_tables(arguments.output, "--output")
    if is_local(folder) and (Path(folder) / "review.css").exists():
        raise UsageError(f"--output {arguments.output}: is a review's folder, whose corrections have the same names")
    if shows:
        archive.refuse_among_scans(arguments.output, "--output")
    corrections = Corrections(Path(arguments.corrections), lost) if arguments.corrections else None
    pictures = Pictures(archive.records) if shows else None
    pages, corrected = _write(folder, exported(archive, arguments.to, corrections, pictures, lost))
    if arguments.to != PDF and is_local(folder):
        with writing(f"--output {arguments.output}"):
            remove_former(Path(folder), archive, arguments.to, corrections)
    if pages:
        taken = f" ({counted(corrected, 'page')} as corrected)" if corrections else ""
        print(f"{counted(pages, 'document' if arguments.to == PDF else 'page')}{taken}: {folder}")
    else:
        print(f"nothing was written: {_NOTHING.get(arguments.to, 'no page has been read')}")
    for message in corrections.left_over(whole.pictures()) if corrections else ():
        print(f"not taken: {message}", file=sys.stderr)
    if arguments.to in _XML and not arguments.pictures:
        _tell_unlike(without_picture(archive.pages))
    return lost.exit_code


def _write(folder: str, made: Iterable[Exported]) -> tuple[int, int]:
    """Write files; of how many pages or documents they are, and how many pages are as they were corrected."""
    from pipelines.files import join, write_bytes

    count = corrected = 0
    for each in made:
        for name, data in each.files.items():
            path = join(folder, name)
            with writing(f"--output {path}"):
                write_bytes(path, data)
        count += 1
        corrected += each.corrected
    return count, corrected


def _tell_unlike(pages: int) -> None:
    if pages:
        print(
            f"{counted(pages, 'page')} of PDFs, of files with several pages or turned to be read: boxes do not fit "
            "the scans, but the pictures that --pictures writes",
            file=sys.stderr,
        )
