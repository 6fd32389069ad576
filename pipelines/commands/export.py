"""``inkbeam export``: an archive's pages for other programs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace

from pipelines import exit_codes
from pipelines.archive_options import add_archive_options
from pipelines.logs import hold_back_native_output
from pipelines.options import UsageError

SUMMARY = "write the pages of an archive as text, ALTO or PAGE files, searchable PDF, tables as CSV"
PDF = "pdf"
FORMATS = ("text", "alto", "page", "csv", PDF)


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
    parser.add_argument("--output", required=True, metavar="DIR", help="folder of the files, at any URI")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and say how many; 1 when a page's picture could not be made again."""
    with hold_back_native_output():
        from pipelines.archive import open_archive
        from pipelines.files import absolute, join, write_bytes
        from pipelines.page_pictures import Pictures

    if arguments.to == PDF and arguments.pictures:
        raise UsageError("--to pdf holds the pictures; leave --pictures out")
    folder = absolute(arguments.output)
    archive = open_archive(arguments.archive, arguments.documents)
    with_pictures = arguments.pictures or arguments.to == PDF
    if with_pictures:
        archive.refuse_among_scans(arguments.output, "--output")
    wanted = _Wanted(arguments.to, Pictures(archive.records) if with_pictures else None)
    count = 0
    for files in wanted.documents(archive) if arguments.to == PDF else wanted.pages(archive):
        for name, data in files.items():
            path = join(folder, name)
            try:
                write_bytes(path, data)
            except OSError as error:
                raise UsageError(f"--output {path}: cannot be written ({error}); {count:,} were") from error
        count += 1
    print(f"{count:,} {'documents' if arguments.to == PDF else 'pages'}: {folder}/*{wanted.ending}")
    return exit_codes.TOO_MANY_FAILURES if wanted.failed else exit_codes.DONE


class _Wanted:
    """Makes the files that are wanted, and tells of pages whose pictures cannot be made again."""

    def __init__(self, form: str, pictures):
        from pipelines.formats import FORMATS as WRITERS
        from pipelines.formats import pdf

        self.ending, self._write = WRITERS.get(form, (pdf.ENDING, pdf.to_pdf))
        self._pictures = pictures
        self.failed = 0

    def pages(self, archive) -> Iterator[dict[str, bytes]]:
        """The files of one page after another, by name; pages that the format has nothing of are passed over."""
        from pipelines.page_pictures import ENDING, jpeg

        for page in archive.transcripts():
            files = {}
            gray = self._gray(page)
            if gray is not None:
                page = replace(page, picture=f"{page.name}{ENDING}")
                files[page.picture] = jpeg(gray)
            content = self._write(page)
            if content is not None:
                yield {**files, f"{page.name}{self.ending}": content}

    def documents(self, archive) -> Iterator[dict[str, bytes]]:
        """The file of one document after another; pages that cannot be shown are left out."""
        from pipelines.files import page_stem

        for document in archive.documents():
            uri = document[0].source.ref.uri
            shown = ((page, gray) for page in document if (gray := self._gray(page)) is not None)
            failed = self.failed
            content = self._write(uri.rstrip("/").rsplit("/", 1)[-1], shown)
            if self.failed - failed < len(document):
                yield {f"{page_stem(uri, 0, 1)}{self.ending}": content}

    def _gray(self, page):
        from pipelines.page_pictures import LostPicture

        if self._pictures is None:
            return None
        try:
            return self._pictures.gray(page.source)
        except LostPicture as error:
            self.failed += 1
            print(f"failed: {error}", file=sys.stderr)
            return None
