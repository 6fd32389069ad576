"""How well damaged pages are read: ``python -m benchmarks.damage [--pages 4]``.

Validation pages of the real collections (`benchmarks.pages.data_folder`), else the samples, are read as they are and
then small, skewed, turned, photocopied and so on, each kind of damage by one whole job. The same pages are damaged in
the same way each time.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.jobs import digitize
from benchmarks.pages import measured_pages, page_cer, page_count
from htr_model.readers.page_truth import TruePage
from pipelines.evaluation.ground_truth import load_page

Damage = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""A grey page, uint8 (height, width), and what chance is drawn from → the damaged page."""


def levels(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def grainy(gray: np.ndarray, rng: np.random.Generator, deviation: float) -> np.ndarray:
    return levels(gray + rng.normal(0, deviation, gray.shape))


def _resized(gray: np.ndarray, factor: float) -> np.ndarray:
    return cv2.resize(gray, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def _skewed(gray: np.ndarray, degrees: float) -> np.ndarray:
    h, w = gray.shape
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = round(h * sin + w * cos), round(h * cos + w * sin)
    turn[:, 2] += (size[0] - w) / 2, (size[1] - h) / 2
    return cv2.warpAffine(gray, turn, size, borderValue=float(np.median(gray)))


def bilevel(gray: np.ndarray) -> np.ndarray:
    """Black and white by a local threshold, as many scanners store pages."""
    smooth = cv2.GaussianBlur(gray, (0, 0), 0.6)
    return cv2.adaptiveThreshold(smooth, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 41, 14)


def _peppered(gray: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """Black dots of one to five pixels."""
    peppered = gray.copy()
    for _ in range(count):
        centre = int(rng.integers(gray.shape[1])), int(rng.integers(gray.shape[0]))
        cv2.circle(peppered, centre, int(rng.integers(3)), 0, -1)
    return peppered


def _photocopied(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hard contrast, specks, and the black border of an open lid."""
    paper = float(np.median(gray))
    hard = levels((gray - 0.55 * paper) / (0.3 * paper) * 255)
    return cv2.copyMakeBorder(_peppered(hard, rng, 1500), 60, 90, 120, 50, cv2.BORDER_CONSTANT, value=12)


def _ruled(gray: np.ndarray) -> np.ndarray:
    """Grey rules across the sheet, through the writing as often as between it."""
    ruled = gray.copy()
    for y in range(40, gray.shape[0], 46):
        cv2.line(ruled, (0, y), (gray.shape[1], y + 6), 130, 2)
    return ruled


def _shadowed(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The soft shadow of a telephone takes two thirds of the light of half the sheet."""
    h, w = gray.shape
    y, x = np.mgrid[0 : 1 : h * 1j, 0 : 1 : w * 1j]
    light = 1 - 0.65 / (1 + np.exp(-14 * (x + 0.5 * y - 0.8)))
    return levels(0.9 * gray * light + 8 + rng.normal(0, 4, gray.shape))


def _on_a_table(gray: np.ndarray) -> np.ndarray:
    """Photographed askew on a dark table."""
    h, w = gray.shape
    sheet = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    seen = sheet + np.array([[80, 60], [-20, 10], [-90, -30], [20, -100]], np.float32)
    return cv2.warpPerspective(gray, cv2.getPerspectiveTransform(sheet, seen), (w, h), borderValue=70)


def jpeg(gray: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)


DAMAGES: dict[str, Damage] = {
    "as they are": lambda gray, rng: gray,
    "half as large": lambda gray, rng: _resized(gray, 0.5),
    "a third as large": lambda gray, rng: _resized(gray, 0.35),
    "skewed by 4°": lambda gray, rng: _skewed(gray, 4),
    "skewed by 8°": lambda gray, rng: _skewed(gray, -8),
    "on their side": lambda gray, rng: cv2.rotate(gray, cv2.ROTATE_90_CLOCKWISE),
    "on their head": lambda gray, rng: cv2.rotate(gray, cv2.ROTATE_180),
    "JPEG of quality 8": lambda gray, rng: jpeg(gray, 8),
    "grain of 25 grey levels": lambda gray, rng: grainy(gray, rng, 25),
    "grain of 40 grey levels": lambda gray, rng: grainy(gray, rng, 40),
    "a quarter of the contrast": lambda gray, rng: levels(138 + 0.25 * gray + rng.normal(0, 3, gray.shape)),
    "out of focus": lambda gray, rng: cv2.GaussianBlur(gray, (0, 0), 2.2),
    "black and white": lambda gray, rng: bilevel(gray),
    "fax: half as large, black and white, specks": lambda gray, rng: _peppered(bilevel(_resized(gray, 0.5)), rng, 800),
    "photocopy: hard, specks, black border": _photocopied,
    "rules through the writing": lambda gray, rng: _ruled(gray),
    "a deep, soft shadow": _shadowed,
    "askew on a dark table": lambda gray, rng: _on_a_table(gray),
    "negative": lambda gray, rng: 255 - gray,
}


def damaged(pages: list[TruePage], damage: Damage, folder: Path) -> list[TruePage]:
    """The pages with damaged pictures, which are written to ``folder``."""
    results = []
    for i, page in enumerate(pages):
        path = folder / f"{i:03}.png"
        cv2.imwrite(str(path), damage(load_page(page).gray, np.random.default_rng(i)))
        results.append(replace(page, picture=path))
    return results


def main() -> None:
    """Read the pages under each kind of damage and print the character error rates."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.damage", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=page_count, default=4, metavar="N", help="of each collection; default: 4")
    number = parser.parse_args().pages
    measured = measured_pages(number)
    pages = [page for of_collection in measured.values() for page in of_collection]
    table = Table("page CER %", *(f"{name}, {len(of_name)} pages" for name, of_name in measured.items()))
    for kind, damage in DAMAGES.items():
        with tempfile.TemporaryDirectory() as scratch:
            texts = digitize(damaged(pages, damage, Path(scratch)), "--max-failure-rate", "1").texts
        read = iter(texts)
        table.add_row(kind, *(f"{100 * page_cer(p, list(islice(read, len(p)))):.1f}" for p in measured.values()))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
