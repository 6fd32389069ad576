"""Figures of evaluated pages as tables on the screen, as files, and as pictures of the worst pages."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
from rich.console import Console
from rich.table import Table
from rich.text import Text

from htr_model.readers.page_truth import TruePage
from pipelines.evaluation.ground_truth import draw_page
from pipelines.evaluation.page_results import WORD_THRESHOLDS, PageResult
from pipelines.evaluation.summary import Summary, summarise
from pipelines.files import safe_name
from segmentation.drawing.contact_sheet import LEGEND, contact_sheet
from segmentation.page import SegmentationSettings
from segmentation.scores.line_scores import THRESHOLDS

WORST = 9
"""Pages on a contact sheet."""
_WIDTH = 110


def figures(summary: Summary) -> dict[str, float | int | None]:
    """A summary's figures by name; shares from 0 to 1, None where there was nothing to measure."""
    row: dict[str, float | int | None] = {
        "pages": summary.pages,
        "true_lines": summary.lines and summary.lines[0].true,
        "found_lines": summary.lines and summary.lines[0].found,
        "left_out_lines": summary.left_out,
    }
    for kind, scores, thresholds in (("line", summary.lines, THRESHOLDS), ("word", summary.words, WORD_THRESHOLDS)):
        for i, threshold in enumerate(thresholds):
            at = round(100 * threshold)
            row[f"{kind}_f1_{at}"] = scores[i].f1 if scores else None
            row[f"{kind}_precision_{at}"] = scores[i].precision if scores else None
            row[f"{kind}_recall_{at}"] = scores[i].recall if scores else None
    row |= {
        "coverage": summary.coverage,
        "reading_order_tau": summary.tau,
        "lost_ink": summary.lost_ink,
        "discarded_ink": summary.discarded_ink,
        "cer": summary.text and summary.text.cer,
        "wer": summary.text and summary.text.wer,
        "cer_in_true_order": summary.text_in_true_order and summary.text_in_true_order.cer,
        "bag_of_words_f1": summary.bag_of_words and summary.bag_of_words.f1,
        "cer_all": summary.text_all and summary.text_all.cer,
        "wer_all": summary.text_all and summary.text_all.wer,
        "segment_seconds": summary.segment_seconds,
        "segment_cpu_seconds": summary.segment_cpu_seconds,
        "read_seconds": summary.read_seconds,
    }
    return row


def figures_by_collection(results: list[PageResult]) -> dict[str, dict[str, float | int | None]]:
    """Figures of each collection, in the order in which they come."""
    return {name: figures(summarise(part)) for name, part in _collections(results).items()}


def _collections(results: list[PageResult]) -> dict[str, list[PageResult]]:
    parts: dict[str, list[PageResult]] = {}
    for result in results:
        parts.setdefault(result.collection, []).append(result)
    return parts


@dataclass(frozen=True)
class _Column:
    """A column of a printed table: its heading, the figure in it, by what that is multiplied and how it is rounded."""

    heading: str
    figure: str
    decimals: int = 3
    factor: int = 1

    def cell(self, row: dict[str, float | int | None]) -> str:
        value = row[self.figure]
        return "–" if value is None else f"{self.factor * value:,.{self.decimals}f}"


_LINES = (
    _Column("pages", "pages", 0),
    _Column("lines", "true_lines", 0),
    _Column("F1 .5", "line_f1_50"),
    _Column("F1 .75", "line_f1_75"),
    _Column("precision", "line_precision_50"),
    _Column("recall", "line_recall_50"),
    _Column("coverage", "coverage"),
    _Column("tau", "reading_order_tau"),
    _Column("left out", "left_out_lines", 0),
    _Column("lost ink %", "lost_ink", 1, 100),
    _Column("discarded %", "discarded_ink", 1, 100),
    _Column("s/page", "segment_seconds", 2),
)
_WORDS = (
    _Column("precision .5", "word_precision_50"),
    _Column("recall .5", "word_recall_50"),
    _Column("F1 .5", "word_f1_50"),
    _Column("precision .7", "word_precision_70"),
    _Column("recall .7", "word_recall_70"),
    _Column("F1 .7", "word_f1_70"),
)
_TEXT = (
    _Column("CER %", "cer", 1, 100),
    _Column("WER %", "wer", 1, 100),
    _Column("CER % in true order", "cer_in_true_order", 1, 100),
    _Column("bag-of-words F1", "bag_of_words_f1"),
    _Column("CER % of all that was read", "cer_all", 1, 100),
    _Column("s/page", "read_seconds", 2),
)
_NOTES = {
    "Lines by ink": "left out: lines found in places that the ground truth leaves out; they count for nothing.",
    "Word boxes": "Punctuation that the ground truth sets apart is merged into its word.",
    "Text in reading order": "Lines that are left out are left out here too, but for the last CER. "
    "In true order: lines put as the ground truth has them.",
}

