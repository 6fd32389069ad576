"""Two DAGs for Airflow 3: every night the new scans, on Sundays the small files of the week put together.

Copy it to Airflow's folder of DAGs. inkbeam is called as a program, so that it needs no place in Airflow's environment.
What to do about an exit code: 0 and 1 are done (1 fails the task, so that someone looks; the rows are kept), 2 needs a
hand and is not tried again, 3 is.
"""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

INKBEAM = os.environ.get("INKBEAM", "/opt/inkbeam/bin/inkbeam")
SCANS = os.environ.get("INKBEAM_INPUT", "/srv/scans")
ARCHIVE = os.environ.get("INKBEAM_OUTPUT", "/srv/archive")
MEANING = {
    1: "done, but more pages failed than --max-failure-rate allows: inkbeam status tells which",
    2: "input, output, model or options cannot be used, or another run is at work: the log tells why",
}


def inkbeam(*arguments: str) -> None:
    """Run a command of inkbeam; its exit code decides whether Airflow tries again."""
    code = subprocess.run([INKBEAM, *arguments], check=False).returncode
    if code in MEANING:
        raise AirflowFailException(f"exit code {code}: {MEANING[code]}")
    if code:
        raise AirflowException(f"exit code {code}: the job broke, what it had committed is kept")


DEFAULTS = {
    # One output has one run at a time; inkbeam would refuse the second.
    "max_active_runs": 1,
    "start_date": datetime(2026, 1, 1),
    "catchup": False,
    "default_args": {"retries": 2, "retry_delay": timedelta(minutes=20)},
    "tags": ["inkbeam"],
}


@dag(schedule="0 1 * * *", **DEFAULTS)
def inkbeam_nightly():
    @task
    def digitize() -> None:
        inkbeam("digitize", "--input", SCANS, "--output", ARCHIVE, "--max-failure-rate", "0.02")

    digitize()


@dag(schedule="0 12 * * 0", **DEFAULTS)
def inkbeam_weekly():
    @task
    def compact() -> None:
        # A night may last until then: its end is waited for, ten hours at most.
        inkbeam("compact", ARCHIVE, "--wait", "600")

    compact()


inkbeam_nightly()
inkbeam_weekly()
