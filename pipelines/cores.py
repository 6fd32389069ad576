"""The processor cores that this process may use."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """How many there are, at least 1: of a machine's those that taskset, Slurm or a cpuset leave to this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS and Windows tell no more
