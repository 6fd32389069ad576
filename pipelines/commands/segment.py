"""``inkbeam segment``: lines, words and reading order, drawn."""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import cv2

from pipelines import exit_codes
from pipelines.options.lines import add_lines_option, segmentation_settings
from pipelines.options.outputs import writing
from pipelines.wording import counted
from segmentation.decoding import DecodingError, DecodingSettings, PageRef, check_bytes, count_pages, decode_page
from segmentation.drawing.overlay import draw_overlay
from segmentation.page import SegmentationSettings, UprightPage, segment_upright

SUMMARY = "find lines and words and draw them on the pages"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pages", nargs="+", metavar="PAGE", help="files, folders or globs")
    parser.add_argument("--output", required=True, metavar="DIR", help="folder for the pictures")
    add_lines_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Draw lines, words and reading order on every page; 1 when a page could not be read."""
    # Beam's file systems take two seconds to load.
    from pipelines.files import configure
    from pipelines.inputs import find, refuse_among_scans

    configure([])
    segmentation = segmentation_settings(arguments.lines)
    output = Path(arguments.output)
    documents = find(arguments.pages)
    refuse_among_scans(arguments.pages, (document.uri for document in documents), arguments.output, "--output")
    with writing(f"--output {output}"):
        output.mkdir(parents=True, exist_ok=True)
    failed = sum(_draw(document, segmentation, output) for document in documents)
    return exit_codes.TOO_MANY_FAILURES if failed else exit_codes.DONE


def _draw(document, segmentation: SegmentationSettings, output: Path) -> int:
    """Draw a document's pages; how many failed, 1 for a document that cannot be read."""
    from pipelines.files import page_stem, read_bytes

    settings = DecodingSettings()
    try:
        check_bytes(document.size, document.uri, settings)
        data = read_bytes(document.uri)
        pages = count_pages(data, document.uri, settings)
    except (OSError, DecodingError) as error:
        print(f"failed, left out: {error}", file=sys.stderr)
        return 1
    # Once for all pages of a volume.
    sha256 = hashlib.sha256(data).hexdigest()
    failed = 0
    for index in range(pages):
        try:
            page = decode_page(data, PageRef(document.uri, index), settings, sha256)
            upright = segment_upright(page.gray, segmentation)
        except Exception as error:  # of whatever kind: it costs this page
            failed += 1
            named = "" if isinstance(error, DecodingError) else f"{document.uri}, page {index + 1}: "
            print(f"failed, left out: {named}{error}", file=sys.stderr)
            continue
        _draw_page(upright, output / f"{page_stem(document.uri, index, pages)}.png")
    return failed


def _draw_page(upright: UprightPage, path: Path) -> None:
    """Draw a page's lines and words, and say what was found."""
    layout = upright.segmented.layout
    words = [line.word_boxes() for line in layout.lines]
    picture = draw_overlay(upright.gray, [line.box for line in layout.lines], words)
    with writing(f"--output {path}"):
        path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    regions = len({line.region for line in layout.lines})
    print(
        f"{path}: {counted(len(layout.lines), 'line')}{f' in {regions} regions' if regions > 1 else ''}, "
        f"{counted(sum(map(len, words)), 'word')}, "
        f"{f'turned by {upright.turn}°, ' if upright.turn else ''}skew {layout.skew_degrees:+.1f}°, "
        f"x-height {layout.x_height:.0f} px, "
        f"{layout.discarded_share:.0%} of the ink left out"
    )
