import json
import os
import subprocess
import sys
import threading
import time

import pytest

from pipelines.archive import runs
from pipelines.archive.rows import TABLES
from pipelines.errors import JobFailed, UsageError
from tests.conftest import REPOSITORY
from tests.pipelines.made_tables import record, write_table


def write_rows(output, run_id):
    for name in TABLES:
        write_table(output, name, run_id)


def rows_left(output):
    return sorted({p.parent.name for p in output.glob("*/*/*.parquet")})


@pytest.fixture
def output(tmp_path):
    return tmp_path / "my tables"


@pytest.fixture
def dead_process():
    """Number and start of a process of this machine that has ended."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = runs._process_start(process.pid)
    process.communicate(b"\n")
    return {"pid": process.pid, "process_started": started}


def announce(output, run_id, **mark):
    """The announcement of another process' run."""
    runs.begin(str(output), run_id)
    path = output / "runs" / f"{run_id}.started"
    path.write_text(json.dumps({**json.loads(path.read_text()), **mark}))


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
    runs.begin(str(output), "alive")
    announce(output, "dead", **dead_process)
    assert runs.remove_dead(str(output)) == ["dead"]
    assert rows_left(output) == ["run=alive", "run=committed", "run=dead-but-longer"]
    assert sorted(p.name for p in (output / "runs").iterdir()) == ["alive.started", "committed.json"]
    assert runs.remove_dead(str(output)) == []


def test_of_an_output_in_its_first_run_it_is_said_that_it_is_at_work(output):
    with pytest.raises(UsageError, match="no committed run is there; name the folder"):
        runs.known(str(output))
    runs.begin(str(output), "night-1")
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


def test_run_of_another_machine_of_the_same_name_is_kept_while_it_is_heard_of(output, dead_process):
    announce(output, "far", machine="cloned elsewhere", **dead_process)
    assert runs.remove_dead(str(output)) == []
    with pytest.raises(UsageError, match="'far' is at work on it"):
        runs.begin(str(output), "night-2")
    announcement = output / "runs" / "far.started"
    long_ago = {"renewed_at": time.time() - runs.LEASE_SECONDS - 1}
    announcement.write_text(json.dumps({**json.loads(announcement.read_text()), **long_ago}))
    assert runs.remove_dead(str(output)) == ["far"]


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


def test_zombie_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert runs._process_start(process.pid)
    process.stdin.close()
    process.stdout.read()  # ends with the process, which is not waited for yet
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert runs._process_start(process.pid) is None
    finally:
        process.wait()


def test_failed_run_is_removed_and_a_committed_one_is_not(output):
    for run_id in ("failed", "night-1"):
        runs.begin(str(output), run_id)
        write_rows(output, run_id)
    runs.commit(str(output), record("night-1"))
    for run_id in ("failed", "night-1", "never-begun"):
        runs.remove(str(output), run_id)
    assert rows_left(output) == ["run=night-1"]
    assert [p.name for p in (output / "runs").iterdir()] == ["night-1.json"]


def test_name_of_a_committed_run_is_not_used_again(output):
    runs.commit(str(output), record("night-1"))
    with pytest.raises(UsageError, match="'night-1' already; choose another --run-id"):
        runs.begin(str(output), "night-1")


def far(output, run_id, renewed_at):
    """The announcement of a run of another machine."""
    announce(output, run_id, host="elsewhere.example", renewed_at=renewed_at)


def test_second_run_is_refused_while_the_first_is_at_work(output):
    far(output, "night-1", time.time())
    with pytest.raises(UsageError, match="'night-1' is at work on it .*elsewhere.example.*at most 15 minutes"):
        runs.begin(str(output), "night-2")
    assert [p.name for p in (output / "runs").iterdir()] == ["night-1.started"]


def test_second_run_of_this_machine_is_refused_however_long_the_first_was_silent(output):
    """A suspended machine renews nothing, but its processes live."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        started = runs._process_start(process.pid)
        announce(output, "night-1", pid=process.pid, process_started=started, renewed_at=0)
        with pytest.raises(UsageError, match=f"process {process.pid}"):
            runs.begin(str(output), "night-2")
    finally:
        process.communicate(b"\n")
    runs.begin(str(output), "night-2")


@pytest.mark.parametrize("mark", ["", "{", "[]", '{"host": 1}'])
def test_damaged_announcement_holds_the_output_until_it_is_old(output, mark):
    path = output / "runs" / "lost.started"
    path.parent.mkdir(parents=True)
    path.write_text(mark)
    with pytest.raises(UsageError, match="'lost' is at work"):
        runs.begin(str(output), "night-2")
    os.utime(path, (time.time() - runs.LEASE_SECONDS - 1,) * 2)
    runs.begin(str(output), "night-2")
    assert runs.remove_dead(str(output)) == ["lost"]


def test_run_of_another_machine_that_fell_silent_does_not_stop_the_next_and_is_removed(output):
    far(output, "night-1", time.time() - runs.LEASE_SECONDS - 1)
    write_rows(output, "night-1")
    runs.begin(str(output), "night-3")
    assert runs.remove_dead(str(output)) == ["night-1"]
    assert rows_left(output) == []


def test_name_of_a_dead_run_can_be_used_again(output, dead_process):
    write_rows(output, "tonight")
    announce(output, "tonight", **dead_process)
    runs.begin(str(output), "tonight")
    assert rows_left(output) == []


def test_run_can_wait_for_the_end_of_another(output, monkeypatch):
    monkeypatch.setattr(runs, "_LOOK_SECONDS", 0.01)
    far(output, "night-1", time.time())
    ending = threading.Timer(0.5, runs.end, [str(output), "night-1"])
    ending.start()
    with runs.held(str(output), "night-2", wait_seconds=60):
        assert not ending.is_alive()


def test_wait_has_an_end(output):
    far(output, "night-1", time.time())
    with pytest.raises(runs.OutputBusy, match="'night-1' is at work"), runs.held(str(output), "night-2", 0.01):
        pytest.fail("it began")


def test_committed_run_holds_the_output_until_it_ends_or_falls_silent(output):
    """Further parts of its job may follow."""
    far(output, "night-1", time.time())
    runs.commit(str(output), record("night-1"))
    with pytest.raises(runs.OutputBusy, match="'night-1' is at work"):
        runs.begin(str(output), "night-2")
    path = output / "runs" / "night-1.started"
    long_ago = {"renewed_at": time.time() - runs.LEASE_SECONDS - 1}
    path.write_text(json.dumps({**json.loads(path.read_text()), **long_ago}))
    runs.begin(str(output), "night-2")


def test_part_of_a_job_that_holds_the_output_is_not_held_up_by_who_looks_whether_it_is_free(output):
    with runs.held(str(output), "night"):
        runs.commit(str(output), record("night"))
        far(output, "compacted-1", time.time())
        with runs.held(str(output), "night-part2"):
            pass


def test_run_that_was_held_for_dead_cannot_commit(output):
    """A machine that was asleep, or a cluster's job that outlived its launcher."""
    runs.begin(str(output), "late")
    write_rows(output, "late")
    runs.end(str(output), "late")
    write_rows(output, "late")
    with pytest.raises(JobFailed, match="another took"):
        runs.commit_if_announced(str(output), record("late"))
    assert runs.committed(str(output)) == []
    assert rows_left(output) == []


