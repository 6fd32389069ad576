"""What the same job costs on this machine and on Flink: ``python -m benchmarks.flink [--pages 10 100]``.

Pages are the tops of the sample pages, cards of a few lines: what is measured is what a cluster costs, not how fast
pages are read. The model is the one inside. Seconds are counted from the command's start to its end, processor seconds
over the launcher, all that it starts, and the cluster's processes; a cluster's own start is not counted.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pages import repeated, sample_pages, write_cards
from benchmarks.programs import run_measured
from deploy.flink import cluster, demo


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock and of processors that a job took."""

    seconds: float
    cpu_seconds: float


def run(scans: Path, output: Path, options: list[str], processes: tuple[cluster.Process, ...] = ()) -> Cost:
    """``inkbeam digitize`` on some scans; ``processes`` of a cluster work for it.

    Raises:
        subprocess.CalledProcessError: the job failed.
    """
    command = [sys.executable, "-m", "pipelines.cli", "digitize", "--input", str(scans), "--output", str(output)]
    before = sum(map(_cpu_seconds, processes))
    usage = run_measured([*command, *options], cwd=demo.REPOSITORY)
    return Cost(usage.seconds, usage.cpu_seconds + sum(map(_cpu_seconds, processes)) - before)


def _cpu_seconds(process: cluster.Process) -> float:
    """Processor time of a process so far, and of those that it started and that have ended."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Run the jobs and print a row for each kind of runner."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flink", description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, nargs="+", default=[10, 100], metavar="N", help="default: 10 100")
    numbers = parser.parse_args().pages
    costs: dict[tuple[str, int], Cost] = {}
    with tempfile.TemporaryDirectory() as scratch:
        cards = write_cards(Path(scratch), sample_pages())
        scans = {number: repeated(Path(scratch) / str(number), cards, number) for number in numbers}

        def measure(name: str, options: list[str], processes: tuple[cluster.Process, ...] = ()) -> None:
            for number in numbers:
                costs[name, number] = run(scans[number], Path(scratch) / f"{name}, {number}", options, processes)

        for workers in (1, 2):
            measure(f"here, {workers} worker(s)", [f"--workers={workers}"])
        for task_managers in (1, 2):
            folder = Path(scratch) / f"cluster{task_managers}"
            started = cluster.start(folder, task_managers, slots=2)
            try:
                worker = cluster.worker_command()
                options = cluster.beam_options(started.address, task_managers, worker, started.job_server)
                measure(f"Flink, {task_managers} task manager(s)", options, started.processes)
            finally:
                cluster.stop(folder)
    print(f"\n{'':28}" + "".join(f"{f'{number:,} pages':>28}" for number in numbers))
    print(f"{'':28}" + "".join(f"{'seconds':>14}{'of processor':>14}" for _ in numbers))
    for name in dict.fromkeys(name for name, _ in costs):
        row = [costs[name, number] for number in numbers]
        print(f"{name:28}" + "".join(f"{cost.seconds:14.1f}{cost.cpu_seconds:14.1f}" for cost in row))


if __name__ == "__main__":
    main()
