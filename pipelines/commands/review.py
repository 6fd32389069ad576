"""``inkbeam review``: web pages to compare an archive with its scans, and to correct it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.options.archive import add_archive_options
from pipelines.options.outputs import writing
from pipelines.wording import counted

if TYPE_CHECKING:
    from pipelines.archive.reading import Archive
    from pipelines.corrections import Corrections
    from pipelines.losses import Losses
    from pipelines.review.pages import WebPages

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
    """Write the pages and say where; 1 when a scan could not be shown because it has changed or is gone, or a
    correction not be used."""
    with hold_back_native_output():
        from pipelines.archive.reading import open_archive
        from pipelines.corrections import Corrections
        from pipelines.files import absolute, is_local
        from pipelines.losses import Losses
        from pipelines.review.pages import WebPages, assets, entries

    if arguments.lowest is not None and arguments.lowest < 1:
        raise UsageError(f"--lowest must be at least 1, got {arguments.lowest!r}")
    whole, folder, lost = open_archive(arguments.archive), absolute(arguments.output), Losses()
    whole.refuse_among_scans(arguments.output, "--output")
    whole.refuse_among_tables(arguments.output, "--output")
    # A folder on this machine may hold corrections.
    corrections = Corrections(Path(folder), lost) if is_local(folder) and Path(folder).is_dir() else None
    archive = _chosen(whole, whole.of_documents(arguments.documents), corrections, arguments.lowest)
    listed = entries(archive.pages)
    web = WebPages(listed)
    for name, data in assets().items():
        _write(folder, name, data)
    corrected = _write_pages(folder, archive, web, corrections, lost)
    # Last, so that it leads to pages that are there.
    title = f"{archive.output.rpartition('/')[2]}: {counted(len(listed), 'page')}"
    _write(folder, "index.html", web.index(title, corrected))
    if corrections:
        former = {name for name in whole.former().names() if not corrections.holds(name)}
        _remove_pages(Path(folder), former | set(whole.names()) - {entry.name for entry in listed})
        for message in corrections.left_over(whole.pictures()):
            print(f"not taken: {message}", file=sys.stderr)
    print(f"{counted(len(listed), 'page')}: {folder}/index.html")
    return lost.exit_code


def _chosen(whole: Archive, chosen: Archive, corrections: Corrections | None, lowest: int | None) -> Archive:
    """The pages of a review: those that were chosen, and those that were saved before, which stay in it.

    Args:
        lowest: of those chosen that nobody has corrected, how many; None for all.
    """
    saved = set(filter(corrections.holds, whole.names())) if corrections else set()
    if lowest is None:
        names = saved | set(chosen.names())
        return whole.where(lambda name: name in names)
    import pyarrow as pa

    corrected = corrections.taken(whole.pictures()) if corrections else set()
    left = chosen.where(lambda name: name not in corrected).with_lowest_confidence(lowest)
    others = saved - set(left.names())
    done = whole.where(lambda name: name in others)
    return replace(whole, pages=pa.concat_tables([left.pages, done.pages]))


def _write_pages(
    folder: str, archive: Archive, web: WebPages, corrections: Corrections | None, lost: Losses
) -> set[str]:
    """Write the pages and their pictures; names of the pages that are shown as they were corrected."""
    from pipelines.archive.page_pictures import LostPicture, Pictures, jpeg

    pictures = Pictures(archive.records)
    corrected = set()
    for page in archive.transcripts():
        missing = None
        try:
            picture = jpeg(pictures.picture(page.source))
            _write(folder, page.review_picture, picture)
        except LostPicture as error:
            missing = str(error)
            lost(error)
        saved = corrections and corrections.of(page)
        if saved is not None:
            corrected.add(page.name)
        _write(folder, f"{page.name}.html", web.page(page, saved, missing))
    return corrected


def _write(folder: str, name: str, data: bytes) -> None:
    from pipelines.files import join, write_bytes

    with writing(f"--output {join(folder, name)}"):
        write_bytes(join(folder, name), data)


def _remove_pages(folder: Path, names: set[str]) -> None:
    """Remove pages of an earlier review, and their pictures: their links lead through a list that is no more."""
    from pipelines.archive.picture_names import page_of

    for path in list(folder.iterdir()):
        page = path.stem if path.suffix == ".html" else page_of(path.name)
        if page in names:
            path.unlink()
