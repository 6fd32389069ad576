"""Whole programs run as a user runs them, their time, memory and text."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.programs import run_measured
from htr_model.decoding.settings import DecoderSettings
from htr_model.readers.page_truth import TruePage
from pipelines.evaluation.tesseract import read_file
from pipelines.job import DEFAULT_MODEL, LanguageModelFile
from pipelines.options.decoder import add_decoder_options, chosen_decoder


@dataclass(frozen=True)
class JobResult:
    """What a program read, and what it took.

    Attributes:
        texts: of the pages in their order, empty of those that failed.
        seconds: from its start to its end.
        peak_megabytes: memory of its largest process; 0 where it was not measured.
        pages_per_second_inside: without the start of the job.
    """

    texts: list[str]
    seconds: float
    peak_megabytes: float
    pages_per_second_inside: float


def usual_decoder() -> tuple[DecoderSettings, LanguageModelFile | None]:
    """How `inkbeam digitize` reads, and with which language model, when it is told nothing."""
    parser = argparse.ArgumentParser()
    add_decoder_options(parser)
    return chosen_decoder(parser.parse_args([]), DEFAULT_MODEL)


def digitize(pages: list[TruePage], *options: str) -> JobResult:
    """``inkbeam digitize`` on some pages."""
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "inputs.txt"
        listing.write_text("\n".join(str(p.picture) for p in pages), encoding="utf-8")
        command = [sys.executable, "-m", "pipelines.cli", "digitize", "--input-list", str(listing)]
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        usage = run_measured([*command, "--output", folder, *options], **silent)
        rows = pq.read_table(Path(folder) / "pages").to_pylist()
        record = json.loads(next((Path(folder) / "runs").glob("*.json")).read_text())
    inside = datetime.fromisoformat(record["finished_at"]) - datetime.fromisoformat(record["started_at"])
    text_of = {row["document_uri"]: row["text"] for row in rows}
    texts = [text_of.get(str(p.picture), "") for p in pages]
    return JobResult(texts, usage.seconds, usage.peak_megabytes, len(pages) / inside.total_seconds())


def tesseract(pages: list[TruePage], language: str) -> JobResult | None:
    """Tesseract's command line on the same pages, one after another; None where it is not installed."""
    if shutil.which("tesseract") is None:
        return None
    started = time.perf_counter()
    texts = [read_file(page.picture, language) for page in pages]
    seconds = time.perf_counter() - started
    return JobResult(texts, seconds, 0.0, len(pages) / seconds)
