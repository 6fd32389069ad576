"""Flink's own interface, for what Beam does not do: end the job of a launcher that is stopped."""

from __future__ import annotations

import json
import logging
import time
import urllib.request

from apache_beam.options.pipeline_options import (
    FlinkRunnerOptions,
    GoogleCloudOptions,
    PipelineOptions,
)

from pipelines.running.beam_options import runner_name

END_SECONDS = 60
"""How long the end of a cancelled job is waited for: a batch of pages that a worker has begun is finished first."""
_ASK_SECONDS = 10
_LOOK_SECONDS = 0.5
_ENDED = ("FINISHED", "CANCELED", "FAILED")

log = logging.getLogger(__name__)


def master(beam_options: list[str]) -> str | None:
    """Address of the cluster that a job is for; None for other runners and for the Flink inside of the launcher."""
    if runner_name(beam_options) not in ("flinkrunner", "flink"):
        return None
    address = (PipelineOptions(beam_options).view_as(FlinkRunnerOptions).flink_master or "").strip().rstrip("/")
    if address.startswith("[") or not address:
        return None
    return address if "://" in address else f"http://{address}"


def with_job_name(beam_options: list[str], run_id: str) -> list[str]:
    """Beam's options, with a name by which the job of a run is found on a Flink cluster; the user's comes first."""
    if master(beam_options) is None:
        return beam_options
    return [*beam_options, f"--job_name={_job_name(beam_options, run_id)}"]


def cancel(beam_options: list[str], run_id: str) -> None:
    """End the job of a run on a Flink cluster, and wait for its end; nothing where there is none.

    Beam's own cancelling ends what waits for the job; the cluster works on.
    """
    address, name = master(beam_options), _job_name(beam_options, run_id)
    if address is None:
        return
    try:
        asked, deadline = set(), time.monotonic() + END_SECONDS
        while left := _running(address, name):
            for job in left:
                if job not in asked:
                    _ask(address, f"jobs/{job}?mode=cancel", "PATCH")
                    asked.add(job)
            if time.monotonic() > deadline:
                log.warning("%s: job %s was cancelled and has not ended yet", address, name)
                return
            time.sleep(_LOOK_SECONDS)
    except (OSError, ValueError) as error:
        log.warning("%s does not tell whether job %s has ended (%s); look there", address, name, error)


def _job_name(beam_options: list[str], run_id: str) -> str:
    given = PipelineOptions(beam_options).view_as(GoogleCloudOptions).job_name
    return f"{given or 'inkbeam'}-{run_id}"


def _running(address: str, name: str) -> list[str]:
    """Ids of the jobs of a name that have not ended.

    Raises:
        OSError, ValueError: the cluster does not say.
    """
    answer = _ask(address, "jobs/overview")
    try:
        jobs = json.loads(answer)["jobs"]
        return [job["jid"] for job in jobs if job["name"] == name and job["state"] not in _ENDED]
    except (KeyError, TypeError) as error:
        raise ValueError(f"its answer is {answer[:60]!r}") from error


def _ask(address: str, path: str, method: str = "GET") -> bytes:
    question = urllib.request.Request(f"{address}/{path}", method=method)
    with urllib.request.urlopen(question, timeout=_ASK_SECONDS) as answer:
        return answer.read()
