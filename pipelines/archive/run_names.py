"""Names of runs and compactions, which become parts of paths."""

from __future__ import annotations

import datetime
import re
import secrets

COMPACTED = "compacted-"
"""What the name of a compaction begins with, and that of no run."""


def dated_name(prefix: str = "") -> str:
    """A name for a run or a compaction: the time, and what tells apart two of one second."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return f"{prefix}{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def is_run_name(name: str) -> bool:
    """Whether a run or a compaction may have this name, which becomes part of paths."""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", name) is not None
