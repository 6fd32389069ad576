"""Night after night on one archive: failures that stay, retries, attempts, machines that watch."""

import json
import time

import pytest

from pipelines.archive import runs
from pipelines.files import page_stem
from pipelines.running import plans
from tests import broken_files
from tests.pipelines import made_tables
from tests.pipelines.conftest import write_letter
from tests.pipelines.jobs import files, inkbeam, page_of, rows, run_ids
from tests.pipelines.made_tables import write_run
from tests.pipelines.running.test_figures import parsed


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A good scan, and one that is cut off."""
    folder = tmp_path_factory.mktemp("archive")
    write_letter(folder / "scans" / "good.png", ("one line",))
    (folder / "scans" / "bad.png").write_bytes(broken_files.cut(broken_files.good_png)())
    return folder


@pytest.fixture(scope="module")
def nights(archive, tiny_bundle):
    """How each job ended, the attempts at the bad scan that it wrote, and the metrics that it left."""
    output, history = archive / "tables", {}

    def job(name, *command):
        metrics = archive / f"{name}.prom"
        done = inkbeam(*command, "--run-id", name, "--metrics-file", metrics)
        attempts = [(page_of(r)[0], r["attempts"]) for r in rows(output, "failures", name)]
        history[name] = done, attempts, {key[0]: value for key, value in parsed(metrics).items()}

    digitize = ("digitize", "--input", archive / "scans", "--output", output, "--model", tiny_bundle)
    digitize += ("--max-attempts", "2", "--overlays", archive / "overlays")
    job("night-1", *digitize, "--log-format", "json")
    job("night-2", *digitize)
    job("night-3", *digitize)
    job("retry", "retry", output)
    job("retry-all", "retry", output, "--all")
    (archive / "scans" / "bad.png").write_bytes(b"another kind of bad")
    job("changed", *digitize, "--max-failure-rate", "1")
    write_letter(archive / "scans" / "bad.png", ("whole again",))
    job("repaired", "retry", output)
    job("last", "retry", output)
    return history


def test_failed_page_is_tried_as_often_as_allowed_and_then_set_aside(nights):
    assert [nights[f"night-{i}"][1] for i in (1, 2)] == [[("bad.png", 1)], [("bad.png", 2)]]
    done, attempts, _ = nights["night-3"]
    assert (done.code, attempts) == (0, [])
    assert "Nothing to do." in done.out
    assert "1 page set aside after failing in 2 runs in a row (inkbeam retry " in done.out


def test_retry_leaves_alone_what_is_set_aside_unless_it_is_told_all(nights):
    done, attempts, _ = nights["retry"]
    assert (done.code, attempts, "Nothing to do." in done.out) == (0, [], True)
    done, attempts, _ = nights["retry-all"]
    assert (done.code, attempts) == (1, [("bad.png", 3)])


def test_changed_file_is_tried_from_the_start(nights):
    done, attempts, _ = nights["changed"]
    assert (done.code, attempts) == (0, [("bad.png", 1)])


def test_retry_reads_what_was_repaired_and_then_has_nothing_to_do(nights, archive):
    assert nights["repaired"][0].code == 0, nights["repaired"][0].err
    assert [page_of(r) for r in rows(archive / "tables", "pages", "repaired")] == [("bad.png", 0)]
    assert "Nothing to do." in nights["last"][0].out


def test_retry_needs_the_language_model_of_the_latest_run_before_it_begins(tmp_path, tiny_bundle):
    words = tmp_path / "words.txt"
    words.write_text("one\nline\n")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    digitize = ("digitize", "--input", tmp_path / "bad.png", "--output", tmp_path / "out", "--model", tiny_bundle)
    assert inkbeam(*digitize, "--language-model", words, "--max-failure-rate", 1).code == 0
    words.unlink()
    done = inkbeam("retry", tmp_path / "out")
    assert done.code == 2 and str(words) in done.err
    assert len(run_ids(tmp_path / "out")) == 1


def test_retry_reads_the_failed_pages_only_whatever_the_latest_options_are(tmp_path, tiny_bundle):
    scans, output = tmp_path / "scans", tmp_path / "out"
    write_letter(scans / "good.png", ("one line",))
    (scans / "volume.tif").write_bytes(broken_files.tiff_with_lost_frames())
    options = ("--output", output, "--model", tiny_bundle, "--max-failure-rate", 1)
    assert inkbeam("digitize", "--input", scans / "volume.tif", *options).code == 0
    assert inkbeam("digitize", "--input", scans / "good.png", "--unit", "word", *options).code == 0
    assert len(rows(output, "pages")) == 3
    done = inkbeam("retry", output, "--run-id", "again", "--max-failure-rate", 1)
    assert (done.code, len(rows(output, "pages"))) == (0, 3)
    assert [page_of(row) for row in rows(output, "failures", "again")] == [("volume.tif", 2)]


def test_retry_takes_model_and_options_of_the_latest_run(nights, archive, tiny_bundle):
    options = json.loads((archive / "tables" / "runs" / "repaired.json").read_text())["options"]
    assert options["model"] == str(tiny_bundle)
    assert options["max_attempts"] == 2
    assert options["overlays"] == str(archive / "overlays")


def test_jobs_without_work_leave_no_run(nights, archive):
    assert run_ids(archive / "tables") == ["night-1", "night-2", "retry-all", "changed", "repaired"]
    assert not list((archive / "tables" / "runs").glob("*.started"))


def test_json_log_has_a_line_for_each_failed_page_and_one_for_the_end(nights, archive):
    done = nights["night-1"][0]
    lines = [json.loads(line) for line in done.err.splitlines()]
    assert done.out == ""
    (failed,) = [x for x in lines if x["event"] == "page_failed"]
    assert failed["uri"] == str(archive / "scans" / "bad.png")
    assert (failed["attempts"], failed["level"], failed["run_id"]) == (1, "warning", "night-1")
    assert (lines[-1]["event"], lines[-1]["pages"], lines[-1]["exit_code"]) == ("finished", 1, 1)
    assert [x["level"] for x in lines if x["level"] not in ("info", "warning")] == []


def test_metrics_tell_of_the_run(nights, archive):
    first, third = nights["night-1"][2], nights["night-3"][2]
    names = ("exit_code", "pages", "failed_pages", "failure_rate", "done_pages", "set_aside_pages")
    assert [first[f"inkbeam_{n}"] for n in names] == [1, 1, 1, 0.5, 0, 0]
    words = rows(archive / "tables", "words", "night-1")
    assert first["inkbeam_words"] == len(words)
    mean = sum(w["confidence"] for w in words) / len(words)
    assert first["inkbeam_mean_confidence"] == pytest.approx(mean, rel=1e-3)
    assert [third[f"inkbeam_{n}"] for n in ("exit_code", "pages", "done_pages", "set_aside_pages")] == [0, 0, 1, 1]
    assert third["inkbeam_committed_timestamp_seconds"] >= first["inkbeam_committed_timestamp_seconds"]


def test_status_tells_how_the_nights_ended(nights, archive):
    found = json.loads(inkbeam("status", archive / "tables", "--json", "--input", archive / "scans").out)
    assert [r["run_id"] for r in found["runs"]] == run_ids(archive / "tables")
    assert [r["lost"] for r in found["runs"]] == [1, 1, 1, 1, 0]
    assert (found["pages"], found["failing"], found["waiting"]) == (2, [], 0)


def test_overlays_of_pages_that_are_no_more_are_removed(archive, tmp_path, tiny_bundle):
    scan, tables, overlays = str(archive / "scans" / "good.png"), tmp_path / "tables", tmp_path / "overlays"
    write_run(tables, "night-1", 1, [made_tables.page(scan, index, 3) for index in range(3)])
    names = [page_stem(scan, index, 3) for index in range(3)]
    corrected, other = f"{names[1]}.page.xml", f"{page_stem(str(tmp_path), 2, 3)}.jpg"
    overlays.mkdir()
    for name in (*(f"{name}.jpg" for name in names), corrected, other):
        (overlays / name).touch()
    command = ("digitize", "--input", scan, "--output", tables, "--model", tiny_bundle)
    assert inkbeam(*command, "--overlays", overlays).code == 0
    left = {f"{page_stem(scan, 0, 1)}.jpg", f"{names[1]}.jpg", corrected, other}
    assert {path.name for path in overlays.iterdir()} == left


# ------------------------------------------------------------------------------------------------ attempts, two at once


@pytest.fixture
def digitize(archive, tmp_path, tiny_bundle):
    """Runs a job over the good scan."""

    def run(*arguments):
        command = ("digitize", "--input", archive / "scans" / "good.png", "--output", tmp_path / "tables")
        return inkbeam(*command, "--model", tiny_bundle, "--run-id", "tonight", *arguments)

    return run


def break_jobs(monkeypatch, count):
    """The first jobs break when their rows are written."""
    commit, broken = runs.commit, []

    def commit_or_break(*arguments):
        if len(broken) < count:
            broken.append(arguments)
            raise OSError("no space left on device")
        commit(*arguments)

    monkeypatch.setattr(runs, "commit", commit_or_break)


def test_job_that_breaks_is_tried_again_with_a_name_of_its_own(digitize, tmp_path, monkeypatch):
    break_jobs(monkeypatch, 1)
    done = digitize("--attempts", "2")
    assert done.code == 0, done.err
    assert run_ids(tmp_path / "tables") == ["tonight-try2"]
    assert {p.split("/")[1].partition(".")[0] for p in files(tmp_path / "tables")} == {
        "run=tonight-try2",
        "tonight-try2",
    }
    assert "attempt 1 of 2 failed" in done.err
    assert "Run tonight-try2: 1 page," in done.out


def test_job_that_breaks_every_time_fails_and_leaves_nothing(digitize, tmp_path, monkeypatch):
    break_jobs(monkeypatch, 2)
    done = digitize("--attempts", "2")
    assert done.code == 3
    assert files(tmp_path / "tables") == {}


def test_second_run_on_an_output_is_refused(digitize, tmp_path):
    mark = tmp_path / "tables" / "runs" / "other.started"
    mark.parent.mkdir(parents=True)
    mark.write_text(json.dumps({"host": "elsewhere", "pid": 1, "process_started": "x", "renewed_at": time.time()}))
    done = digitize()
    assert done.code == 2
    assert "'other' is at work on it (process 1 on elsewhere)" in done.err
    assert [*files(tmp_path / "tables")] == ["runs/other.started"]


def test_run_that_was_committed_while_this_one_looked_round_is_seen(digitize, archive, tmp_path, monkeypatch):
    """Otherwise both would read the same pages."""
    plan, made = plans.plan, []

    def plan_and_be_overtaken(*arguments):
        planned = plan(*arguments)
        made.append(planned)
        if len(made) == 1:
            assert digitize("--run-id", "faster").code == 0
        return planned

    monkeypatch.setattr(plans, "plan", plan_and_be_overtaken)
    done = digitize()
    assert done.code == 0
    assert "Nothing to do." in done.out
    assert run_ids(tmp_path / "tables") == ["faster"]


def test_overlays_in_the_scans_are_refused(digitize, archive, tmp_path):
    arguments = ("--input", archive / "scans", "--overlays", archive / "scans" / "drawn")
    done = digitize(*arguments)
    assert done.code == 2
    assert "the next run would read the pictures as scans" in done.err
    assert files(tmp_path / "tables") == {}


@pytest.mark.parametrize("listed", [False, True])
def test_pictures_of_a_review_among_the_scans_are_refused_whatever_named_them(digitize, archive, tmp_path, listed):
    (tmp_path / "list.txt").write_text(f"{archive / 'scans'}\n")
    assert digitize(*(("--input-list", tmp_path / "list.txt") if listed else ("--input", archive / "scans"))).code == 0
    done = inkbeam("review", tmp_path / "tables", "--output", archive / "scans" / "web")
    assert done.code == 2 and "the next run would read the pictures as scans" in done.err
