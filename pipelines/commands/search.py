"""``inkbeam search``: words in an archive, misread ones too."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.options.archive import add_archive_options
from pipelines.options.outputs import path_ending_in, writing
from pipelines.wording import counted

if TYPE_CHECKING:
    from pipelines.losses import Losses

SUMMARY = "find words in an archive, though they were misread"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "Looks at what was read and at the recogniser's alternatives. Case, accents and punctuation make no "
        "difference. Several words must stand one behind another."
    )
    add_archive_options(parser)
    parser.add_argument("query", nargs="+", metavar="WORD", help="what to look for")
    parser.add_argument("--edits", type=int, metavar="N", help="wrong letters a word (default: 1 in 4; 0: none)")
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="places to show (default: 20)")
    parser.add_argument("--corrections", metavar="DIR", help="folder of a review: pages saved in it as corrected there")
    parser.add_argument(
        "--pictures",
        type=path_ending_in(".html"),
        metavar="FILE",
        help="also write a web page with a picture of each place",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object a place")


def run(arguments: argparse.Namespace) -> int:
    """Print the places, the surest first; 1 when one could not be shown because its scan has changed or is gone, or a
    correction not be used."""
    with hold_back_native_output():
        from pipelines.archive.reading import open_archive
        from pipelines.corrections import Corrections
        from pipelines.losses import Losses
        from pipelines.search import search, terms

    query = " ".join(arguments.query)
    wanted = terms(query, arguments.edits)
    if not any(c.isalnum() for term in wanted for c in term.text):
        raise UsageError(f"nothing to look for in {query!r}; give at least one letter or digit")
    if arguments.limit < 1:
        raise UsageError(f"--limit must be at least 1, got {arguments.limit!r}")
    if arguments.edits is not None and arguments.edits < 0:
        raise UsageError(f"--edits must be at least 0, got {arguments.edits!r}")
    longest = max(wanted, key=lambda term: len(term.text)).text
    if arguments.edits is not None and arguments.edits >= len(longest):
        raise UsageError(
            f"--edits must be less than the {counted(len(longest), 'letter')} of {longest!r}, got {arguments.edits!r}: "
            "every word of its length would be found"
        )
    whole, lost = open_archive(arguments.archive), Losses()
    archive = whole.of_documents(arguments.documents)
    corrections = Corrections(Path(arguments.corrections), lost) if arguments.corrections else None
    count, shown = search(archive, wanted, arguments.limit, corrections)
    if arguments.json:
        for hit in shown:
            print(json.dumps(_as_json(hit), ensure_ascii=False))
    else:
        _print(shown, count)
    if arguments.pictures:
        _write_pictures(arguments.pictures, query, count, shown, archive.records, lost)
        if not arguments.json:
            print(f"pictures: {arguments.pictures}")
    for message in corrections.left_over(whole.pictures()) if corrections else ():
        print(f"not taken: {message}", file=sys.stderr)
    return lost.exit_code


def _as_json(hit) -> dict:
    return {
        "document_uri": hit.page.source.ref.uri,
        "page_index": hit.page.source.ref.page_index,
        "line_index": hit.line,
        "score": hit.score,
        "edits": hit.edits,
        "reading": hit.reading,
        "line": hit.context,
        "words": [
            {"text": word.text, "confidence": word.confidence, "turn_degrees": word.turn, **asdict(word.box)}
            for word in hit.words
        ],
    }


def _print(shown: list, places: int) -> None:
    from rich.console import Console
    from rich.text import Text

    from pipelines.page_text import line_text

    console = Console(highlight=False, soft_wrap=True)
    for hit in shown:
        ref = hit.page.source.ref
        place = "" if hit.line is None else f", line {hit.line + 1}"
        console.print(Text(f"{hit.score:.2f}  {ref.uri}, page {ref.page_index + 1}{place}"))
        for words in hit.lines:
            line = Text("     ")
            for word in words:
                found = any(word is each for each in hit.words)
                line.append(" ").append(word.text, "bold reverse" if found else "")
            if words is hit.lines[-1] and hit.reading != line_text(hit.words):
                line.append(f"  ({hit.reading}?)", "dim")
            console.print(line)
    rest = f", the surest {len(shown):,} shown" if places > len(shown) else ""
    hint = "" if places else "; --edits N lets more letters of a word be wrong than one in four"
    console.print(f"{counted(places, 'place')}{rest}{hint}")


def _write_pictures(path: str, query: str, found: int, shown: list, records, lost: Losses) -> None:
    """Write the web page; ``lost`` is told of pages that can no longer be shown."""
    from pipelines.archive.page_pictures import LostPicture, Pictures
    from pipelines.files import absolute, write_bytes
    from pipelines.review.hits import cut, hits_page

    pictures = Pictures(records)
    pages = {hit.page.name: hit.page for hit in shown}
    cuts = {}
    for name, page in pages.items():
        try:
            picture = pictures.picture(page.source)
        except LostPicture as error:
            lost(f"{error} (its places are shown without a picture)")
            continue
        cuts |= {id(hit): cut(picture, hit) for hit in shown if hit.page.name == name}
    with writing(f"--pictures {path}"):
        write_bytes(absolute(path), hits_page(query, found, [(hit, cuts.get(id(hit))) for hit in shown]))
