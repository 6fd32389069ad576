import json
import os
import subprocess
import sys
import threading
import time

import pytest

from pipelines.archive import lease, runs
from pipelines.archive.rows import TABLES
from pipelines.errors import UsageError
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


def announce(output, run_id, **mark):
    """The announcement of another process' run."""
    lease.begin(str(output), run_id)
    path = output / "runs" / f"{run_id}.started"
    path.write_text(json.dumps({**json.loads(path.read_text()), **mark}))


def test_run_of_another_machine_of_the_same_name_is_kept_while_it_is_heard_of(output, dead_process):
    announce(output, "far", machine="cloned elsewhere", **dead_process)
    assert runs.remove_dead(str(output)) == []
    with pytest.raises(UsageError, match="'far' is at work on it"):
        lease.begin(str(output), "night-2")
    announcement = output / "runs" / "far.started"
    long_ago = {"renewed_at": time.time() - lease.LEASE_SECONDS - 1}
    announcement.write_text(json.dumps({**json.loads(announcement.read_text()), **long_ago}))
    assert runs.remove_dead(str(output)) == ["far"]


def test_zombie_is_dead():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert lease._process_start(process.pid)
    process.stdin.close()
    process.stdout.read()  # ends with the process, which is not waited for yet
    try:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert lease._process_start(process.pid) is None
    finally:
        process.wait()


def test_name_of_a_committed_run_is_not_used_again(output):
    runs.commit(str(output), record("night-1"))
    with pytest.raises(UsageError, match="'night-1' already; choose another --run-id"):
        lease.begin(str(output), "night-1")


def far(output, run_id, renewed_at):
    """The announcement of a run of another machine."""
    announce(output, run_id, host="elsewhere.example", renewed_at=renewed_at)


def test_second_run_is_refused_while_the_first_is_at_work(output):
    far(output, "night-1", time.time())
    with pytest.raises(UsageError, match="'night-1' is at work on it .*elsewhere.example.*at most 15 minutes"):
        lease.begin(str(output), "night-2")
    assert [p.name for p in (output / "runs").iterdir()] == ["night-1.started"]


