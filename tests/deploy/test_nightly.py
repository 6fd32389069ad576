"""The files under deploy/nightly: what schedulers read of them, and that inkbeam knows the options in them."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest

from pipelines import cli
from tests.conftest import REPOSITORY

NIGHTLY = REPOSITORY / "deploy" / "nightly"
AIRFLOW = "INKBEAM_AIRFLOW_PYTHON"


def understood(words):
    """The command's arguments as inkbeam understands them."""
    arguments, rest = cli._parser().parse_known_args(words)
    assert rest == []
    return arguments


def words_after_inkbeam(text):
    """Every call of inkbeam in a text."""
    for call in re.findall(r"inkbeam ((?:digitize|compact|retry|status) (?:[^\n&|]|\\\n)*)", text.replace("\\\n", " ")):
        yield shlex.split(call.split(" 2>")[0])


@pytest.mark.parametrize(("name", "calls"), [("inkbeam.service", 2), ("inkbeam.cron", 2)])
def test_calls_are_ones_that_inkbeam_understands(name, calls):
    found = [understood(words) for words in words_after_inkbeam((NIGHTLY / name).read_text())]
    assert len(found) == calls
    assert found[0].command == "digitize"
    assert found[0].attempts == 2
    assert all(arguments.wait >= 600 for arguments in found if arguments.command == "compact"), "a night may last"


def test_lines_for_cron_have_times_a_user_and_a_command():
    lines = [x for x in (NIGHTLY / "inkbeam.cron").read_text().splitlines() if re.match(r"[0-9*]", x)]
    for line in lines:
        assert re.match(r"([0-9*]+ ){5}inkbeam inkbeam [a-z]+ .* \|\| logger ", line)
        assert "%" not in line, "cron takes it for the end of the line"


def test_systemd_accepts_the_units(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for name in ("inkbeam.service", "inkbeam.timer", "inkbeam-alert@.service"):
        text = (NIGHTLY / name).read_text().replace("/opt/inkbeam/bin/inkbeam", sys.executable)
        (tmp_path / name).write_text(text)
    units = [tmp_path / "inkbeam.service", tmp_path / "inkbeam.timer"]
    command = ["systemd-analyze", "verify", "--man=no", *map(str, units)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    complaints = [x for x in done.stderr.splitlines() if str(tmp_path) in x or "inkbeam" in x]
    assert (complaints, done.returncode) == ([], 0), done.stderr


def test_cron_job_of_kubernetes():
    yaml = pytest.importorskip("yaml")
    job = yaml.safe_load((NIGHTLY / "cronjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"], job["spec"]["concurrencyPolicy"]) == ("batch/v1", "CronJob", "Forbid")
    spec = job["spec"]["jobTemplate"]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"] == {"containerName": container["name"], "operator": "In", "values": [1, 2]}
    volumes = {v["name"] for v in spec["template"]["spec"]["volumes"]}
    assert {m["name"] for m in container["volumeMounts"]} == volumes
    program, *words = [*container["command"], *container["args"]]
    arguments = understood(words)
    mounts = [m["mountPath"] for m in container["volumeMounts"]]
    assert program == "inkbeam"
    assert (arguments.input, arguments.output, arguments.log_format) == (["/scans"], "/archive", "json")
    assert {*arguments.input, arguments.output} <= set(mounts)


def test_alerts_use_figures_that_are_written():
    yaml = pytest.importorskip("yaml")
    sources = [(REPOSITORY / "pipelines" / "running" / name).read_text() for name in ("figures.py", "telling.py")]
    written = set(re.findall(r"inkbeam_[a-z_]+", " ".join(sources)))
    written |= {f"inkbeam_{name}" for name in re.findall(r'\("([a-z_]+)", "', sources[1])}
    (group,) = yaml.safe_load((NIGHTLY / "alerts.yml").read_text())["groups"]
    used = {name for rule in group["rules"] for name in re.findall(r"inkbeam_[a-z_]+", rule["expr"])}
    assert len(group["rules"]) == 5
    assert used <= written


DAGS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
def told(dag):
    tasks = {name: [getattr(t, name) for t in dag.tasks] for name in ("task_id", "retries")}
    return {"active": dag.max_active_runs, **tasks}
print(json.dumps({"errors": bag.import_errors, "dags": {name: told(dag) for name, dag in bag.dags.items()}}))
"""
EXIT_CODES = """
import runpy, sys
from airflow.sdk.exceptions import AirflowFailException
module = runpy.run_path(sys.argv[1])
try:
    module["inkbeam"]("digitize")
    print("done")
except AirflowFailException as error:
    print("fail", error)
except Exception as error:
    print("retry", error)
"""


@pytest.fixture
def airflow(tmp_path):
    """Runs code in Airflow's own environment."""
    python = os.environ.get(AIRFLOW)
    if not python:
        pytest.skip(f"Airflow has an environment of its own: set {AIRFLOW} to its python")

    def run(code, **environment):
        home = {"AIRFLOW_HOME": str(tmp_path / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
        done = subprocess.run(
            [python, "-c", code, str(NIGHTLY / "airflow_dag.py")],
            capture_output=True, text=True, check=True, timeout=600, env={**os.environ, **home, **environment},
        )  # fmt: skip
        return done.stdout.strip().splitlines()[-1]

    return run


def test_airflow_reads_the_dags(airflow):
    found = json.loads(airflow(DAGS))
    assert found["errors"] == {}
    assert found["dags"] == {
        "inkbeam_nightly": {"active": 1, "task_id": ["digitize"], "retries": [2]},
        "inkbeam_weekly": {"active": 1, "task_id": ["compact"], "retries": [2]},
    }


@pytest.mark.parametrize(("code", "answer"), [(0, "done"), (1, "fail"), (2, "fail"), (3, "retry")])
def test_airflow_tries_again_only_what_may_get_better(airflow, tmp_path, code, answer):
    program = tmp_path / "inkbeam"
    program.write_text(f"#!/bin/sh\nexit {code}\n")
    program.chmod(0o755)
    assert airflow(EXIT_CODES, INKBEAM=str(program)).split()[0] == answer