def test_held_output_is_renewed_and_let_go(output, monkeypatch):
    monkeypatch.setattr(runs, "RENEW_SECONDS", 0.01)
    path = output / "runs" / "night-1.started"
    with runs.held(str(output), "night-1"):
        first = json.loads(path.read_text())["renewed_at"]
        deadline = time.monotonic() + 60
        while json.loads(path.read_text())["renewed_at"] == first:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert not path.exists()


def test_renewal_does_not_bring_back_what_was_taken_away(output, monkeypatch):
    monkeypatch.setattr(runs, "RENEW_SECONDS", 0.01)
    with runs.held(str(output), "night-1"):
        runs.end(str(output), "night-1")
        time.sleep(0.1)
        assert not runs.is_announced(str(output), "night-1")


def test_output_is_let_go_when_the_holder_fails(output):
    with pytest.raises(ZeroDivisionError), runs.held(str(output), "night-1"):
        raise ZeroDivisionError
    with runs.held(str(output), "night-2"):
        pass


def test_run_that_is_left_to_a_service_holds_up_nobody_and_is_not_removed(output):
    runs.leave(str(output), "template")
    write_rows(output, "template")
    runs.begin(str(output), "night-2")
    assert runs.remove_dead(str(output)) == []
    assert rows_left(output) == ["run=template"]
    runs.commit_if_announced(str(output), record("template"))
    assert runs.remove_dead(str(output)) == []
    assert sorted(p.name for p in (output / "runs").iterdir()) == ["night-2.started", "template.json"]
    assert rows_left(output) == ["run=template"]


RACE = """
import sys, time
from pipelines.archive import runs
from pipelines.errors import JobFailed, UsageError
output, name, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
time.sleep(max(0, start - time.time()))
try:
    with runs.held(output, name):
        print("began", flush=True)
        sys.stdin.read()
except UsageError as error:
    print("refused", flush=True)
"""


def test_of_runs_that_begin_at_once_at_most_one_gets_the_output(output):
    start = time.time() + 3
    command = [sys.executable, "-c", RACE, str(output)]
    racers = [
        subprocess.Popen(
            [*command, f"night-{i}", str(start)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
        )
        for i in range(3)
    ]
    answers = [racer.stdout.readline().strip() for racer in racers]
    for racer in racers:
        racer.communicate("")
    assert answers.count("began") <= 1
    assert set(answers) <= {"began", "refused"}
    with runs.held(str(output), "after"):
        pass


def test_of_two_runs_of_one_name_that_begin_at_once_one_gets_the_output(output, monkeypatch):
    """Both have looked round before one of them writes."""
    looked, mark = threading.Barrier(2), runs._mark

    def mark_when_both_have_looked(left=False):
        looked.wait(20)
        return mark(left)

    monkeypatch.setattr(runs, "_mark", mark_when_both_have_looked)
    ends = []

    def begin():
        try:
            runs.begin(str(output), "tonight")
            ends.append("began")
        except UsageError as error:
            ends.append(str(error))

    racers = [threading.Thread(target=begin) for _ in range(2)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(ends) == [f"{output}: a run 'tonight' is at work; choose another --run-id", "began"]


def test_output_of_a_killed_run_is_free_at_once(output):
    command = [sys.executable, "-c", RACE, str(output), "killed", "0"]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert holder.stdout.readline() == "began\n"
    with pytest.raises(UsageError, match="'killed' is at work"):
        runs.begin(str(output), "second")
    holder.kill()
    holder.wait()
    with runs.held(str(output), "third"):
        assert runs.remove_dead(str(output)) == ["killed"]


def test_name_of_a_run_at_work_is_not_used_again(output):
    runs.begin(str(output), "night-1")
    before = (output / "runs" / "night-1.started").read_bytes()
    with pytest.raises(UsageError, match=r"at work.*choose another --run-id"):
        runs.begin(str(output), "night-1")
    assert (output / "runs" / "night-1.started").read_bytes() == before


def test_output_that_is_a_file_is_a_usage_error(output):
    output.write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        runs.begin(str(output), "night-1")
