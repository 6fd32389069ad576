"""``inkbeam data check``: what a data set holds, and what training would leave out of it."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import exit_codes
from pipelines.errors import UsageError
from pipelines.logs import hold_back_native_output
from pipelines.options.outputs import refuse_unwritable, writing
from pipelines.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

    from htr_model.data.inspection import Inspection

SUMMARY = "say what a data set holds and what training would leave out"

_SHOWN = 20
"""Rows of a table; what is left over is counted."""
_ON_SHEET = 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Exit code: 0 all samples can be trained on, 1 some would be left out, 2 none can be."
    parser.add_argument("path", metavar="PATH", help="what train --data takes")
    parser.add_argument(
        "--charset-of", metavar="BUNDLE", help="check the texts against this bundle's symbols (default: Latin)"
    )
    parser.add_argument(
        "--contact-sheet", metavar="FILE", help=f"also draw {_ON_SHEET} samples over their texts, as .png"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="which samples are drawn (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """Print tables; 1 when samples would be left out, 0 when all can be used."""
    from rich.console import Console

    from htr_model.charset import LATIN, Charset
    from htr_model.normalization import Normalization
    from htr_model.readers.datasets import LAYOUTS, recognise

    sheet = Path(arguments.contact_sheet) if arguments.contact_sheet else None
    if sheet and sheet.suffix.lower() != ".png":
        raise UsageError(f"--contact-sheet {sheet}: its name must end in .png")
    if sheet:
        refuse_unwritable("--contact-sheet", arguments.contact_sheet)
    if arguments.seed < 0:
        raise UsageError(f"--seed must not be negative, got {arguments.seed!r}")
    source = recognise(arguments.path)
    charset, settings = Charset(LATIN), Normalization()
    with hold_back_native_output():
        from htr_model.data.inspection import inspect

        if arguments.charset_of:
            from pipelines.files import configure
            from pipelines.models import bundle_address, load_bundle

            configure([])
            bundle = load_bundle(bundle_address(arguments.charset_of), "--charset-of")
            charset, settings = bundle.charset, bundle.normalization
    found = inspect(source.read(), charset, settings, _ON_SHEET if sheet else 0, arguments.seed)
    console = Console(highlight=False)
    console.print(f"{arguments.path}: {LAYOUTS[source.layout]}", markup=False)
    _print_tables(found, console)
    if sheet and found.chosen:
        _draw(found, sheet)
        console.print(f"{sheet}: {counted(len(found.chosen), 'sample')} drawn", markup=False)
    if not found.usable:
        print(f"inkbeam data check: {arguments.path}: no sample can be trained on", file=sys.stderr)
        return exit_codes.USAGE
    return exit_codes.TOO_MANY_FAILURES if found.left_out else exit_codes.DONE


def _print_tables(found: Inspection, console: Console) -> None:
    rows = [("samples", f"{found.samples + sum(map(len, found.skipped.values())):,}")]
    rows += [("that training would use", f"{found.usable:,}"), ("that it would leave out", f"{found.left_out:,}")]
    if found.samples:
        rows += [
            ("characters of a text", _spread(found.lengths)),
            ("height of the pictures", f"{_spread(found.heights)} pixels"),
            ("width of the pictures", f"{_spread(found.widths)} pixels"),
        ]
        known = Counter({name: count for name, count in found.writers.items() if name})
        unnamed = found.writers[""]
        rows.append(("writers", f"{len(known):,}" + (f"; {unnamed:,} samples name none" if unnamed else "")))
        rows.append(("splits", _listed(found.splits, "not named")))
        rows.append(("collections", _listed(found.collections, "not named")))
    _table(console, None, ("", ""), rows)
    reasons = {**found.skipped}
    if found.unwritable:
        reasons["characters outside the charset"] = found.unwritable
    if found.narrow:
        reasons["picture too narrow for its text"] = found.narrow
    ordered = sorted(reasons.items(), key=lambda reason: -len(reason[1]))
    _table(
        console,
        "Left out",
        ("reason", "samples", "for instance"),
        [(reason, f"{len(ids):,}", ", ".join(ids[:2])) for reason, ids in ordered],
    )
    _table(
        console,
        "Characters outside the charset",
        ("character", "code point", "times"),
        [(c, f"U+{ord(c):04X}", f"{count:,}") for c, count in found.outside.most_common()],
    )
    twice = [("same id", name, "") for name in found.same_id]
    twice += [("same picture", *pair) for pair in found.same_picture]
    _table(console, "Duplicates", ("what", "sample", "the same as"), twice)


def _table(console: Console, title: str | None, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Prints a table, unless it has no rows. What comes from the data is text, never markup."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table(title=title, title_justify="left", show_header=any(columns), box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in ("samples", "times") else "left", overflow="fold")
    for row in rows[:_SHOWN]:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    console.print()
    console.print(table)
    if len(rows) > _SHOWN:
        console.print(f"… and {len(rows) - _SHOWN:,} more")


def _printable(text: str) -> str:
    """Text without what would steer a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _spread(values: list[int]) -> str:
    import statistics

    return f"{min(values):,} to {max(values):,}, median {statistics.median(values):,.0f}"


def _listed(counts: Counter[str], unnamed: str) -> str:
    names = [f"{name or unnamed} {count:,}" for name, count in counts.most_common(8)]
    return ", ".join(names) + (f", {len(counts) - 8:,} more" if len(counts) > 8 else "")


def _draw(found: Inspection, path: Path) -> None:
    import cv2

    from htr_model.data.sample_sheet import sample_sheet

    encoded = cv2.imencode(".png", sample_sheet(found.chosen))[1].tobytes()
    with writing(f"--contact-sheet {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded)
