"""A folder of pictures and tables that shows what a recogniser reads well and badly."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from htr_model.data.samples import Sample
from htr_model.scoring import errors, plots
from htr_model.scoring.calibration import Bin, reliability
from htr_model.scoring.evaluation import Evaluation
from htr_model.scoring.metrics import ErrorRates

_GRID = 32
"""Pictures in the grid."""
_LISTED = 20
"""Rows of the page's own list of confusions; the CSV file has all."""

PAGE = "report.md"


@dataclass(frozen=True)
class Rival:
    """Another program's result on the same pictures."""

    name: str
    overall: ErrorRates
    by_collection: dict[str, ErrorRates]
    seconds: float

    @property
    def samples_per_second(self) -> float:
        return self.overall.samples / self.seconds


def write(folder: Path, title: str, samples: list[Sample], result: Evaluation, rival: Rival | None = None) -> None:
    """Write (or write anew) the report: a Markdown page, PNG pictures and CSV tables."""
    folder.mkdir(parents=True, exist_ok=True)
    confusions = errors.confusions(result.outcomes)
    characters = errors.by_character(result.outcomes)
    lengths = errors.by_length(result.outcomes)
    writers = errors.by_writer(result.outcomes)
    bins = reliability([w.confidence for w in result.words], [w.right for w in result.words])

    (folder / "grid.png").write_bytes(plots.png(grid(samples, result)))
    plots.edit_distances(errors.edit_distances(result.outcomes), folder / "edit_distances.png")
    plots.confusion_matrix(confusions, characters, folder / "confusion_matrix.png")
    plots.errors_by_character(characters, folder / "by_character.png")
    plots.rates_by_group(lengths, "characters in the truth", folder / "by_length.png")
    plots.reliability(_reliability_curves(result), folder / "reliability.png")
    if writers:
        plots.rates_by_group(writers, "writer, the worst read first", folder / "by_writer.png")

    _table(
        folder / "confusions.csv",
        ("written", "read", "kind", "count"),
        ((*chunk, errors.kind(chunk), count) for chunk, count in confusions.most_common()),
    )
    _table(
        folder / "by_character.csv",
        ("character", "written", "read", "right", "precision", "recall", "f1"),
        ((c, e.written, e.read, e.right, e.precision, e.recall, e.f1) for c, e in characters.items()),
    )
    names = tuple(f.name for f in fields(ErrorRates))
    groups = {"by_length": ("length", lengths), "by_writer": ("writer", writers)}
    for name, (label, rates) in groups.items():
        _table(folder / f"{name}.csv", (label, *names), ((g, *asdict(r).values()) for g, r in rates.items()))
    _table(folder / "reliability.csv", tuple(f.name for f in fields(Bin)), (asdict(b).values() for b in bins))
    (folder / PAGE).write_text(_page(title, result, confusions, writers, rival), encoding="utf-8")


def grid(samples: list[Sample], result: Evaluation) -> np.ndarray:
    """Some of the pictures with truth and reading: uint8 (h, w, 3) RGB. The same ones for the same samples."""
    chosen = np.random.default_rng(0).permutation(len(samples))[:_GRID]
    return plots.prediction_grid([(samples[i].gray, samples[i].text, result.predictions[i].text) for i in chosen])


def _reliability_curves(result: Evaluation) -> dict[str, list[Bin]]:
    """Reliability over all words, and of each collection where there are several."""
    curves = {"all": result.words}
    if len(result.by_collection) > 1:
        curves |= {name: [w for w in result.words if w.group.startswith(f"{name}/")] for name in result.by_collection}
    return {name: reliability([w.confidence for w in ws], [w.right for w in ws]) for name, ws in curves.items() if ws}


def _table(path: Path, header: tuple[str, ...], rows: Iterable) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([round(v, 6) if isinstance(v, float) else v for v in row] for row in rows)


def _page(title: str, result: Evaluation, confusions, writers: dict[str, ErrorRates], rival: Rival | None) -> str:
    lines = [f"# {title}", "", *_rate_rows(result, rival), ""]
    lines.append(f"{result.seconds:.1f} s, {result.samples_per_second:.1f} samples/s.")
    if rival:
        lines.append(f"{rival.name}: {rival.seconds:.1f} s, {rival.samples_per_second:.1f} samples/s.")
    lines += [
        "",
        "CER, WER: character and word edits per true character and word. Words: true words read to the letter.",
        "Exact: pictures read to the letter. Precision and recall: share of the characters read, and of the true",
        "ones, that are right.",
        "",
        "## Samples",
        "",
        "Truth in grey, reading in black, errors in red (a dot: a character was missed).",
        "",
        "![Pictures with truth and reading](grid.png)",
        "",
        "## Most frequent errors",
        "",
        "| written | read | times |",
        "|---|---|---|",
        *(f"| {_cell(a)} | {_cell(b)} | {n:,} |" for (a, b), n in confusions.most_common(_LISTED)),
        "",
        *_unequal(confusions),
        "All of them: [confusions.csv](confusions.csv).",
        "",
        "![Which character is read as which](confusion_matrix.png)",
        "",
        "![Edit distances](edit_distances.png)",
        "",
        "## By character, length and writer",
        "",
        "![Errors by character](by_character.png)",
        "",
        "![CER by length](by_length.png)",
        "",
    ]
    if writers:
        worst = list(writers.items())[0]
        lines += [
            f"{len(writers)} writers are named; {worst[0]} is read worst (CER {100 * worst[1].cer:.1f} %).",
            "",
            "![CER by writer](by_writer.png)",
            "",
        ]
    lines += [
        "## Confidence",
        "",
        f"Expected calibration error of {len(result.words):,} words: {result.calibration_error:.3f} (0 is perfect).",
        "",
        "![Reliability](reliability.png)",
        "",
        "Tables: [by_character.csv](by_character.csv), [by_length.csv](by_length.csv), [by_writer.csv](by_writer.csv),",
        "[reliability.csv](reliability.csv).",
        "",
    ]
    return "\n".join(lines)


def _unequal(confusions) -> list[str]:
    """The most frequent cases of one character taken for two or two for one."""
    found = [(a, b, n) for (a, b), n in confusions.most_common() if {len(a), len(b)} == {1, 2}]
    if not found:
        return []
    shown = ", ".join(f"{_cell(a)} → {_cell(b)} {n}" for a, b, n in found[:8])
    return [f"One for two or two for one: {shown}.", ""]


def _rate_rows(result: Evaluation, rival: Rival | None) -> list[str]:
    header = "| | samples | CER % | WER % | words % | exact % | precision % | recall % | F1 % | edits a picture |"
    rows = [header, "|---" * 10 + "|"]
    several = len(result.by_collection) > 1
    for name, rates in {**result.by_collection, **({"all": result.overall} if several else {})}.items():
        rows.append(_rate_row(name, rates))
        if rival:
            other = rival.overall if name == "all" and several else rival.by_collection[name]
            rows.append(_rate_row(f"{name}, {rival.name}", other))
    return rows


def _rate_row(name: str, r: ErrorRates) -> str:
    shares = (r.cer, r.wer, r.word_accuracy, r.accuracy, r.precision, r.recall, r.f1)
    figures = " | ".join(f"{100 * v:.2f}" for v in shares)
    return f"| {name} | {r.samples:,} | {figures} | {r.mean_edit_distance:.2f} |"


def _cell(text: str) -> str:
    """Characters as a Markdown table can hold them."""
    shown = text.replace("`", "'").replace("|", "\\|").replace(" ", "␣")
    return f"`{shown}`" if text else "nothing"
