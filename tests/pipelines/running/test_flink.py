"""What is asked of Flink's own interface; that its jobs do end is tried in tests/deploy."""

import logging
import socket

import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from pipelines.running import flink

CLUSTER = ["--runner=FlinkRunner", "--flink_master=localhost:8081"]


@pytest.mark.parametrize(
    ("options", "address"),
    [
        (CLUSTER, "http://localhost:8081"),
        (
            ["--runner", "FlinkRunner", "--flink_master", "https://flink.example/cluster/"],
            "https://flink.example/cluster",
        ),
        (["--runner=flinkrunner", "--flink_master=a:1"], "http://a:1"),
        (["--runner=FlinkRunner", "--flink_master=[local]"], None),
        (["--runner=FlinkRunner", "--flink_master=[auto]"], None),
        (["--runner=FlinkRunner"], None),
        (["--runner=FnApiRunner"], None),
        (["--runner=DataflowRunner", "--flink_master=a:1"], None),
        ([], None),
    ],
)
def test_address_of_the_cluster(options, address):
    assert flink.master(options) == address


def name(options):
    return PipelineOptions(options).view_as(GoogleCloudOptions).job_name


def test_jobs_on_a_cluster_are_named_after_their_run():
    assert name(flink.with_job_name(CLUSTER, "night-1")) == "inkbeam-night-1"
    assert name(flink.with_job_name([*CLUSTER, "--job_name=letters"], "night-1")) == "letters-night-1"


@pytest.mark.parametrize("options", [["--runner=FnApiRunner"], ["--runner=FlinkRunner", "--flink_master=[local]"]])
def test_other_jobs_keep_their_options(options):
    assert flink.with_job_name(options, "night-1") == options


def test_cluster_that_does_not_answer_is_told_of(caplog):
    with socket.socket() as nobody:
        nobody.bind(("localhost", 0))
        address = f"localhost:{nobody.getsockname()[1]}"
    with caplog.at_level(logging.WARNING):
        flink.cancel(["--runner=FlinkRunner", f"--flink_master={address}"], "night-1")
    assert "job inkbeam-night-1 has ended" in caplog.text


@pytest.mark.parametrize(
    "answer", ["{}", "[]", '{"jobs": [{"jid": "1"}]}', '{"jobs": [{"name": "inkbeam-night-1"}]}', "<html>"]
)
def test_answer_that_is_none_of_flink_is_told_of(caplog, monkeypatch, answer):
    monkeypatch.setattr(flink, "_ask", lambda address, path, method="GET": answer.encode())
    with caplog.at_level(logging.WARNING):
        flink.cancel(CLUSTER, "night-1")
    assert "job inkbeam-night-1 has ended" in caplog.text


def test_no_cluster_is_asked_about_local_jobs(caplog):
    with caplog.at_level(logging.WARNING):
        flink.cancel(["--runner=FnApiRunner"], "night-1")
    assert caplog.text == ""
