"""``inkbeam export``: an archive's pages for other programs."""

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

SUMMARY = "write the pages of an archive as text, ALTO or PAGE files, searchable PDF, tables as CSV"
PDF = "pdf"
FORMATS = ("text", "alto", "page", "csv", PDF)
_XML = ("alto", "page")
_NOTHING = {"csv": "no page has a table", PDF: "no document can be shown"}
"""Why there is no file of a format."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Each page is written once, as its latest run read it, under its document's name and a hash of its path, "
        "like the overlays; a PDF holds the pages of a document. Files of an earlier export are replaced."
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
    """Write the files and say how many; 1 when a page's picture could not be made again."""
    with hold_back_native_output():
        from pipelines.archive.page_pictures import Pictures
        from pipelines.archive.reading import open_archive
        from pipelines.corrections import Corrections
        from pipelines.exports import document_files, page_files, without_picture
        from pipelines.files import absolute, join, write_bytes

    of_documents = arguments.to == PDF
    if of_documents and arguments.pictures:
        raise UsageError("--to pdf holds the pictures; leave --pictures out")
    folder = absolute(arguments.output)
    archive = open_archive(arguments.archive, arguments.documents)
    archive.refuse_among_tables(arguments.output, "--output")
    if of_documents or arguments.pictures:
        archive.refuse_among_scans(arguments.output, "--output")
    lost = []

    def tell_lost(error: Exception) -> None:
        lost.append(error)
        print(f"failed: {error}", file=sys.stderr)

    pictures = Pictures(archive.records)
    corrections, corrected = Corrections(Path(arguments.corrections)) if arguments.corrections else None, 0

    def as_corrected(page):
        nonlocal corrected
        page = corrections.applied(page) if corrections else page
        corrected += page.corrected
        return page

    if of_documents:
        documents = (list(map(as_corrected, document)) for document in archive.documents())
        made = document_files(documents, pictures, tell_lost)
    else:
        pages = map(as_corrected, archive.transcripts())
        made = page_files(pages, arguments.to, pictures if arguments.pictures else None, tell_lost)
    count = 0
    for files in made:
        for name, data in files.items():
            path = join(folder, name)
            with writing(f"--output {path}"):
                write_bytes(path, data)
        count += 1
    if count:
        taken = f" ({counted(corrected, 'page')} as corrected)" if corrections else ""
        print(f"{counted(count, 'document' if of_documents else 'page')}{taken}: {folder}")
    else:
        print(f"nothing was written: {_NOTHING.get(arguments.to, 'no page has been read')}")
    unlike = without_picture(archive.pages) if arguments.to in _XML and not arguments.pictures else 0
    if unlike:
        print(
            f"{counted(unlike, 'page')} of PDFs, of files with several pages or turned to be read: boxes do not fit "
            "the scans, but the pictures that --pictures writes",
            file=sys.stderr,
        )
    return exit_codes.TOO_MANY_FAILURES if lost else exit_codes.DONE
