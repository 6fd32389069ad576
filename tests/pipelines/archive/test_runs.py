import json
import os

import pytest

from pipelines.archive import lease, runs
from pipelines.errors import JobFailed, UsageError
from tests.pipelines.archive.test_lease import announce, rows_left, write_rows
from tests.pipelines.made_tables import record


@pytest.fixture
def output(tmp_path):
    return tmp_path / "my tables"


def test_committed_run_comes_back_as_it_was(output):
    runs.commit(str(output), record("night-1"))
    assert runs.committed(str(output)) == [record("night-1")]


def test_files_of_a_run_are_on_the_disk_before_the_run_counts(output, monkeypatch):
    write_rows(output, "night-1")
    commit, synced, sync = output / "runs" / "night-1.json", set(), os.fsync

    def note(handle):
        sync(handle)
        if not commit.exists():
            synced.add(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", note)
    runs.commit(str(output), record("night-1"))
    folders = [output, *output.glob("*/run=*"), *(path.parent for path in output.glob("*/run=*"))]
    assert {path.stat().st_ino for path in [commit, *folders, *output.glob("*/*/*.parquet")]} <= synced


def test_one_run_is_read_without_the_others(output):
    runs.commit(str(output), record("night-1"))
    (output / "runs" / "night-2.json").write_text("{")
    assert runs.committed_run(str(output), "night-1") == record("night-1")


def test_runs_are_ordered_by_the_time_of_their_commit(output):
    for run_id, finished_at in (("c", "2026-01-02T00:00"), ("a", "2026-01-03T00:00"), ("b", "2026-01-01T00:00")):
        runs.commit(str(output), record(run_id, finished_at))
    assert [r.run_id for r in runs.committed(str(output))] == ["b", "c", "a"]


def test_output_that_does_not_exist_has_no_runs(output):
    assert runs.committed(str(output)) == []
    assert runs.remove_dead(str(output)) == []
    assert not output.exists()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"run_id": "x"}', b"\xff\xfe", '{"no": 1}'])
def test_damaged_commit_file_is_a_usage_error_that_names_it(output, content):
    runs.commit(str(output), record("night-1"))
    path = output / "runs" / "night-2.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError, match=r"night-2.json: damaged commit file"):
        runs.committed(str(output))


@pytest.mark.parametrize(
    ("name", "value"), [("finished_at", 5), ("model_id", None), ("options", None), ("counts", [1]), ("versions", "1")]
)
def test_commit_file_with_a_value_of_another_kind_is_a_usage_error_that_names_both(output, name, value):
    runs.commit(str(output), record("night-1"))
    path = output / "runs" / "night-2.json"
    path.write_text(json.dumps({**vars(record("night-2")), name: value}))
    with pytest.raises(UsageError, match=rf"night-2.json: damaged commit file \(its {name} cannot be "):
        runs.committed(str(output))


def test_dead_run_is_removed_and_nothing_else(output, dead_process):
    for run_id in ("committed", "dead", "alive", "dead-but-longer"):
        write_rows(output, run_id)
    runs.commit(str(output), record("committed"))
    lease.begin(str(output), "alive")
    announce(output, "dead", **dead_process)
    assert runs.remove_dead(str(output)) == ["dead"]
    assert rows_left(output) == ["run=alive", "run=committed", "run=dead-but-longer"]
    assert sorted(p.name for p in (output / "runs").iterdir()) == ["alive.started", "committed.json"]
    assert runs.remove_dead(str(output)) == []


def test_of_an_output_in_its_first_run_it_is_said_that_it_is_at_work(output):
    with pytest.raises(UsageError, match="no committed run is there; name the folder"):
        runs.known(str(output))
    lease.begin(str(output), "night-1")
    with pytest.raises(UsageError, match="no committed run is there; 'night-1' is at work"):
        runs.known(str(output))


def test_run_of_an_earlier_process_with_the_same_number_is_dead(output):
    announce(output, "dead", pid=os.getpid(), process_started="another boot 123")
    assert runs.remove_dead(str(output)) == ["dead"]


def test_run_of_another_machine_is_kept(output, dead_process):
    announce(output, "far", host="elsewhere.example", **dead_process)
    write_rows(output, "far")
    assert runs.remove_dead(str(output)) == []
    assert rows_left(output) == ["run=far"]


def test_announcement_of_an_earlier_version_is_of_this_machine_by_its_name(output, dead_process):
    announce(output, "dead", **dead_process)
    announcement = output / "runs" / "dead.started"
    mark = json.loads(announcement.read_text())
    announcement.write_text(json.dumps({name: mark[name] for name in mark if name != "machine"}))
    assert runs.remove_dead(str(output)) == ["dead"]


@pytest.mark.parametrize("mark", ["", "{}", "{", '{"host": 1}'])
def test_run_whose_announcement_cannot_be_read_is_kept(output, mark):
    write_rows(output, "unknown")
    announce(output, "unknown")
    (output / "runs" / "unknown.started").write_text(mark)
    assert runs.remove_dead(str(output)) == []
    assert rows_left(output) == ["run=unknown"]


def test_run_that_died_after_its_commit_counts(output, dead_process):
    write_rows(output, "night-1")
    announce(output, "night-1", **dead_process)
    runs.commit(str(output), record("night-1"))
    assert runs.remove_dead(str(output)) == []
    assert rows_left(output) == ["run=night-1"]
    assert [p.name for p in (output / "runs").iterdir()] == ["night-1.json"]


def test_failed_run_is_removed_and_a_committed_one_is_not(output):
    for run_id in ("failed", "night-1"):
        lease.begin(str(output), run_id)
        write_rows(output, run_id)
    runs.commit(str(output), record("night-1"))
    for run_id in ("failed", "night-1", "never-begun"):
        runs.remove(str(output), run_id)
    assert rows_left(output) == ["run=night-1"]
    assert [p.name for p in (output / "runs").iterdir()] == ["night-1.json"]


def test_run_that_was_held_for_dead_cannot_commit(output):
    """A machine that was asleep, or a cluster's job that outlived its launcher."""
    lease.begin(str(output), "late")
    write_rows(output, "late")
    lease.end(str(output), "late")
    write_rows(output, "late")
    with pytest.raises(JobFailed, match="another took"):
        runs.commit_if_announced(str(output), record("late"))
    assert runs.committed(str(output)) == []
    assert rows_left(output) == []