_Printed = tuple[str, tuple[_Column, ...], list[tuple[str, dict]]]


def _tables(results: list[PageResult]) -> list[_Printed]:
    """Title, columns and rows of each table that has something to show."""
    rows = list(figures_by_collection(results).items())
    if len(rows) > 1:
        rows.append(("all", figures(summarise(results))))
    tables = []
    for title, columns, needed in (
        ("Lines by ink", _LINES, "true_lines"),
        ("Word boxes", _WORDS, "word_f1_50"),
        ("Text in reading order", _TEXT, "cer"),
    ):
        shown = [(name, row) for name, row in rows if row[needed] is not None]
        if shown:
            tables.append((title, columns, shown))
    return tables


def print_tables(results: list[PageResult]) -> None:
    """Print the figures of each collection."""
    console = Console(width=_WIDTH)
    for title, columns, rows in _tables(results):
        table = Table(title=title, title_justify="left", caption=_NOTES[title], caption_justify="left", padding=(0, 0))
        table.add_column("collection")
        for column in columns:
            table.add_column(column.heading, justify="right")
        for name, row in rows:
            table.add_row(Text(name), *(column.cell(row) for column in columns))
        console.print(table)


def write_report(
    folder: Path, results: list[PageResult], pages: list[TruePage], settings: SegmentationSettings | None = None
) -> list[Path]:
    """Files written: the tables in Markdown, a CSV row a page, and pictures of each collection's worst pages."""
    written = [folder / "figures.md", folder / "pages.csv"]
    written[0].write_text(_markdown(results), encoding="utf-8")
    row_of = {r.picture: figures(summarise([r])) for r in results}
    with open(written[1], "w", newline="", encoding="utf-8") as file:
        rows = [
            {"collection": r.collection, "picture": str(r.picture), "split": r.split, **row_of[r.picture]}
            for r in results
        ]
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    truths = {page.picture: page for page in pages}
    for name, part in _collections(results).items():
        ranked = sorted(part, key=lambda r: _goodness(row_of[r.picture]))
        worst = [r for r in ranked[:WORST] if _goodness(row_of[r.picture]) < _PERFECT]
        if worst:
            drawn = [draw_page(truths[r.picture], settings) for r in worst]
            legend = LEGEND if any(r.lines for r in worst) else ""
            sheet = contact_sheet(drawn, [_caption(r, row_of[r.picture]["cer"]) for r in worst], legend)
            written.append(folder / f"worst-{safe_name(name)}.png")
            encoded = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))[1]
            written[-1].write_bytes(encoded.tobytes())
    return written


_PERFECT = (1.0, 1.0, 1.0, 0.0)


def _goodness(row: dict[str, float | int | None]) -> tuple[float, ...]:
    """By which pages are put in order: by their lines, where these are known, then by what was read."""
    by_lines = (row["line_f1_50"], row["coverage"], row["line_f1_75"])
    return *(1.0 if share is None else share for share in by_lines), -(row["cer"] or 0.0)


def _caption(result: PageResult, cer: float | None) -> str:
    lines, said = result.lines, [result.picture.name]
    if lines is not None:
        missed = lines.true - lines.by_threshold[0].matched
        said.append(f"F1 {lines.by_threshold[0].f1:.2f}, {missed} of {lines.true} missed, {lines.left_out} left out")
    if cer is not None:
        said.append(f"CER {cer:.1%}")
    return "\n".join(said)


def _markdown(results: list[PageResult]) -> str:
    parts = []
    for title, columns, rows in _tables(results):
        parts.append(f"## {title}\n")
        parts.append("| collection | " + " | ".join(c.heading for c in columns) + " |")
        parts.append("|---|" + "---:|" * len(columns))
        parts += [f"| {name} | " + " | ".join(c.cell(row) for c in columns) + " |" for name, row in rows]
        parts.append(f"\n{_NOTES[title]}\n")
    return "\n".join(parts)
