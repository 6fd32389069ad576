"""Time and memory of deciding what a night has to read: ``python -m benchmarks.nightly [--done N] [--new N]``.

Files without content and made-up tables stand for an archive: deciding that a page is done opens no page.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.jobs import usual_decoder
from benchmarks.programs import run_measured
from htr_model.bundle import DEFAULT, load
from pipelines.archive import runs
from pipelines.archive.rows import PAGES, timestamp
from pipelines.job import Job
from pipelines.wording import counted

PAGES_A_FOLDER = 1000
WORDS_A_PAGE = 200


def make_files(folder: Path, count: int) -> list[Path]:
    """Files without content in folders of a thousand, as scanning rooms make them."""
    paths = []
    for i in range(count):
        box = folder / f"box {i // PAGES_A_FOLDER:04}"
        if i % PAGES_A_FOLDER == 0:
            box.mkdir(parents=True)
        path = box / f"letter {i:07}.jpg"
        path.touch()
        paths.append(path)
    return paths


def make_runs(output: Path, done: list[Path], nights: int) -> None:
    """Committed runs that hold the files as pages of the size of a letter's text."""
    decoder, language_model = usual_decoder()
    job = Job(inputs=(), output=str(output), run_id="x", decoder=decoder, language_model=language_model)
    model_id = load(DEFAULT).id
    rng = np.random.default_rng(0)
    words = [bytes(rng.integers(97, 113, rng.integers(2, 9), dtype=np.uint8)).decode() for _ in range(5000)]
    a_night = -(-len(done) // nights)
    for night in range(nights):
        run_id = f"night-{night:04}"
        rows = [_page_row(path, run_id, words, rng) for path in done[night * a_night : (night + 1) * a_night]]
        folder = output / "pages" / f"run={run_id}"
        folder.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows, PAGES), folder / "part-00000-of-00001.parquet", compression="zstd")
        counts = {"pages": len(rows)}
        record = runs.RunRecord(run_id, "", f"{night:04}", model_id, job.fingerprint, counts, {}, {})
        runs.commit(str(output), record)


def _page_row(path: Path, run_id: str, words: list[str], rng: np.random.Generator) -> dict:
    status = os.stat(path)
    return {
        "document_uri": str(path),
        "page_index": 0,
        "source_size": status.st_size,
        "source_modified": timestamp(round(status.st_mtime, 6)),
        "text": " ".join(words[i] for i in rng.integers(0, len(words), WORDS_A_PAGE)),
        "document_pages": 1,
        "run_id": run_id,
    }


def main() -> None:
    """Print seconds and memory of ``inkbeam digitize --dry-run`` beside those of a folder with one file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nightly", description=__doc__)
    parser.add_argument("--done", type=int, default=100_000, metavar="N", help="pages that are done")
    parser.add_argument("--new", type=int, default=500, metavar="N", help="pages that are not")
    parser.add_argument("--nights", type=int, default=200, metavar="N", help="runs that read what is done")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        scans, output = Path(folder) / "scans", Path(folder) / "tables"
        paths = make_files(scans, arguments.done + arguments.new)
        make_runs(output, paths[: arguments.done], arguments.nights)
        alone = make_files(Path(folder) / "one", 1)
        for name, source, target, left in (
            ("one file, no tables", alone[0].parent, Path(folder) / "empty", 1),
            (f"{len(paths):,} files, {arguments.done:,} done", scans, output, arguments.new),
        ):
            command = [sys.executable, "-m", "pipelines.cli", "digitize", "--dry-run", "--input", str(source)]
            with tempfile.TemporaryFile("w+") as printed:
                usage = run_measured([*command, "--output", str(target)], stdout=printed, stderr=subprocess.DEVNULL)
                printed.seek(0)
                found = printed.read().splitlines()[-1]
            if not found.startswith(f"{counted(left, 'document')} would be read;"):
                raise SystemExit(f"{name}: {counted(left, 'document')} should be left, but digitize says: {found}")
            took = f"{usage.seconds:6.1f} s  {usage.cpu_seconds:6.1f} s of CPU  {usage.peak_megabytes:5.0f} MB"
            print(f"{name:32} {took}  {found}")


if __name__ == "__main__":
    main()
