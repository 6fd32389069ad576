import os
import subprocess
import sys

import pytest

ARENAS = """
import threading
from pipelines.running import memory
{first}
held = []
def work():
    held.append([bytearray(1000) for _ in range(100)])
    barrier.wait()
barrier = threading.Barrier(17)
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
barrier.wait()
import ctypes
ctypes.CDLL(None).malloc_stats()
"""


def arenas(first: str, environment: dict[str, str]) -> int:
    """Arenas that sixteen threads of a process of its own allocate from, as glibc counts them."""
    done = subprocess.run(
        [sys.executable, "-c", ARENAS.format(first=first)],
        capture_output=True,
        text=True,
        check=True,
        env={**{k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"}, **environment},
    )
    return done.stderr.count("Arena ")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="arenas are glibc's")
def test_threads_share_two_arenas_unless_the_environment_says_otherwise():
    if arenas("", {}) <= 2:
        pytest.skip("this C library has no arenas for threads")
    assert arenas("memory.keep_little()", {}) <= 2
    assert arenas("memory.keep_little()", {"MALLOC_ARENA_MAX": "5"}) > 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="arenas are glibc's")
def test_processes_started_afterwards_share_two_arenas_as_well():
    code = (
        "import os; from pipelines.running import memory; memory.keep_little(); print(os.environ['MALLOC_ARENA_MAX'])"
    )
    environment = {k: v for k, v in os.environ.items() if k != "MALLOC_ARENA_MAX"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["2"]


HOLES = """
from pipelines.running import memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

held = [bytes(1000) for _ in range(200_000)]
last = held[-1]  # what lies behind the others keeps them from being given back by themselves
del held
before = resident()
memory.give_back()
print(before - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="holes are given back by glibc")
def test_memory_that_is_free_below_what_is_in_use_is_given_back():
    environment = {**os.environ, "PYTHONMALLOC": "malloc"}
    done = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, check=True, env=environment)
    assert int(done.stdout) > 50_000_000
