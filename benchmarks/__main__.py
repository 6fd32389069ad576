"""Prints the tables of ``make bench``: recogniser, segmentation, whole job, and Tesseract on the same pages.

Usage: ``python -m benchmarks [--pages N]``. Speeds are of this machine at this moment; the ratios, taken in one run,
are what compares.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.jobs import digitize, tesseract, usual_decoder
from benchmarks.pages import data_folder, measured_pages, page_cer, page_count
from htr_model.readers.page_truth import TruePage
from htr_model.recognizer import Recognizer
from pipelines.evaluation.ground_truth import load_page
from pipelines.job import DEFAULT_MODEL
from pipelines.steps.layouts import text_images
from pipelines.steps.recognising import RecognizerHandler, recognise
from pipelines.steps.units import TextImage
from segmentation.page import segment_upright

console = Console(width=110)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    return table


def _seconds(function: Callable[[], object]) -> float:
    """Median time of three calls, after one that does not count."""
    function()
    times = []
    for _ in range(3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def usual_recognizer() -> Recognizer:
    """What `inkbeam digitize` reads with when it is told nothing."""
    decoder, language_model = usual_decoder()
    return RecognizerHandler(DEFAULT_MODEL, 64, decoder=decoder, language_model=language_model).load_model()


def _images(pages: list[TruePage], recognizer: Recognizer, unit: str) -> list[TextImage]:
    images: list[TextImage] = []
    for page in map(load_page, pages):
        images += text_images(page.ref, segment_upright(page.gray).segmented, unit, recognizer.normalization)
    return images


def bench_recogniser(pages: list[TruePage], recognizer: Recognizer) -> None:
    """Words and lines a second by batch size."""
    table = _table("Recogniser alone", "batch size", "words/s", "lines/s")
    words = _images(pages[:4], recognizer, "word")[:512]
    lines = _images(pages, recognizer, "line")[:128]
    for size in (1, 8, 32, 128):
        rates = []
        for images in (words, lines):
            part = images[: max(64, size)] if size < 8 else images

            def read(part=part, size=size):
                for i in range(0, len(part), size):
                    recognise(part[i : i + size], recognizer)

            rates.append(len(part) / _seconds(read))
        table.add_row(str(size), *(f"{r:.0f}" for r in rates))
    console.print(table)


def bench_segmentation(pages: list[TruePage]) -> None:
    """Pages a second on one thread: the line network has no more, and jobs read several pages at once instead."""
    grays = [load_page(page).gray for page in pages]
    table = _table("Segmentation alone", "threads", "pages/s", "seconds a page")
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    seconds = _seconds(lambda: [segment_upright(g) for g in grays]) / len(grays)
    cv2.setNumThreads(threads)
    table.add_row("1", f"{1 / seconds:.2f}", f"{seconds:.3f}")
    console.print(table)


def plain_loop(pages: list[TruePage], recognizer: Recognizer) -> float:
    """Seconds of a loop over the same functions without Beam: read, decode, segment, recognise page by page."""
    start = time.perf_counter()
    for page in pages:
        recognise(_images([page], recognizer, "line"), recognizer)
    return time.perf_counter() - start


def bench_job(collections: dict[str, list[TruePage]], recognizer: Recognizer) -> None:
    """The whole job beside a plain loop and Tesseract."""
    table = _table(
        "Whole job (start-up included)", "collection", "pages", "pages/s", "greedy", "of loop", "MB", "× Tesseract",
        "CER %", "greedy %", "word %", "Tesseract %",
    )  # fmt: skip
    for name, pages in collections.items():
        plain_loop(pages[:1], recognizer)
        loop = len(pages) / plain_loop(pages, recognizer)
        line = digitize(pages)
        greedy = digitize(pages, "--decoder", "greedy")
        word = digitize(pages, "--unit", "word")
        other = tesseract(pages, "fra" if name == "copiste" else "eng")
        rate = len(pages) / line.seconds
        table.add_row(
            name,
            str(len(pages)),
            f"{rate:.2f}",
            f"{len(pages) / greedy.seconds:.2f}",
            f"{line.pages_per_second_inside / loop:.2f}",
            f"{line.peak_megabytes:.0f}",
            f"{rate * other.seconds / len(pages):.1f}" if other else "–",
            f"{100 * page_cer(pages, line.texts):.1f}",
            f"{100 * page_cer(pages, greedy.texts):.1f}",
            f"{100 * page_cer(pages, word.texts):.1f}",
            f"{100 * page_cer(pages, other.texts):.1f}" if other else "–",
        )
    console.print(table)


def main() -> None:
    """Run all benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--pages", type=page_count, metavar="N", help="at most so many pages of each collection")
    arguments = parser.parse_args()
    if data_folder() is None:
        console.print("No real pages (INKBEAM_DATA, ../shared/data): measuring on the samples.")
    measured = measured_pages(arguments.pages)
    console.print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    recognizer = usual_recognizer()
    first = next(iter(measured.values()))[:12]
    bench_recogniser(first, recognizer)
    bench_segmentation(first)
    bench_job(measured, recognizer)


if __name__ == "__main__":
    main()
