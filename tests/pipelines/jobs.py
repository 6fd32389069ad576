"""Jobs run as a user runs them, and what they left behind."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines import cli
from tests.conftest import REPOSITORY


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def inkbeam(*arguments: str | Path) -> Done:
    """Run a command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    handler = signal.getsignal(signal.SIGTERM)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = cli.main([str(a) for a in arguments])
    except SystemExit as error:  # argparse
        code = error.code
    finally:
        signal.signal(signal.SIGTERM, handler)
    return Done(code, out.getvalue(), err.getvalue())


def python(code: str, *arguments: str | Path) -> subprocess.CompletedProcess:
    """Run Python code in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=REPOSITORY,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def files(folder: Path) -> dict[str, str]:
    """Every file under a folder by its path there, with a checksum."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def run_ids(output: Path) -> list[str]:
    """Committed runs, the latest last."""
    records = [json.loads(p.read_bytes()) for p in (output / "runs").glob("*.json")]
    return [r["run_id"] for r in sorted(records, key=lambda r: r["finished_at"])]


def table(output: Path, name: str, run: str = "*") -> pa.Table:
    """What a plain glob of a table shows."""
    paths = sorted((output / name).glob(f"run={run}/*.parquet"))
    return pa.concat_tables(pq.ParquetFile(p).read() for p in paths)


def rows(output: Path, name: str, run: str = "*") -> list[dict]:
    """Rows of a table as a plain glob shows them."""
    return table(output, name, run).to_pylist() if any((output / name).glob(f"run={run}/*.parquet")) else []


def page_of(row: dict) -> tuple[str, int]:
    """File name and page of a row."""
    return Path(row["document_uri"]).name, row["page_index"]
