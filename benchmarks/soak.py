"""Memory of a long job against that of a short one: ``make soak``.

Usage: ``python -m benchmarks.soak [--pages 3000] [--early 300] [--workers 1]``. The same few cards, the tops of pages,
are read over and over under names of their own: all that differs between the jobs is how long they run. What grows
with the pages shows as a larger peak of the longer job.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import COLLECTIONS, data_folder, repeated, sample_pages, validation_pages, write_cards
from benchmarks.programs import run_measured

ALLOWED_GROWTH = 0.10


@dataclass(frozen=True)
class Soak:
    """A job's number of pages, time and the memory of its largest process."""

    pages: int
    seconds: float
    peak_megabytes: float


def run(pages: list[Path], count: int, options: list[str]) -> Soak:
    """``inkbeam digitize`` on ``count`` scans."""
    with tempfile.TemporaryDirectory() as folder:
        scans = repeated(Path(folder) / "scans", pages, count)
        command = [sys.executable, "-m", "pipelines.cli", "digitize", "--input", str(scans)]
        usage = run_measured([*command, "--output", f"{folder}/tables", *options], stdout=subprocess.DEVNULL)
    return Soak(count, usage.seconds, usage.peak_megabytes)


def main() -> int:
    """Run both jobs and print their figures; 1 when the longer one needed more memory than is allowed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, default=3000, help="pages of the long job (default: 3000)")
    parser.add_argument("--early", type=int, default=300, help="pages of the short job (default: 300)")
    parser.add_argument("--workers", type=int, default=1, help="processes of each job (default: 1)")
    arguments = parser.parse_args()
    chosen = [p for c in COLLECTIONS for p in validation_pages(c, 5)] if data_folder() else sample_pages()
    with tempfile.TemporaryDirectory() as folder:
        pages = write_cards(Path(folder), chosen)
        soaks = []
        for count in (arguments.early, arguments.pages):
            soak = run(pages, count, [f"--workers={arguments.workers}"])
            print(f"{soak.pages:6d} pages  {soak.seconds:8.1f} s  peak {soak.peak_megabytes:7.0f} MB", flush=True)
            soaks.append(soak)
    short, long = soaks
    growth = long.peak_megabytes / short.peak_megabytes - 1
    print(f"growth {growth:+.1%}, allowed {ALLOWED_GROWTH:+.0%}")
    return int(growth > ALLOWED_GROWTH)


if __name__ == "__main__":
    sys.exit(main())
