"""Whole jobs over what goes wrong outside of the files: names, rights, disks and damaged models."""

import json
import os
import shutil

import pytest

from htr_model.bundle import DEFAULT
from pipelines.archive import runs
from pipelines.archive.places import staged
from tests.pipelines.conftest import write_letter
from tests.pipelines.jobs import files, inkbeam, page_of, python, rows, run_ids

NAMES = ("two words.png", 'it\'s "quoted".png', "new\nline.png", "tab\there.png", "%s {0} $HOME *.png", "привет.png")


def test_strange_names_are_read_like_any_other(tmp_path, tiny_bundle):
    scans = tmp_path / "scans"
    for name in NAMES:
        write_letter(scans / name, ("ink",))
    write_letter(scans / "folder.png" / "inside.png", ("ink",))
    (scans / "dangling.png").symlink_to(scans / "nowhere.png")
    done = inkbeam("digitize", "--input", scans, "--output", tmp_path / "tables", "--model", tiny_bundle)
    assert done.code == 1, done.err
    found = {page_of(r)[0] for r in rows(tmp_path / "tables", "pages")}
    assert found == {*NAMES, "inside.png"}
    assert [page_of(r)[0] for r in rows(tmp_path / "tables", "failures")] == ["dangling.png"]
    again = inkbeam("digitize", "--input", scans, "--output", tmp_path / "tables", "--model", tiny_bundle)
    assert f"{len(found)} pages done already" in again.out


def test_job_that_breaks_after_its_commit_has_done_its_work(letter, tmp_path, tiny_bundle, monkeypatch):
    output, commit = tmp_path / "tables", runs.commit

    def commit_and_break(where, record):
        commit(where, record)
        (output / "words" / f"run={record.run_id}" / staged("part-again.parquet")).write_bytes(b"done again")
        raise OSError("nobody is left to hear of it")

    monkeypatch.setattr(runs, "commit", commit_and_break)
    done = inkbeam("digitize", "--input", letter, "--output", output, "--model", tiny_bundle, "--attempts", "2")
    assert done.code == 0, done.err
    assert "committed and whole, but then" in done.err
    assert "1 page," in done.out
    (run,) = run_ids(output)
    assert [f for f in files(output) if f"run={run}/part-" not in f] == [f"runs/{run}.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_file_that_may_not_be_read_costs_only_itself(tmp_path, tiny_bundle):
    scans = tmp_path / "scans"
    write_letter(scans / "open.png", ("ink",))
    write_letter(scans / "closed.png", ("ink",)).chmod(0)
    done = inkbeam("digitize", "--input", scans, "--output", tmp_path / "tables", "--model", tiny_bundle)
    assert done.code == 1, done.err
    (row,) = rows(tmp_path / "tables", "failures")
    assert (page_of(row)[0], row["error_type"]) == ("closed.png", "PermissionError")
    assert [page_of(r)[0] for r in rows(tmp_path / "tables", "pages")] == ["open.png"]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder in which nobody may write, such as /proc")
def test_output_that_cannot_be_written_is_found_before_the_first_page(letter, tiny_bundle):
    done = inkbeam("digitize", "--input", letter, "--output", "/proc/tables", "--model", tiny_bundle)
    assert done.code == 2
    assert "/proc/tables: cannot be written" in done.err
    assert "Traceback" not in done.err


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs a folder in which nobody may write, such as /proc")
@pytest.mark.parametrize("below", ["/drawn", ""])
def test_overlays_that_cannot_be_written_are_found_before_the_first_page(letter, tmp_path, tiny_bundle, below):
    output, overlays = tmp_path / "tables", f"/proc{below}"
    command = ("digitize", "--input", letter, "--output", output, "--model", tiny_bundle, "--overlays", overlays)
    done = inkbeam(*command)
    assert done.code == 2
    assert f"--overlays {overlays}: cannot be written" in done.err
    assert "Traceback" not in done.err
    assert not output.exists()


FULL_DISK = """
import resource, sys
from pipelines import cli
from pipelines.steps import reading

def decode_page(*arguments):
    # From the first page on no file may grow beyond what announcements need: to a program it is a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))
    return decoded(*arguments)

decoded, reading.decode_page = reading.decode_page, decode_page
sys.exit(cli.main(sys.argv[1:]))
"""


def test_full_disk_fails_the_job_and_leaves_no_rows(letter, tmp_path, tiny_bundle):
    output = tmp_path / "tables"
    done = python(FULL_DISK, "digitize", "--input", letter, "--output", output, "--model", tiny_bundle)
    assert done.returncode == 3, done.stderr
    assert "the job failed: nothing of the run was kept" in done.stderr
    assert "File too large" in done.stderr
    assert files(output) == {}


@pytest.fixture
def model(tmp_path):
    return shutil.copytree(DEFAULT, tmp_path / "model")


def lose_a_symbol(settings):
    return {**settings, "charset": settings["charset"][:-1]}


def name_another_network(settings):
    return {**settings, "network": "resnet-ctc"}


def name_an_unknown_network(settings):
    return {**settings, "network": "transformer"}


def come_from_the_future(settings):
    return {**settings, "format_version": settings["format_version"] + 1}


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lose_a_symbol, "the weights do not fit the network"),
        (name_another_network, "the weights do not fit the network"),
        (name_an_unknown_network, "unknown network 'transformer'"),
        (come_from_the_future, "Upgrade inkbeam"),
    ],
)
def test_model_that_cannot_read_is_found_before_the_first_page(letter, tmp_path, model, damage, message):
    settings = json.loads((model / "bundle.json").read_bytes())
    (model / "bundle.json").write_text(json.dumps(damage(settings)), encoding="utf-8")
    done = inkbeam("digitize", "--input", letter, "--output", tmp_path / "tables", "--model", model)
    assert done.code == 2
    assert f"--model {model}: " in done.err
    assert message in done.err
    assert not (tmp_path / "tables").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("language-model", "{text}", "--output", "{place}"),
        ("train", "--data", "{letter.parent}", "--output", "{place}"),
        ("segment", "{letter}", "--output", "{place}"),
    ],
    ids=lambda command: command[0],
)
def test_what_other_commands_cannot_write_is_wrong_usage_that_names_it(command, letter, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("Come before Easter if the roads allow.\n" * 200)
    for name in ("one", "two", "three"):
        labelled = write_letter(letter.with_name(f"{name}.png"), (f"page {name}",))
        labelled.with_suffix(".gt.txt").write_text(f"page {name}")
    place = text / "made"  # below a file
    done = inkbeam(*(part.format(text=text, place=place, letter=letter) for part in command))
    assert done.code == 2, done.err
    assert f"--output {place}: cannot be written" in done.err
    assert "Traceback" not in done.err
