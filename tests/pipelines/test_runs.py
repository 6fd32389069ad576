import json
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import runs
from pipelines.options import UsageError
from pipelines.records import TABLES, PageFacts, PageText, page_row
from segmentation.decoding import PageRef

MODIFIED = 1_700_000_000.123457


def record(run_id, finished_at="2026-01-01", model_id="model", fingerprint="options"):
    return runs.RunRecord(run_id, "2025-12-31", finished_at, model_id, fingerprint, {"pages": 1}, {"unit": "line"}, {})


def write_pages(output, run_id, pages):
    """The pages table of a run: (uri, page index, pages of the document) each."""
    facts = [PageFacts(PageRef(u, i), n, "", 7, MODIFIED, 9, 9, None, 0, 0.0, 0.0) for u, i, n in pages]
    rows = [page_row(PageText(f, (), ()), "model", run_id) for f in facts]
    write_table(output, "pages", run_id, rows)


def write_table(output, name, run_id, rows=()):
    folder = output / name / f"run={run_id}"
    folder.mkdir(parents=True, exist_ok=True)
    number = len(list(folder.iterdir()))
    pq.write_table(pa.Table.from_pylist(list(rows), TABLES[name]), folder / f"part-{number:05}.parquet")


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


def test_pages_of_committed_runs_are_done(output):
    write_pages(output, "night-1", [("/s/a.png", 0, 1), ("/s/b.tif", 0, 3)])
    write_pages(output, "night-2", [("/s/b.tif", 2, 3)])
    write_pages(output, "night-2", [("/s/c.png", 0, 1)])  # a second file of the table
    write_pages(output, "never", [("/s/d.png", 0, 1)])  # not committed
    committed = [record("night-1"), record("night-2")]
    assert runs.done_pages(str(output), committed, "model", "options") == {
        ("/s/a.png", 7, MODIFIED): {0: 1},
        ("/s/b.tif", 7, MODIFIED): {0: 3, 2: 3},
        ("/s/c.png", 7, MODIFIED): {0: 1},
    }


@pytest.mark.parametrize(("model", "options"), [("other", "options"), ("model", "other")])
def test_pages_of_other_models_or_options_are_not_done(output, model, options):
    write_pages(output, "night-1", [("/s/a.png", 0, 1)])
    assert runs.done_pages(str(output), [record("night-1")], model, options) == {}


def test_committed_run_without_a_pages_table_has_no_done_pages(output):
    assert runs.done_pages(str(output), [record("night-1")], "model", "options") == {}


def test_damaged_pages_table_is_a_usage_error_that_names_it(output):
    write_pages(output, "night-1", [("/s/a.png", 0, 1)])
    (path,) = (output / "pages" / "run=night-1").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UsageError, match=r"part-00000.parquet: damaged .*night-1.json"):
        runs.done_pages(str(output), [record("night-1")], "model", "options")


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


def test_run_of_an_earlier_process_with_the_same_number_is_dead(output):
    announce(output, "dead", pid=os.getpid(), process_started="another boot 123")
    assert runs.remove_dead(str(output)) == ["dead"]


def test_run_of_another_machine_is_kept(output, dead_process):
    announce(output, "far", host="elsewhere.example", **dead_process)
    write_rows(output, "far")
    assert runs.remove_dead(str(output)) == []
    assert rows_left(output) == ["run=far"]


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
