import subprocess
import sys

import pytest

from pipelines.archive import lease


@pytest.fixture
def dead_process():
    """Number and start of a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = lease._process_start(process.pid)
    process.communicate(b"\n")
    return {"pid": process.pid, "process_started": started}
