"""Commands that wait for another run on the same output."""

import json
import threading
import time

import pytest

from pipelines.archive import lease
from tests.pipelines import made_tables
from tests.pipelines.jobs import inkbeam


@pytest.fixture
def output(tmp_path):
    """An output on which a run of another machine is at work."""
    made_tables.write_run(tmp_path, "night-1", 1, [made_tables.page("/s/a.png")])
    (tmp_path / "runs" / "night-2.started").write_text(json.dumps({"host": "x", "renewed_at": time.time()}))
    return tmp_path


def test_compaction_waits_for_the_end_of_a_night(output, monkeypatch):
    monkeypatch.setattr(lease, "_LOOK_SECONDS", 0.01)
    assert "'night-2' is at work" in inkbeam("compact", output).err
    ending = threading.Timer(0.5, lease.end, [str(output), "night-2"])
    ending.start()
    done = inkbeam("compact", output, "--wait", "1")
    assert (done.code, ending.is_alive()) == (0, False), done.err


@pytest.mark.parametrize("minutes", ["-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(output, minutes):
    done = inkbeam("compact", output, "--wait", minutes)
    assert done.code == 2
    assert "--wait must be at least 0" in done.err
