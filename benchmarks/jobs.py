"""Whole programs run as a user runs them, their time, memory and text."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.pages import TruePage
from pipelines.tesseract import read_file


@dataclass(frozen=True)
class JobResult:
    """Texts of the pages in their order, seconds from start to end, and the largest process's memory in MB."""

    texts: list[str]
    seconds: float
    peak_megabytes: float
    pages_per_second_inside: float


def digitize(pages: list[TruePage], *options: str) -> JobResult:
    """``inkbeam digitize`` on some pages."""
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "inputs.txt"
        listing.write_text("\n".join(str(p.path) for p in pages), encoding="utf-8")
        command = [sys.executable, "-m", "pipelines.cli", "digitize", "--input-list", str(listing)]
        started = time.perf_counter()
        subprocess.run([*command, "--output", folder, *options], check=True, capture_output=True)
        seconds = time.perf_counter() - started
        rows = pq.read_table(Path(folder) / "pages").to_pylist()
        record = json.loads(next((Path(folder) / "runs").glob("*.json")).read_text())
    from datetime import datetime

    inside = datetime.fromisoformat(record["finished_at"]) - datetime.fromisoformat(record["started_at"])
    text_of = {row["document_uri"]: row["text"] for row in rows}
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return JobResult([text_of[str(p.path)] for p in pages], seconds, peak, len(pages) / inside.total_seconds())


def tesseract(pages: list[TruePage], language: str) -> JobResult | None:
    """Tesseract's command line on the same pages, one after another; None where it is not installed."""
    if shutil.which("tesseract") is None:
        return None
    started = time.perf_counter()
    texts = [read_file(page.path, language) for page in pages]
    seconds = time.perf_counter() - started
    return JobResult(texts, seconds, 0.0, len(pages) / seconds)
