"""The graph on Beam's Prism runner, where its binary is given."""

import os

import pytest

from deploy.flink import demo
from tests.pipelines.conftest import write_scans
from tests.pipelines.jobs import inkbeam


def test_prism_gives_the_rows_of_the_in_process_runner(tmp_path, tiny_bundle):
    prism = os.environ.get("INKBEAM_PRISM")
    if prism is None:
        pytest.skip("INKBEAM_PRISM does not name the binary of Beam's Prism runner")
    write_scans(tmp_path / "scans")
    job = ("digitize", "--input", tmp_path / "scans", "--model", tiny_bundle)
    for name, options in (("local", ()), ("prism", ("--runner=PrismRunner", f"--prism_location={prism}"))):
        done = inkbeam(*job, "--output", tmp_path / name, *options)
        assert done.code == 0, done.err
    assert demo.differences(tmp_path / "prism", tmp_path / "local") == []
