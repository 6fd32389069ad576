"""Where things lie in an output folder."""

from __future__ import annotations

from pipelines.archive.rows import TABLES
from pipelines.files import join

RUNS, COMPACTIONS = "runs", "compacted"
"""An output's folders beside its tables'."""
STAGED_SUFFIX = ".staged"
"""What the name of a table's file ends with until it is put into place."""


def commit_path(output: str, run_id: str) -> str:
    """The file that makes a run count."""
    return join(output, RUNS, f"{run_id}.json")


def manifest_path(output: str, compaction_id: str) -> str:
    """The file that makes a compaction count (`pipelines.archive.manifests`)."""
    return join(output, COMPACTIONS, f"{compaction_id}.json")


def table_folder(output: str, table: str, run_id: str) -> str:
    """Where a run, or a compaction, writes its rows of a table."""
    return join(output, table, f"run={run_id}")


def table_folders(output: str, run_id: str) -> list[str]:
    """Where a run, or a compaction, writes its rows, table by table."""
    return [table_folder(output, table, run_id) for table in TABLES]


def run_of(path: str) -> str:
    """Name of the run, or compaction, in whose folder a table's file lies."""
    return path.replace("\\", "/").rsplit("/", 2)[-2].removeprefix("run=")


def staged(name: str) -> str:
    """Name of a table's file before it is put into place: one that globs, Spark and pyarrow pass over."""
    return f"_{name}{STAGED_SUFFIX}"
