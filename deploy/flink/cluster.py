"""A standalone Flink session cluster on this machine: one job manager, some task managers, from the job server's jar.

    python -m deploy.flink.cluster start --task-managers 2     prints Beam's options for `inkbeam digitize`
    python -m deploy.flink.cluster stop                        leaves no process behind

It is for trying things and for tests. Its ports listen on localhost only, without any login.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deploy.flink import job_server

DEFAULT_FOLDER = Path("out") / "flink"
START_SECONDS = 300
STOP_SECONDS = 10

JOB_MANAGER = "org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint"
TASK_MANAGER = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
OPENED = (
    *("io", "lang", "lang.reflect", "net", "nio", "text", "time", "util"),
    *("util.concurrent", "util.concurrent.atomic", "util.concurrent.locks"),
)
"""Packages of java.base that Flink reflects on; Java has closed them since 17."""

CONFIGURATION = """\
jobmanager.rpc.address: localhost
jobmanager.rpc.port: {rpc_port}
jobmanager.bind-host: localhost
rest.address: localhost
rest.bind-address: localhost
rest.port: {port}
taskmanager.host: localhost
taskmanager.bind-host: localhost
taskmanager.numberOfTaskSlots: {slots}
taskmanager.load-balance.mode: SLOTS
io.tmp.dirs: {temporary}
# Beam's classes lie in the cluster's own jar as well as in the job's: one of the two must do.
classloader.resolve-order: parent-first
# Without Flink's shell scripts every pool of memory must be given. Shuffles of Beam's graph have many channels: with
# less network memory they wait for buffers for ever.
taskmanager.cpu.cores: {slots}
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 128m
taskmanager.memory.task.heap.size: 384m
taskmanager.memory.task.off-heap.size: 0m
taskmanager.memory.managed.size: 256m
taskmanager.memory.network.min: 384m
taskmanager.memory.network.max: 384m
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 192m
taskmanager.memory.jvm-overhead.max: 192m
# A task manager that is gone must have been noticed before the attempts are used up: two heartbeats that cannot be
# delivered tell it. One that is slow, on a busy machine, has more time.
heartbeat.interval: 2000
heartbeat.rpc-failure-threshold: 2
heartbeat.timeout: 60000
pekko.ask.timeout: 60 s
slot.request.timeout: 120000
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 10
restart-strategy.fixed-delay.delay: 3 s
"""


@dataclass(frozen=True)
class Process:
    """A started process, and what tells it from a later one with the same number."""

    name: str
    pid: int
    started: str


@dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        folder: its configuration, logs and temporary files.
        address: host and port that jobs are submitted to.
        job_server: jar that it runs, and that a job is submitted with.
    """

    folder: Path
    address: str
    job_server: str
    processes: tuple[Process, ...]


class ClusterError(Exception):
    """The cluster could not be started, or is not what was expected."""


def start(folder: Path, task_managers: int, slots: int, port: int = 0) -> Cluster:
    """A new cluster, ready for jobs.

    Args:
        folder: where it keeps its files: one that is empty, or that an earlier cluster had.
        slots: of each task manager, tasks that it runs at the same time. Spare ones let a job go on without a lost one.
        port: of the job manager; 0 takes any free one.

    Raises:
        ClusterError: one is running there already, the folder holds something else, or it did not come up.
        job_server.Unavailable: there is no jar to run.
    """
    folder = folder.resolve()
    if _state_file(folder).exists():
        raise ClusterError(f"{folder} holds a cluster; stop it first")
    jar = job_server.jar()
    if "://" in jar:
        raise ClusterError(f"a cluster needs the job server's jar on this machine, not at {jar}")
    configuration = folder / "conf" / "flink-conf.yaml"
    if folder.exists() and any(folder.iterdir()) and not configuration.exists():
        raise ClusterError(f"{folder} holds other files; name a folder of its own with --folder")
    for name in ("conf", "log", "tmp"):
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).mkdir(parents=True)
    port = port or _free_port()
    settings = CONFIGURATION.format(port=port, rpc_port=_free_port(), slots=slots, temporary=folder / "tmp")
    configuration.write_text(settings, encoding="utf-8")
    cluster = Cluster(folder, f"localhost:{port}", jar, ())
    try:
        cluster = _add(cluster, "job-manager", JOB_MANAGER)
        for number in range(1, task_managers + 1):
            cluster = _add(cluster, f"task-manager-{number}", TASK_MANAGER)
        _wait_for_slots(cluster, task_managers * slots)
    except BaseException:
        stop(folder)
        raise
    return cluster


def stop(folder: Path) -> None:
    """End every process of the cluster in a folder, and those that they started; none is no error."""
    state = _state_file(folder.resolve())
    if not state.exists():
        return
    processes = [Process(**p) for p in json.loads(state.read_text())["processes"]]
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = [p for p in processes if _signal_group(p, number)]
        deadline = time.monotonic() + STOP_SECONDS
        while any(_signal_group(p, 0) for p in left) and time.monotonic() < deadline:
            time.sleep(0.1)
    state.unlink()


