"""How much can be done at once."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """Processor cores that this process may use, at least 1: fewer than the machine has where its affinity says so."""
    if hasattr(os, "sched_getaffinity"):  # macOS has none
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
