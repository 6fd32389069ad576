"""Jobs on Flink: embedded, and on a cluster whose task managers and workers are killed.

``make test-flink`` runs them; without Java and Maven they are skipped.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter

import pytest

from deploy.flink import cluster as flink
from deploy.flink import demo, job_server
from tests.conftest import REPOSITORY
from tests.pipelines.conftest import write_letter
from tests.pipelines.drawing import LETTER
from tests.pipelines.jobs import files, page_of, rows, run_ids

pytestmark = pytest.mark.flink

LINES = (*LETTER, "Come before Easter", "if the roads allow", "nine boxes", "of old papers", "and ink")
PAGES = 6
JOB_SECONDS = 180
"""More than a job takes beside other work: one that hangs must fail its test, not stop all others."""


@pytest.fixture(scope="module")
def jar() -> str:
    """The job server; where it cannot be had the test is skipped."""
    try:
        return job_server.jar()
    except job_server.Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def last_begin(jar) -> float:
    """When the last test may begin: so many seconds after the first one as INKBEAM_FLINK_SECONDS says, if it does."""
    return time.monotonic() + float(os.environ.get("INKBEAM_FLINK_SECONDS", "inf"))


@pytest.fixture(autouse=True)
def in_time(last_begin):
    """Leaves tests out for which a slow machine has no time: nothing else ends them before they can fail."""
    if time.monotonic() > last_begin:
        pytest.skip("INKBEAM_FLINK_SECONDS are over: this machine is too slow for all tests on Flink")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Six pages and a broken one."""
    folder = tmp_path_factory.mktemp("archive")
    for number in range(PAGES):
        write_letter(folder / "scans" / f"page{number}.png", (LINES[number], LINES[number + 1]))
    (folder / "scans" / "torn.png").write_bytes(b"\x89PNG torn")
    return folder


@pytest.fixture(scope="module")
def begin(archive, tiny_bundle):
    """Begins a job over the archive in a process of its own, with a name for its output."""
    begun = []

    def begin(name, *options) -> subprocess.Popen:
        job = ["digitize", "--input", archive / "scans", "--output", archive / name, "--model", tiny_bundle]
        command = [sys.executable, "-m", "pipelines.cli", *job, "--max-failure-rate", "1", *options]
        begun.append(
            subprocess.Popen(
                [str(a) for a in command],
                cwd=REPOSITORY,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            )
        )
        return begun[-1]

    yield begin
    for process in begun:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def digitize(begin):
    """Runs a job to its end; its exit code and messages."""

    def run(*arguments) -> tuple[int, str]:
        process = begin(*arguments)
        messages = process.communicate(timeout=JOB_SECONDS)[1]
        return process.returncode, messages

    return run


@pytest.fixture(scope="module")
def local(archive, digitize):
    """Output of the job on this machine."""
    code, messages = digitize("local")
    assert code == 0, messages
    return archive / "local"


@pytest.fixture(scope="module")
def cluster(jar, tmp_path_factory):
    """Two task managers; a slot more on each than a job uses."""
    folder = tmp_path_factory.mktemp("flink")
    yield flink.start(folder, task_managers=2, slots=2)
    flink.stop(folder)


@pytest.fixture(scope="module")
def eventful(cluster, archive):
    """Beam's options for a job on the cluster that something happens to, and the files that tell of it."""

    def options(event: str, *places: str):
        boot = archive / f"boot-{event}-{'-'.join(places)}"
        command = [sys.executable, "-m", "tests.deploy.struck_worker", event, ",".join(places), str(archive)]
        boot.write_text(f'#!/bin/sh\ncd {shlex.quote(str(REPOSITORY))} && exec {shlex.join(command)} "$@"\n')
        boot.chmod(0o755)
        flags = [archive / f"{event}-{place}" for place in places]
        return flink.beam_options(cluster.address, 2, str(boot), cluster.job_server), flags

    return options


