"""How well damaged words and lines are read: ``python -m benchmarks.damaged_lines [--model DIR …]``.

Validation words and lines of the real collections (`benchmarks.pages.data_folder`), cut along their true outlines, are
read as they are and then small, grainy, copied and so on. Greedy decoding: the network alone. The same pictures are
damaged in the same way each time.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.damage import Damage, bilevel, grainy, jpeg, levels
from benchmarks.pages import data_folder
from htr_model.data.samples import Sample
from htr_model.data.splits import part
from htr_model.readers.datasets import load
from htr_model.recognizer import Recognizer
from htr_model.scoring.evaluation import evaluate
from pipelines.job import DEFAULT_MODEL
from pipelines.models import load_bundle

_MEASURED = {"iam_words/validation.parquet": 400, "copiste": 110, "hooker_letters": 110, "stanford_letters": 110}
"""Data sets and how many validation samples of each are read at most."""


def _high(gray: np.ndarray, height: int) -> np.ndarray:
    """Scaled down to a height in pixels; what is lower stays."""
    if gray.shape[0] <= height:
        return gray
    width = max(4, round(gray.shape[1] * height / gray.shape[0]))
    return cv2.resize(gray, (width, height), interpolation=cv2.INTER_AREA)


def _pale(gray: np.ndarray) -> np.ndarray:
    """A third of the contrast, on grey paper."""
    return levels(110 + 0.35 * gray)


def _black_and_white(gray: np.ndarray) -> np.ndarray:
    """By one threshold for the whole picture, which thickens strokes a little."""
    level, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)
    return np.where(gray > level + 10, 255, 0).astype(np.uint8)


def _ruled(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A rule as dark as the ink, through the lower half of the letters."""
    ruled = gray.copy()
    height, width = gray.shape
    y = int(height * rng.uniform(0.55, 0.85))
    end = y + int(rng.normal(0, 0.004 * width))
    cv2.line(ruled, (0, y), (width, end), int(np.percentile(gray, 3)), max(1, height // 40))
    return ruled


def _salt_and_pepper(gray: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """Black and white dots of one to five pixels; ``share``: how many to a pixel."""
    specked = gray.copy()
    for _ in range(max(2, int(gray.size * share))):
        centre = int(rng.integers(gray.shape[1])), int(rng.integers(gray.shape[0]))
        cv2.circle(specked, centre, int(rng.integers(2)), 255 * int(rng.integers(2)), -1)
    return specked


def _copied_note(gray: np.ndarray, rng: np.random.Generator, height: int) -> np.ndarray:
    """A ruled note, photocopied, scanned in black and white and kept as a poor JPEG."""
    note = _black_and_white(_ruled(grainy(_high(gray, height), rng, 10), rng))
    return jpeg(_salt_and_pepper(note, rng, 1 / 600), 30)


DAMAGES: dict[str, Damage] = {
    "as they are": lambda gray, rng: gray,
    "32 pixels high": lambda gray, rng: _high(gray, 32),
    "22 pixels high": lambda gray, rng: _high(gray, 22),
    "out of focus": lambda gray, rng: cv2.GaussianBlur(_high(gray, 64), (0, 0), 1.6),
    "grain of 16 grey levels": lambda gray, rng: grainy(gray, rng, 16),
    "grain of 30 grey levels": lambda gray, rng: grainy(gray, rng, 30),
    "pale, 36 pixels high, grain of 8": lambda gray, rng: grainy(_pale(_high(gray, 36)), rng, 8),
    "black and white": lambda gray, rng: _black_and_white(gray),
    "black and white, local threshold": lambda gray, rng: bilevel(gray),
    "black and white, 36 pixels high": lambda gray, rng: _black_and_white(_high(gray, 36)),
    "a dark rule through the letters": _ruled,
    "specks": lambda gray, rng: _salt_and_pepper(gray, rng, 1 / 400),
    "copied note, 48 pixels high": lambda gray, rng: _copied_note(gray, rng, 48),
    "copied note, 36 pixels high": lambda gray, rng: _copied_note(gray, rng, 36),
}


def _measured(folder: Path) -> dict[str, list[Sample]]:
    """Some validation samples of each collection, always the same ones."""
    measured = {}
    for name, count in _MEASURED.items():
        samples = part(load([folder / name]).samples, "validation")
        chosen = np.random.default_rng(5).permutation(len(samples))[:count]
        measured[name.split("/")[0]] = [samples[i] for i in sorted(chosen.tolist())]
    return measured


def main() -> None:
    """Read the samples under each kind of damage and print the character error rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damaged_lines", description=__doc__.splitlines()[0])
    parser.add_argument("--model", action="append", metavar="DIR", help="a model bundle; again for more")
    models = parser.parse_args().model or [DEFAULT_MODEL]
    folder = data_folder()
    if folder is None:
        sys.exit("damaged_lines: the real collections are not there; INKBEAM_DATA names their folder")
    measured = _measured(folder)
    for model in models:
        recognizer = Recognizer(load_bundle(model))
        table = Table(f"CER %, {model}", *(f"{name}, {len(samples)}" for name, samples in measured.items()), "mean")
        for kind, damage in DAMAGES.items():
            rates = []
            for samples in measured.values():
                damaged = [replace(s, gray=damage(s.gray, np.random.default_rng(i))) for i, s in enumerate(samples)]
                rates.append(100 * evaluate(recognizer, damaged).overall.cer)
            table.add_row(kind, *(f"{rate:.1f}" for rate in [*rates, np.mean(rates)]))
        Console(width=140).print(table)


if __name__ == "__main__":
    main()