def beam_options(address: str, parallelism: int, worker: str, jar: str) -> list[str]:
    """Beam's options for a job on a cluster whose task managers start Python workers as processes.

    Args:
        worker: the command ``inkbeam-worker`` as the task managers find it.
        jar: the job server.
    """
    return [
        "--runner=FlinkRunner",
        f"--flink_master={address}",
        f"--flink_job_server_jar={jar}",
        f"--parallelism={parallelism}",
        "--environment_type=PROCESS",
        f"--environment_config={json.dumps({'command': worker})}",
    ]


def worker_command() -> str:
    """The worker boot command of this Python environment.

    Raises:
        ClusterError: inkbeam is not installed in it.
    """
    command = Path(sys.executable).with_name("inkbeam-worker")
    if not command.exists():
        raise ClusterError(f"there is no {command}; install inkbeam in this environment (pip install .)")
    return str(command)


def overview(address: str) -> dict:
    """What the job manager tells of itself: ``slots-total``, ``taskmanagers`` and so on.

    Raises:
        OSError: it does not answer.
    """
    return rest(address, "overview")


def rest(address: str, path: str) -> dict:
    """An answer of the job manager's REST interface.

    Raises:
        OSError: it does not answer.
    """
    with urllib.request.urlopen(f"http://{address}/{path}", timeout=10) as answer:
        return json.load(answer)


def _add(cluster: Cluster, name: str, main_class: str) -> Cluster:
    """The cluster with one process more."""
    opened = [f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in OPENED]
    opened += ["--add-opens=java.base/sun.nio.ch=ALL-UNNAMED"]
    memory = ["-Xmx512m", "-XX:MaxDirectMemorySize=640m", "-XX:MaxMetaspaceSize=256m"]
    # The work is Python's; these processes live briefly, and spend more on compiling themselves well than it saves.
    brief = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
    command = ["java", *memory, *brief, *opened, "-cp", cluster.job_server, main_class]
    with open(cluster.folder / "log" / f"{name}.log", "wb") as log:
        # A session of its own: what it starts (the Python workers) can be ended with it, even after its own death.
        process = subprocess.Popen(
            [*command, "--configDir", str(cluster.folder / "conf")],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    entry = living().get(process.pid)
    added = Process(name, process.pid, entry.started if entry else "")
    cluster = replace(cluster, processes=(*cluster.processes, added))
    state = {"address": cluster.address, "processes": [asdict(p) for p in cluster.processes]}
    _state_file(cluster.folder).write_text(json.dumps(state, indent=1))
    return cluster


def _wait_for_slots(cluster: Cluster, slots: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        present = living()
        dead = [p.name for p in cluster.processes if p.pid not in present]
        if dead:
            log = (cluster.folder / "log" / f"{dead[0]}.log").read_text(errors="replace")
            raise ClusterError(f"{dead[0]} ended as it began: {log.strip()[-2000:]}")
        with contextlib.suppress(OSError, ValueError):
            if overview(cluster.address)["slots-total"] >= slots:
                return
        time.sleep(0.3)
    raise ClusterError(f"no {slots} slots within {START_SECONDS} s; see {cluster.folder / 'log'}")


def _signal_group(process: Process, number: int) -> bool:
    """Send a signal to a process and all that it started; whether any was there."""
    present = living()
    leader = present.get(process.pid)
    if leader is not None and leader.started != process.started:
        return False  # Its number is another's by now.
    if not any(entry.group == process.pid for entry in present.values()):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    return True


@dataclass(frozen=True)
class Living:
    """A living process: the number of its group, and when it was started, in the system's own words."""

    group: int
    started: str


def living() -> dict[int, Living]:
    """Processes that have not ended, by number."""
    found = {}
    if Path("/proc/self/stat").exists():
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = stat.read_text(errors="replace").rpartition(")")[2].split()
                if fields[0] not in "ZX":
                    found[int(stat.parent.name)] = Living(int(fields[2]), fields[19])
        return found
    command = ["ps", "-A", "-o", "pid=,pgid=,stat=,lstart="]
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        pid, group, state, *started = line.split()
        if not state.startswith("Z"):
            found[int(pid)] = Living(int(group), " ".join(started))
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


def _state_file(folder: Path) -> Path:
    return folder / "cluster.json"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.flink.cluster", description=__doc__.split("\n")[0])
    parser.add_argument("command", choices=("start", "stop"))
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="its files (default: %(default)s)")
    parser.add_argument("--task-managers", type=int, default=2, metavar="N", help="default: %(default)s")
    parser.add_argument("--slots", type=int, default=2, metavar="N", help="of each (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="of the job manager (default: %(default)s)")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if arguments.command == "stop":
        stop(arguments.folder)
        return 0
    try:
        worker = worker_command()
        cluster = start(arguments.folder, arguments.task_managers, arguments.slots, arguments.port)
    except (ClusterError, job_server.Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    options = beam_options(cluster.address, arguments.task_managers, worker, cluster.job_server)
    print("\n".join(f"'{option}'" if "{" in option else option for option in options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