def processes() -> str:
    return subprocess.run(["ps", "-ww", "-A", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout


def assert_same(output, local):
    """An output holds one committed run, the rows of the local one, and nothing that a dead attempt left."""
    assert demo.differences(output, local) == []
    assert Counter(map(page_of, rows(output, "pages"))) == {(f"page{i}.png", 0): 1 for i in range(PAGES)}
    (run,) = run_ids(output)
    strays = [f for f in files(output) if f"run={run}/part-" not in f]
    assert strays == [f"runs/{run}.json"]


def test_embedded_flink_gives_the_rows_of_this_machine(jar, archive, digitize, local):
    options = ("--runner=FlinkRunner", "--flink_master=[local]", f"--flink_job_server_jar={jar}", "--parallelism=1")
    code, messages = digitize("embedded", *options)
    assert code == 0, messages
    assert_same(archive / "embedded", local)


def test_pages_are_read_by_both_task_managers(cluster, archive, digitize, eventful, local):
    options, (notes,) = eventful("note", "segmentation")
    code, messages = digitize("both", *options)
    assert code == 0, messages
    assert_same(archive / "both", local)
    pages = Counter(map(int, notes.read_text().split()))
    assert set(pages) == {p.pid for p in cluster.processes if p.name.startswith("task-manager")}
    assert sum(pages.values()) == PAGES


@pytest.mark.parametrize("places", [("segmentation", "recognition", "writing"), ("renaming", "commit")])
def test_workers_are_killed(places, archive, digitize, eventful, local):
    options, flags = eventful("kill", *places)
    code, messages = digitize(f"worker-{places[0]}", "--attempts=2", *options)
    assert [flag.name for flag in flags if not flag.exists()] == [], "nobody was killed there"
    assert code == 0, messages
    assert_same(archive / f"worker-{places[0]}", local)


def test_job_that_is_ended_on_the_cluster_is_begun_again(cluster, archive, begin, eventful, local):
    options, (flag,) = eventful("stall", "assembly")
    job = begin("again", "--attempts=2", *options)
    wait_until(flag.exists, job)
    first = last_job(cluster)
    request = urllib.request.Request(f"http://{cluster.address}/jobs/{first['jid']}?mode=cancel", method="PATCH")
    urllib.request.urlopen(request, timeout=60).close()
    flag.write_text("go on")
    messages = job.communicate(timeout=JOB_SECONDS)[1]
    assert job.returncode == 0, messages
    assert "attempt 1 of 2 failed" in messages
    assert_same(archive / "again", local)
    (run,) = run_ids(archive / "again")
    assert run.endswith("-try2")
    assert last_job(cluster)["name"] == f"inkbeam-{run}"


def test_job_that_is_interrupted_is_cancelled_and_leaves_nothing(cluster, archive, begin, eventful):
    options, (flag,) = eventful("stall", "segmentation")
    job = begin("interrupted", *options)
    wait_until(flag.exists, job)
    assert last_job(cluster)["state"] == "RUNNING"
    job.send_signal(signal.SIGINT)
    wait_until(lambda: last_job(cluster)["state"] != "RUNNING", job)
    flag.write_text("go on")
    messages = job.communicate(timeout=JOB_SECONDS)[1]
    assert job.returncode == 3, messages
    assert last_job(cluster)["state"] == "CANCELED"
    assert files(archive / "interrupted") == {}


def wait_until(happened, job: subprocess.Popen) -> None:
    """Return when something has happened while a job was at work."""
    deadline = time.monotonic() + JOB_SECONDS
    while not happened():
        assert job.poll() is None, job.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def last_job(cluster) -> dict:
    return max(flink.rest(cluster.address, "jobs/overview")["jobs"], key=lambda job: job["start-time"])


def test_task_manager_is_killed(cluster, archive, digitize, eventful, local):
    """The last of the jobs: the cluster has one task manager after it."""
    options, (flag,) = eventful("kill-parent", "recognition")
    code, messages = digitize("task-manager", "--attempts=2", *options)
    assert flag.exists(), "nobody was killed"
    assert code == 0, messages
    assert_same(archive / "task-manager", local)
    assert flink.overview(cluster.address)["taskmanagers"] == 1
    present = flink.living()
    (dead,) = [p for p in cluster.processes if p.pid not in present]
    assert dead.name.startswith("task-manager")
    assert dead.pid not in {entry.group for entry in present.values()}, "its Python worker lives on"


def test_stopping_the_cluster_leaves_no_process(cluster, archive):
    assert str(cluster.folder) in processes()
    flink.stop(cluster.folder)
    left = [line for line in processes().splitlines() if str(cluster.folder) in line or str(archive) in line]
    assert left == []
    flink.stop(cluster.folder)
