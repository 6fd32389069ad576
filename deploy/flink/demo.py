"""What ``make flink-demo`` runs: the sample pages on a Flink cluster and on this machine, and whether the rows agree.

Usage: ``python -m deploy.flink.demo``: starts a cluster of two task managers, submits, stops it again. With ``--master
HOST:PORT --worker COMMAND`` an existing cluster is used, whose task managers see the same files as this machine.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq

from deploy.flink import cluster, job_server

REPOSITORY = Path(__file__).resolve().parents[2]
OUTPUT = REPOSITORY / "out" / "flink-demo"
KINDS = (".png", ".jpg", ".tiff", ".pdf")
OF_THE_RUN = {"run_id", "processed_at", "failed_at"}
"""Columns that say when and by which run a row was written."""
CONFIDENCE_TOLERANCE = 1e-3
"""Sums of floats depend on how pictures were padded, so on what else was in their batch; texts do not."""


def differences(one: Path, other: Path) -> list[str]:
    """In which way the tables of two outputs differ, a sentence each; empty when they hold the same rows."""
    found = []
    for table in ("words", "pages", "failures"):
        left, right = _rows(one, table), _rows(other, table)
        if len(left) != len(right):
            found.append(f"{table}: {len(left)} rows against {len(right)}")
            continue
        pairs = zip(left, right, strict=True)
        found += [f"{table}: {a} against {b}" for a, b in pairs if not _alike(a, b)]
    return found


def _rows(output: Path, table: str) -> list[dict]:
    paths = sorted((output / table).glob("run=*/*.parquet"))
    rows = [row for path in paths for row in pq.ParquetFile(path).read().to_pylist()]
    rows = [{name: value for name, value in row.items() if name not in OF_THE_RUN} for row in rows]
    places = ("document_uri", "page_index", "line_index", "word_index", "stage", "message")
    return sorted(rows, key=lambda row: [str(row.get(name, "")).rjust(8) for name in places])


def _alike(a, b) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, abs_tol=CONFIDENCE_TOLERANCE)
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_alike, a, b))
    return a == b


def digitize(output: Path, inputs: list[Path], options: list[str]) -> float:
    """Seconds that a job took, start to end.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "pipelines.cli", "digitize", "--output", output, "--input", *inputs, *options]
    started = time.monotonic()
    subprocess.run([str(part) for part in command], cwd=REPOSITORY, check=True)
    return time.monotonic() - started


@contextlib.contextmanager
def cluster_options(master: str | None, worker: str, parallelism: int) -> Iterator[list[str]]:
    """Beam's options for an existing cluster, or for one that lives as long as this context."""
    if master:
        yield cluster.beam_options(master, parallelism, worker, job_server.jar())
        return
    folder = OUTPUT / "cluster"
    cluster.stop(folder)
    print(f"starting a Flink cluster with {parallelism} task managers (logs: {folder}/log)", flush=True)
    started = cluster.start(folder, task_managers=parallelism, slots=2)
    try:
        yield cluster.beam_options(started.address, parallelism, worker, started.job_server)
    finally:
        cluster.stop(folder)
        print("the cluster is down", flush=True)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.flink.demo", description=__doc__.split("\n")[0])
    parser.add_argument("--master", metavar="HOST:PORT", help="an existing cluster, in place of one started here")
    parser.add_argument(
        "--worker", metavar="COMMAND", help="inkbeam-worker on the task managers (default: the one here)"
    )
    parser.add_argument("--parallelism", type=int, default=2, metavar="N", help="default: %(default)s")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    pages = sorted(p for p in (REPOSITORY / "samples").iterdir() if p.suffix in KINDS)
    on_flink, here = OUTPUT / "flink", OUTPUT / "local"
    for folder in (on_flink, here):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        worker = arguments.worker or cluster.worker_command()
        with cluster_options(arguments.master, worker, arguments.parallelism) as options:
            flink_seconds = digitize(on_flink, pages, options)
        local_seconds = digitize(here, pages, [])
    except (cluster.ClusterError, job_server.Unavailable, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    found = differences(on_flink, here)
    for difference in found[:10]:
        print(difference)
    count = {table: len(_rows(on_flink, table)) for table in ("pages", "words", "failures")}
    verdict = f"{len(found)} differences between" if found else "the same rows from"
    print(
        f"\n{verdict} Flink and this machine: {count['pages']} pages, {count['words']} words, "
        f"{count['failures']} failures (Flink {flink_seconds:.0f} s, here {local_seconds:.0f} s)"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
