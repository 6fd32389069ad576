"""Pictures of a training run and of an evaluation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image, ImageDraw

from htr_model.scoring.errors import CharacterErrors, Chunk, align
from htr_model.scoring.metrics import ErrorRates
from htr_model.tiles import fitted
from segmentation.drawing.lettering import font

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

    from htr_model.scoring.calibration import Bin

_DPI = 110
_BARS = 40
"""Most bars of a chart: more cannot be labelled legibly."""


def _figure(width: float, height: float) -> Figure:
    # Matplotlib takes most of a second to import, and whoever only measures needs none of it.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def training_curves(history: list[dict], path: Path) -> None:
    """Write loss (training and validation) and validation CER by epoch as a PNG.

    Args:
        history: rows with ``epoch``, ``loss``, ``validation_loss``, ``cer`` (0–1) and ``cer_<collection>``.
    """
    figure = _figure(9, 3.6)
    left, right = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    left.plot(epochs, [row["loss"] for row in history], marker=".", label="training")
    left.plot(epochs, [row.get("validation_loss", np.nan) for row in history], marker=".", label="validation")
    left.set(xlabel="epoch", ylabel="CTC loss per character (nats)", yscale="log")
    left.legend(fontsize="small")
    for key in [k for k in history[-1] if k.startswith("cer_")]:
        right.plot(epochs, [100 * row.get(key, np.nan) for row in history], label=key[4:], linewidth=1)
    right.plot(epochs, [100 * row["cer"] for row in history], "k", marker=".", label="mean")
    right.set(xlabel="epoch", ylabel="validation CER (%)", ylim=(0, None))
    _plain(right.legend(fontsize="small"))
    figure.savefig(path, dpi=_DPI)


def _plain(legend: Legend) -> None:
    """Show the names in a legend as they are: Matplotlib takes what stands between dollars for formulas."""
    for text in legend.get_texts():
        text.set_parse_math(False)


_TILE = (300, 64)
"""Width and height of a picture in the grid, pixels; the two rows of text stand below it."""
_TEXT, _COLUMNS = 17, 4
_RIGHT, _WRONG, _TRUTH = (20, 20, 20), (205, 0, 0), (110, 110, 110)


def prediction_grid(examples: list[tuple[np.ndarray, str, str]]) -> np.ndarray:
    """Pictures, each with its truth (grey) and below it what was read, errors in red: uint8 (h, w, 3) RGB.

    A red dot stands where a character is missing.

    Args:
        examples: picture uint8 (h, w), truth and prediction.
    """
    width, height = _TILE
    cell_width, cell_height = width + 16, height + 3 * _TEXT + 14
    rows = max(1, -(-len(examples) // _COLUMNS))
    canvas = Image.new("RGB", (_COLUMNS * cell_width, rows * cell_height), (255, 255, 255))
    pen = ImageDraw.Draw(canvas)
    for i, (gray, truth, prediction) in enumerate(examples):
        left, top = i % _COLUMNS * cell_width + 8, i // _COLUMNS * cell_height + 6
        picture = fitted(gray, width, height)
        canvas.paste(Image.fromarray(picture), (left, top + (height - picture.shape[0]) // 2))
        letters = font(min(_TEXT, max(7, int(_TEXT * width / max(1.0, font(_TEXT).getlength(truth + "··"))))))
        pen.text((left, top + height + 3), truth, _TRUTH, letters)
        x = float(left)
        for written, read in align(truth, prediction):
            shown = read or "·"
            pen.text((x, top + height + 5 + _TEXT * 1.3), shown, _RIGHT if written == read else _WRONG, letters)
            x += letters.getlength(shown)
    return np.asarray(canvas)


def png(pixels: np.ndarray) -> bytes:
    """RGB pixels, uint8 (h, w, 3), as a PNG file."""
    return cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()


def edit_distances(counts: Counter[int], path: Path) -> None:
    """Write a histogram of character edits per picture as a PNG; the last bar holds all larger ones too."""
    longest = min(max(counts), 20)
    heights = [sum(n for d, n in counts.items() if min(d, longest) == x) for x in range(longest + 1)]
    figure = _figure(6, 3.4)
    axes = figure.subplots()
    axes.bar(range(longest + 1), heights, color="#4477aa")
    axes.set_xticks(range(longest + 1), [*map(str, range(longest)), f"{longest}" + ("+" * (max(counts) > longest))])
    axes.set(xlabel="edit distance (characters)", ylabel="pictures")
    figure.savefig(path, dpi=_DPI)


def confusion_matrix(confusions: Counter[Chunk], characters: dict[str, CharacterErrors], path: Path) -> None:
    """Write what is read in place of each character as a PNG: rows written, columns read, % of the row.

    The characters most often confused are shown, in the alphabet's order; the last column counts those that
    were not read at all, the last row those read where nothing was written.
    """
    involved: Counter[str] = Counter()
    for (written, read), count in confusions.items():
        for character in {*written, *read}:
            involved[character] += count
    chosen = sorted(c for c, _ in involved.most_common(_BARS))
    place = {c: i for i, c in enumerate(chosen)} | {"": len(chosen)}
    shares = np.zeros((len(place), len(place)))
    for (written, read), count in confusions.items():
        if written in place and read in place:
            shares[place[written], place[read]] += count
    for character in chosen:
        shares[place[character], place[character]] = characters[character].right
    totals = np.array([*(characters[c].written for c in chosen), max(1.0, shares[-1].sum())])
    shares = 100 * shares / np.maximum(totals, 1)[:, None]
    side = 2.2 + 0.19 * len(place)
    figure = _figure(side + 0.8, side)
    axes = figure.subplots()
    # The root lets a confusion of 2 % be seen beside the diagonal.
    image = axes.imshow(shares, cmap="Blues", norm=_root_scale())
    labels = [_visible(c) for c in chosen]
    axes.set_xticks(range(len(place)), [*labels, "none"], fontsize=8, parse_math=False)
    axes.set_yticks(range(len(place)), [*labels, "none"], fontsize=8, parse_math=False)
    axes.get_xticklabels()[-1].set_rotation(90)
    axes.set(xlabel="read", ylabel="written")
    figure.colorbar(image, label="% of the row", shrink=0.7)
    figure.savefig(path, dpi=_DPI)


def _visible(character: str) -> str:
    """A character as an axis can show it."""
    return "␣" if character == " " else character


def _root_scale():
    from matplotlib.colors import PowerNorm

    return PowerNorm(0.5, vmin=0, vmax=100)


def rates_by_group(rates: dict[object, ErrorRates], label: str, path: Path) -> None:
    """Write the CER of each group as a PNG, with the number of pictures above each bar."""
    shown = list(rates.items())[:_BARS]
    figure = _figure(max(5.0, 1.5 + 0.26 * len(shown)), 3.8)
    axes = figure.subplots()
    heights = [100 * r.cer for _, r in shown]
    places, names = range(len(shown)), [str(name) for name, _ in shown]
    bars = axes.bar(places, heights, color="#4477aa")
    axes.bar_label(bars, [f"{r.samples}" for _, r in shown], fontsize=6, padding=1)
    axes.set_xticks(places, names, parse_math=False)
    axes.tick_params(axis="x", rotation=90 if max(map(len, names)) > 2 else 0, labelsize=8)
    title = "number of pictures above the bars" + (f"; the first {_BARS} of {len(rates)}" * (len(rates) > _BARS))
    axes.set_title(title, fontsize=8)
    axes.set(xlabel=label, ylabel="CER (%)")
    figure.savefig(path, dpi=_DPI)


def errors_by_character(characters: dict[str, CharacterErrors], path: Path) -> None:
    """Write the share of misread occurrences of the most frequent characters as a PNG, counts above the bars."""
    shown = [(c, e) for c, e in characters.items() if e.written][:60]
    figure = _figure(10, 3.6)
    axes = figure.subplots()
    places = range(len(shown))
    bars = axes.bar(places, [100 * e.error_rate for _, e in shown], color="#4477aa")
    axes.bar_label(bars, [str(e.written) for _, e in shown], fontsize=5, padding=1, rotation=90)
    axes.set_xticks(places, [_visible(c) for c, _ in shown], fontsize=8, parse_math=False)
    axes.set(xlabel="character, the most frequent first", ylabel="read wrong or not at all (%)")
    figure.savefig(path, dpi=_DPI)


def reliability(curves: dict[str, list[Bin]], path: Path) -> None:
    """Write how often words are right that were given a certain confidence, as a PNG.

    Args:
        curves: name → bins of confidence, as `calibration.reliability` makes them.
    """
    figure = _figure(5.2, 5)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for name, bins in curves.items():
        upper.plot([b.confidence for b in bins], [b.accuracy for b in bins], marker=".", label=name)
        lower.step([b.confidence for b in bins], [b.words for b in bins], where="mid", label=name)
    upper.set(ylabel="share of words that are right", xlim=(0, 1), ylim=(0, 1))
    _plain(upper.legend(fontsize="small"))
    lower.set(xlabel="confidence", ylabel="words")
    figure.savefig(path, dpi=_DPI)