def test_second_run_of_this_machine_is_refused_however_long_the_first_was_silent(output):
    """A suspended machine renews nothing, but its processes live."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        started = lease._process_start(process.pid)
        announce(output, "night-1", pid=process.pid, process_started=started, renewed_at=0)
        with pytest.raises(UsageError, match=f"process {process.pid}"):
            lease.begin(str(output), "night-2")
    finally:
        process.communicate(b"\n")
    lease.begin(str(output), "night-2")


@pytest.mark.parametrize("mark", ["", "{", "[]", '{"host": 1}'])
def test_damaged_announcement_holds_the_output_until_it_is_old(output, mark):
    path = output / "runs" / "lost.started"
    path.parent.mkdir(parents=True)
    path.write_text(mark)
    with pytest.raises(UsageError, match="'lost' is at work"):
        lease.begin(str(output), "night-2")
    os.utime(path, (time.time() - lease.LEASE_SECONDS - 1,) * 2)
    lease.begin(str(output), "night-2")
    assert runs.remove_dead(str(output)) == ["lost"]


def test_run_of_another_machine_that_fell_silent_does_not_stop_the_next_and_is_removed(output):
    far(output, "night-1", time.time() - lease.LEASE_SECONDS - 1)
    write_rows(output, "night-1")
    lease.begin(str(output), "night-3")
    assert runs.remove_dead(str(output)) == ["night-1"]
    assert rows_left(output) == []


def test_name_of_a_dead_run_can_be_used_again(output, dead_process):
    write_rows(output, "tonight")
    announce(output, "tonight", **dead_process)
    lease.begin(str(output), "tonight")
    assert rows_left(output) == []


def test_run_can_wait_for_the_end_of_another(output, monkeypatch):
    monkeypatch.setattr(lease, "_LOOK_SECONDS", 0.01)
    far(output, "night-1", time.time())
    ending = threading.Timer(0.5, lease.end, [str(output), "night-1"])
    ending.start()
    with lease.held(str(output), "night-2", wait_seconds=60):
        assert not ending.is_alive()


def test_wait_has_an_end(output):
    far(output, "night-1", time.time())
    with pytest.raises(lease.OutputBusy, match="'night-1' is at work"), lease.held(str(output), "night-2", 0.01):
        pytest.fail("it began")


def test_committed_run_holds_the_output_until_it_ends_or_falls_silent(output):
    """Further parts of its job may follow."""
    far(output, "night-1", time.time())
    runs.commit(str(output), record("night-1"))
    with pytest.raises(lease.OutputBusy, match="'night-1' is at work"):
        lease.begin(str(output), "night-2")
    path = output / "runs" / "night-1.started"
    long_ago = {"renewed_at": time.time() - lease.LEASE_SECONDS - 1}
    path.write_text(json.dumps({**json.loads(path.read_text()), **long_ago}))
    lease.begin(str(output), "night-2")


def test_part_of_a_job_that_holds_the_output_is_not_held_up_by_who_looks_whether_it_is_free(output):
    with lease.held(str(output), "night"):
        runs.commit(str(output), record("night"))
        far(output, "compacted-1", time.time())
        with lease.held(str(output), "night-part2"):
            pass


def test_held_output_is_renewed_and_let_go(output, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.01)
    path = output / "runs" / "night-1.started"
    with lease.held(str(output), "night-1"):
        first = json.loads(path.read_text())["renewed_at"]
        deadline = time.monotonic() + 60
        while json.loads(path.read_text())["renewed_at"] == first:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert not path.exists()


def test_renewal_does_not_bring_back_what_was_taken_away(output, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.01)
    with lease.held(str(output), "night-1"):
        lease.end(str(output), "night-1")
        time.sleep(0.1)
        assert not lease.is_announced(str(output), "night-1")


def test_output_is_let_go_when_the_holder_fails(output):
    with pytest.raises(ZeroDivisionError), lease.held(str(output), "night-1"):
        raise ZeroDivisionError
    with lease.held(str(output), "night-2"):
        pass


def test_run_that_is_left_to_a_service_holds_up_nobody_and_is_not_removed(output):
    lease.leave(str(output), "template")
    write_rows(output, "template")
    lease.begin(str(output), "night-2")
    assert runs.remove_dead(str(output)) == []
    assert rows_left(output) == ["run=template"]
    runs.commit_if_announced(str(output), record("template"))
    assert runs.remove_dead(str(output)) == []
    assert sorted(p.name for p in (output / "runs").iterdir()) == ["night-2.started", "template.json"]
    assert rows_left(output) == ["run=template"]


RACE = """
import sys, time
from pipelines.archive import lease
from pipelines.errors import UsageError
output, name, start = sys.argv[1], sys.argv[2], float(sys.argv[3])
time.sleep(max(0, start - time.time()))
try:
    with lease.held(output, name):
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
    with lease.held(str(output), "after"):
        pass


def test_of_two_runs_of_one_name_that_begin_at_once_one_gets_the_output(output, monkeypatch):
    """Both have looked round before one of them writes."""
    looked, mark = threading.Barrier(2), lease._mark

    def mark_when_both_have_looked(left=False):
        looked.wait(20)
        return mark(left)

    monkeypatch.setattr(lease, "_mark", mark_when_both_have_looked)
    ends = []

    def begin():
        try:
            lease.begin(str(output), "tonight")
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
        lease.begin(str(output), "second")
    holder.kill()
    holder.wait()
    with lease.held(str(output), "third"):
        assert runs.remove_dead(str(output)) == ["killed"]


def test_name_of_a_run_at_work_is_not_used_again(output):
    lease.begin(str(output), "night-1")
    before = (output / "runs" / "night-1.started").read_bytes()
    with pytest.raises(UsageError, match=r"at work.*choose another --run-id"):
        lease.begin(str(output), "night-1")
    assert (output / "runs" / "night-1.started").read_bytes() == before


def test_output_that_is_a_file_is_a_usage_error(output):
    output.write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        lease.begin(str(output), "night-1")
