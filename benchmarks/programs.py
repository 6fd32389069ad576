"""Programs that are measured from their start to their end."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Usage:
    """What a program took.

    Attributes:
        seconds: of the clock.
        cpu_seconds: of processors, over all its processes that have ended.
        peak_megabytes: memory of its largest process.
    """

    seconds: float
    cpu_seconds: float
    peak_megabytes: float


def run_measured(command: Sequence[str], **popen) -> Usage:
    """Run a program.

    Args:
        popen: arguments of `subprocess.Popen`.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, **popen)
    # Its own figures: those of all children together would keep the peak of an earlier program.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Usage(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
