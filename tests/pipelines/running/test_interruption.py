"""Runs that are killed, and what the next ones make of them."""

import signal

import pytest

from pipelines.archive import runs
from tests.pipelines.conftest import write_letter
from tests.pipelines.jobs import Done, files, inkbeam, page_of, python, rows, run_ids

INTERRUPTED = """
import os, signal, sys, time
from pipelines import cli
from pipelines.archive import runs
from pipelines.steps import recognising

def interrupt(*_):
    os.kill(os.getpid(), signal.{name})
    time.sleep(1)

{where} = interrupt
sys.exit(cli.main(sys.argv[1:]))
"""
RECOGNISING, COMMITTING = "recognising.recognise", "runs.commit"
"""Places where a run is struck: the first batch, and the last moment, when all rows are written."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    write_letter(folder / "scans" / "a.png")
    return folder


@pytest.fixture(scope="module")
def digitize(archive, tiny_bundle):
    """Runs a job over the archive, in this process or struck by a signal in its own."""

    def run(run_id, *arguments, name=None, where=None):
        command = ("digitize", "--input", archive / "scans", "--output", archive / "tables", "--model", tiny_bundle)
        command += ("--run-id", run_id, *arguments)
        if name is None:
            return inkbeam(*command)
        done = python(INTERRUPTED.format(name=name, where=where), *command)
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="module")
def nights(archive, digitize):
    """How each run ended; the output's files and committed runs after it."""
    output, history = archive / "tables", {}

    def job(run_id, *arguments, **how):
        done = digitize(run_id, *arguments, **how)
        history[run_id] = done, files(output), run_ids(output)

    job("good")
    job("struck-late", "--existing", "redo", name="SIGKILL", where=COMMITTING)
    job("nothing-new")
    write_letter(archive / "scans" / "b.png", ("Come before Easter", "if the roads allow"))
    job("struck-early", name="SIGKILL", where=RECOGNISING)
    job("struck-late-again", name="SIGKILL", where=COMMITTING)
    job("next")
    job("asked-to-stop", "--existing", "redo", name="SIGTERM", where=COMMITTING)
    for name in ("SIGTERM", "SIGINT"):
        job(f"asked-{name}", "--existing", "redo", "--attempts", "3", name=name, where=RECOGNISING)
    return history


@pytest.mark.parametrize("run_id", ["struck-late", "struck-early", "struck-late-again"])
def test_killed_run_is_not_committed_and_earlier_runs_stay_as_they_were(nights, archive, run_id):
    done, found, committed = nights[run_id]
    assert done.code == -signal.SIGKILL, done.err
    assert committed == ["good"]
    assert f"runs/{run_id}.started" in found
    before = nights["good"][1]
    assert before.items() <= found.items()
    assert [r.run_id for r in runs.committed(str(archive / "tables"))][0] == "good"


def test_run_that_was_killed_last_had_written_its_rows(nights):
    """Otherwise these tests would show nothing."""
    for run_id in ("struck-late", "struck-late-again"):
        assert any(path.startswith(f"words/run={run_id}/") and path.endswith(".parquet") for path in nights[run_id][1])


def test_next_run_removes_what_a_killed_one_left_even_when_nothing_is_to_do(nights):
    done, found, _ = nights["nothing-new"]
    assert (done.code, "Nothing to do." in done.out) == (0, True)
    assert found == nights["good"][1]


def test_next_run_completes_what_a_killed_one_left_undone(nights, archive):
    done, found, committed = nights["next"]
    assert done.code == 0, done.err
    assert committed == ["good", "next"]
    assert [page_of(r) for r in rows(archive / "tables", "pages", "next")] == [("b.png", 0)]
    assert not [path for path in found if "struck" in path]


def test_plain_glob_shows_committed_rows_only_and_each_page_once(nights, archive):
    output = archive / "tables"
    assert sorted(map(page_of, rows(output, "pages"))) == [("a.png", 0), ("b.png", 0)]
    assert {r["run_id"] for r in rows(output, "words")} == {"good", "next"}
    assert nights["good"][1].items() <= files(output).items()


@pytest.mark.parametrize("run_id", ["asked-to-stop", "asked-SIGTERM", "asked-SIGINT"])
def test_run_that_is_asked_to_stop_takes_its_rows_away_and_is_not_tried_again(nights, run_id):
    done, found, committed = nights[run_id]
    assert done.code == 3, done.err
    assert "inkbeam: interrupted" in done.err
    assert "attempt" not in done.err
    assert committed == ["good", "next"]
    assert found == nights["next"][1]
