"""Times of the same job on this machine and on Flink: ``python -m benchmarks.flink``.

Pages are copies of the sample pictures, the model is the one inside. A job is timed from the command's start to its
end; a cluster's own start is not counted.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from deploy.flink import cluster, demo

PAGES = (10, 100)
SAMPLES = demo.REPOSITORY / "samples"


def copies(folder: Path, number: int) -> list[Path]:
    """A number of sample pages, each a file of its own name."""
    folder.mkdir()
    samples = sorted(p for p in SAMPLES.iterdir() if p.suffix in (".png", ".jpg"))
    for i, sample in zip(range(number), itertools.cycle(samples), strict=False):
        shutil.copy(sample, folder / f"{i:04}-{sample.name}")
    return [folder]


def main() -> None:
    """Run the jobs and print a row for each number of pages."""
    seconds: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as scratch:
        inputs = {number: copies(Path(scratch) / str(number), number) for number in PAGES}

        def measure(name: str, options: list[str]) -> None:
            for number in PAGES:
                output = Path(scratch) / f"{name}, {number}"
                seconds[name, number] = demo.digitize(output, inputs[number], options)

        for workers in (1, 2):
            measure(f"{workers} worker(s) here", [f"--workers={workers}"])
        for task_managers in (1, 2):
            folder = Path(scratch) / f"cluster{task_managers}"
            started = cluster.start(folder, task_managers, slots=2)
            try:
                worker = cluster.worker_command()
                options = cluster.beam_options(started.address, task_managers, worker, started.job_server)
                measure(f"Flink, {task_managers} task manager(s)", options)
            finally:
                cluster.stop(folder)
    base = {number: seconds["1 worker(s) here", number] for number in PAGES}
    print(f"\n{'':28}" + "".join(f"{number:>9} pages{'':>9}" for number in PAGES))
    for name in dict.fromkeys(name for name, _ in seconds):
        cells = ((seconds[name, number], base[number] / seconds[name, number]) for number in PAGES)
        print(f"{name:28}" + "".join(f"{s:9.1f} s {ratio:6.2f} times " for s, ratio in cells))
    print("times: the speed of one worker here, in the same run")


if __name__ == "__main__":
    main()
