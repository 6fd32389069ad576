import hashlib
import json
import re
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest

from pipelines.commands import segment
from pipelines.running import plans
from segmentation.decoding import decode_page
from segmentation.page import segment_upright
from tests import broken_files
from tests.conftest import REPOSITORY
from tests.pipelines import made_tables
from tests.pipelines.conftest import write_letter
from tests.pipelines.jobs import files, inkbeam, python
from tests.segmentation.drawing import TEXT, draw_page

COMMANDS = (
    "digitize",
    "retry",
    "status",
    "compact",
    "export",
    "review",
    "search",
    "segment",
    "train",
    "evaluate",
    "calibrate",
    "evaluate-pages",
    "language-model",
    "train-lines",
    "data",
    "export-model",
)
SCREEN = 45
"""Lines of a terminal window that is not small."""


@pytest.fixture
def output(tmp_path):
    return tmp_path / "tables"


@pytest.fixture
def digitize(letter, output, tiny_bundle):
    """Runs a job over one page; arguments that come later win."""

    def run(*arguments):
        return inkbeam("digitize", "--input", letter, "--output", output, "--model", tiny_bundle, *arguments)

    return run


@pytest.mark.parametrize("command", [(), *((c,) for c in COMMANDS)])
def test_help_fits_a_screen(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = inkbeam(*command, "--help")
    assert done.code == 0
    assert len(done.out.splitlines()) <= SCREEN
    assert max(map(len, done.out.splitlines())) <= 80
    assert all(c in done.out for c in (command or COMMANDS))


def test_version_is_told():
    done = inkbeam("--version")
    assert (done.code, done.out.split()[0]) == (0, "inkbeam")


@pytest.mark.parametrize("arguments", [(), ("digitise",), ("digitize",), ("train", "--output", "x"), ("segment", "x")])
def test_command_line_that_lacks_something_is_wrong_usage(arguments):
    assert inkbeam(*arguments).code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--inptu", "x"), "unknown option --inptu (did you mean --input?)"),
        (("--lines", "clasical"), "--lines clasical: neither learned nor classical, and no folder"),
        (("more.png",), "unknown option more.png"),
        (("--run-id", "a/b"), "--run-id 'a/b'"),
        (("--batch-size", "0"), "--batch-size"),
        (("--workers", "0"), "--workers"),
        (("--attempts", "0"), "--attempts"),
        (("--wait", "nan"), "--wait"),
        (("--max-attempts", "-1"), "--max-attempts"),
        (("--metrics-file", "nowhere/inkbeam.prom"), "--metrics-file"),
        (("--run-id", "compacted-1"), "those of compactions"),
        (("--workers", "2", "--runner", "FlinkRunner"), "--workers is for one machine"),
        (("--max-failure-rate", "1.5"), "--max-failure-rate"),
        (("--max-failure-rate", "nan"), "--max-failure-rate"),
        (("--pdf-dpi", "3"), "inkbeam digitize: --pdf-dpi 3: pdf_dpi must be"),
        (("--max-megapixels", "0"), "inkbeam digitize: --max-megapixels 0: max_pixels must be"),
        (("--input", "https://x.org/y.png"), "cannot be listed (files of the web are not read"),
        (("--max-megapixels", "inf"), "infinity"),
        (("--input", "nowhere"), "nowhere: no such file"),
        (("--input-list", "nowhere.txt"), "--input-list nowhere.txt"),
        (("--input", "nosuch://x/y.png"), "nosuch://x/y.png: cannot be listed"),
        (("--output", "nosuch://x"), "--output nosuch://x: cannot be read"),
        (("--output", "tables [1]"), "choose a folder without them"),
        (("--model", "nowhere"), "nowhere: no model bundle; expected bundle.json and"),
        (("--model", "nosuch://x"), "--model nosuch://x: no model bundle"),
        (("--runner", "NoRunner"), "Unexpected pipeline runner"),
        (("--direct_num_workers", "two"), "invalid int value: 'two'"),
    ],
)
def test_wrong_usage_gives_exit_code_2_a_reason_and_no_output(digitize, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    before = files(tmp_path)
    done = digitize(*arguments)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert "Traceback" not in done.err
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("digitize", "--input", "", "--output", "tables"), "digitize: --input"),
        (("digitize", "--input", "a.png", "", "--output", "tables"), "digitize: --input"),
        (("digitize", "--input=", "--output", "tables"), "digitize: --input"),
        (("digitize", "--input", ".", "--output", ""), "digitize: --output"),
        (("digitize", "--input", ".", "--output", "tables", "--overlays="), "digitize: --overlays"),
        (("compact", ""), "compact: an argument"),
        (("segment", "a.png", "--output", ""), "segment: --output"),
        (("train", "--data", ".", "--output", "model", "--from", ""), "train: --from"),
        (("data", "pack", "--data", ".", "--output", ""), "data: --output"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(letter, monkeypatch, arguments, named):
    """As a variable that is not set gives it."""
    monkeypatch.chdir(letter.parent)
    done = inkbeam(*arguments)
    assert done.code == 2
    assert f"inkbeam {named}: is empty" in done.err
    assert list(letter.parent.iterdir()) == [letter]


def test_names_that_a_shell_made_of_a_pattern_are_told_from_options(output):
    done = inkbeam("review", output, "--documents", "a.png", "b.png", "--output", "x")
    assert done.code == 2 and "b.png: one too many" in done.err and "put patterns into quotes" in done.err


def test_only_options_that_there_are_are_proposed(digitize, output):
    """``OUTPUT`` of retry is no option, nor is the command."""
    for done in (inkbeam("retry", output, "--outptu=x"), digitize("--comand=x")):
        assert done.code == 2
        assert "unknown option" in done.err and "did you mean" not in done.err
    assert "(did you mean --run-id?)" in inkbeam("retry", output, "--runid=x").err


@pytest.mark.parametrize("option", ["--unit", "--existing"])
def test_choice_that_does_not_exist_is_wrong_usage(digitize, option):
    done = digitize(option, "page")
    assert done.code == 2
    assert option in done.err


def test_output_that_is_a_file_is_wrong_usage(digitize, output):
    output.write_text("precious")
    done = digitize()
    assert done.code == 2
    assert f"{output}: cannot be written" in done.err
    assert output.read_text() == "precious"


def test_damaged_model_is_wrong_usage(digitize, tiny_bundle, tmp_path, output):
    model = tmp_path / "model"
    shutil.copytree(tiny_bundle, model)
    weights = (model / "weights.safetensors").read_bytes()
    (model / "weights.safetensors").write_bytes(weights[: len(weights) // 2])
    done = digitize("--model", model)
    assert done.code == 2
    assert f"{model}: damaged model bundle" in done.err
    assert not output.exists()


def test_damaged_commit_file_is_wrong_usage_and_names_the_file(digitize, output):
    (output / "runs").mkdir(parents=True)
    (output / "runs" / "night-1.json").write_text("{")
    done = digitize()
    assert done.code == 2
    assert "night-1.json: damaged commit file" in done.err


def test_dry_run_writes_nothing(digitize, letter, output):
    done = digitize("--dry-run")
    assert done.code == 0
    assert done.out.splitlines() == [str(letter), "1 document would be read; 0 pages done and left out"]
    assert not output.exists()


def test_dry_run_in_json_is_json(digitize, letter):
    (letter.parent / "box").symlink_to(letter.parent.parent)
    done = digitize("--dry-run", "--log-format", "json", "--input", letter.parent)
    link, document, plan = map(json.loads, done.err.splitlines())
    assert (done.code, done.out) == (0, "")
    assert (link["event"], link["folders"]) == ("links_passed_over", 1)
    assert str(letter.parent / "box") in link["message"]
    assert (document["event"], document["uri"], document["pages_left_out"]) == ("would_be_read", str(letter), 0)
    assert (plan["event"], plan["documents"], plan["exit_code"]) == ("planned", 1, 0)


def test_dry_run_keeps_even_what_dead_runs_left(digitize, output):
    (output / "runs").mkdir(parents=True)
    (output / "runs" / "dead.started").write_text(json.dumps({"host": "x", "pid": 1, "process_started": ""}))
    before = files(output)
    assert digitize("--dry-run").code == 0
    assert files(output) == before


def test_error_that_nobody_foresaw_is_not_taken_for_a_finished_job(digitize, monkeypatch):
    """Python's own exit code for an exception is 1: done, with failed pages."""

    def fail(*_):
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(plans, "plan", fail)
    done = digitize()
    assert done.code == 3
    assert "ZeroDivisionError: surprise" in done.err


def test_exit_code_is_the_process_own(letter, output):
    run = "import sys; from pipelines.cli import main; sys.exit(main(sys.argv[1:]))"
    done = python(run, "digitize", "--input", letter.with_name("nowhere.png"), "--output", output)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("inkbeam digitize: ")
    assert "Traceback" not in done.stderr


# ------------------------------------------------------------------------------------------------ the other commands


def test_segment_draws_every_page(letter, tmp_path):
    broken_files_ = letter.with_name("two.tif")
    broken_files_.write_bytes(broken_files.tiff_of_levels([10, 240]))
    done = inkbeam("segment", letter.parent, "--output", tmp_path / "drawn")
    assert done.code == 0
    pictures = {p.name: cv2.imread(str(p)) for p in (tmp_path / "drawn").iterdir()}
    plain = {re.sub(r"-[0-9a-f]{8}(-|\.)", r"\1", name): picture for name, picture in pictures.items()}
    assert sorted(plain) == ["letter.png.png", "two.tif-page1.png", "two.tif-page2.png"]
    assert plain["letter.png.png"].shape[0] >= 280
    assert "3 lines" in done.out


def test_segment_keeps_pages_of_one_name_apart(letter, tmp_path):
    other = tmp_path / "other" / letter.name
    other.parent.mkdir()
    cv2.imwrite(str(other), draw_page(TEXT, margin=100).gray)
    done = inkbeam("segment", letter, other, "--output", tmp_path / "drawn")
    assert done.code == 0
    assert len(list((tmp_path / "drawn").iterdir())) == 2


def test_segment_says_how_many_regions_a_page_has(tmp_path):
    page = draw_page(TEXT, margin=100).gray
    cv2.imwrite(str(tmp_path / "book.png"), np.hstack([page, page]))
    done = inkbeam("segment", tmp_path / "book.png", "--output", tmp_path / "drawn")
    assert f"{2 * len(TEXT)} lines in 2 regions, " in done.out


def test_segment_goes_on_after_a_broken_file_and_says_so(letter, tmp_path):
    letter.with_name("a.png").write_bytes(broken_files.cut(broken_files.good_png)())
    letter.with_name("b.pdf").write_bytes(broken_files.empty())
    done = inkbeam("segment", letter.parent, "--output", tmp_path / "drawn")
    assert done.code == 1
    (drawn,) = (tmp_path / "drawn").iterdir()
    assert drawn.name.startswith("letter.png-")
    assert done.err.count("failed, left out: ") == 2


def test_segment_goes_on_after_a_page_that_cannot_be_segmented(letter, tmp_path, monkeypatch):
    letter.with_name("two.tif").write_bytes(broken_files.tiff_of_levels([10, 240]))

    def broken_on_black(gray, settings):
        if gray.max() < 20:
            raise ZeroDivisionError("no ink")
        return segment_upright(gray, settings)

    monkeypatch.setattr(segment, "segment_upright", broken_on_black)
    done = inkbeam("segment", letter.parent, "--output", tmp_path / "drawn")
    assert done.code == 1
    assert done.err == f"failed, left out: {letter.with_name('two.tif')}, page 1: no ink\n"
    assert len(list((tmp_path / "drawn").iterdir())) == 2


def test_segment_sums_a_volume_up_once(tmp_path, monkeypatch):
    content = broken_files.tiff_of_levels([10, 120, 240])
    (tmp_path / "three.tif").write_bytes(content)
    known = []

    def decoded(data, ref, settings, sha256):
        known.append(sha256)
        return decode_page(data, ref, settings, sha256)

    monkeypatch.setattr(segment, "decode_page", decoded)
    assert inkbeam("segment", tmp_path / "three.tif", "--output", tmp_path / "drawn").code == 0
    assert known == [hashlib.sha256(content).hexdigest()] * 3


def test_segment_draws_nothing_among_the_scans(letter):
    for pages in (letter, letter.parent):
        done = inkbeam("segment", pages, "--output", letter.parent)
        assert done.code == 2
        assert f"--output {letter.parent}" in done.err and "choose a folder outside" in done.err
    assert list(letter.parent.iterdir()) == [letter]


@pytest.mark.parametrize("output", ["letter.png", "letter.png/below"])
def test_segment_refuses_an_output_that_is_a_file(letter, output):
    done = inkbeam("segment", letter, "--output", letter.parent / output)
    assert done.code == 2
    assert "--output" in done.err


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_missing_data_is_wrong_usage(command, tmp_path):
    output = ("--output", tmp_path / "model") if command == "train" else ()
    done = inkbeam(command, "--data", tmp_path / "nowhere", *output)
    assert done.code == 2
    assert "nowhere" in done.err
    assert not (tmp_path / "model").exists()


def test_options_of_beam_are_for_digitize_only(letter, tmp_path):
    done = inkbeam("segment", letter, "--output", tmp_path / "drawn", "--runner=FnApiRunner")
    assert done.code == 2
    assert "unknown option --runner=FnApiRunner" in done.err


@pytest.fixture
def labelled(tmp_path):
    """A data set of a few drawn words, one of which cannot be read."""
    folder = tmp_path / "words"
    names = [f"{i}.png" for i in range(3)]
    for name in names:
        write_letter(folder / name, ("archive",))
    (folder / "broken.png").write_bytes(b"")
    rows = "".join(f"{name},archive\n" for name in (*names, "broken.png"))
    (folder / "labels.csv").write_text("filename,label\n" + rows)
    return folder


def test_evaluate_prints_and_saves_figures(labelled, tiny_bundle, tmp_path):
    done = inkbeam(
        *("evaluate", "--model", tiny_bundle, "--data", labelled, "--json", tmp_path / "figures.json"),
        *("--save-predictions", tmp_path / "predictions.parquet"),
    )
    assert done.code == 0, done.err
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["overall"]["samples"] == 3
    assert figures["skipped"] == 1 and "1 skipped (inkbeam data check tells why)" in done.out
    assert (tmp_path / "predictions.parquet").is_file()
    assert "CER %" in done.out


def test_evaluate_of_a_missing_model_is_wrong_usage(labelled, tmp_path):
    done = inkbeam("evaluate", "--model", tmp_path / "nowhere", "--data", labelled)
    assert done.code == 2
    assert "nowhere" in done.err


def test_training_without_a_sample_to_train_on_is_wrong_usage(labelled, tmp_path):
    (labelled / "labels.csv").write_text("filename,label\nbroken.png,archive\n")
    done = inkbeam("train", "--data", labelled, "--output", tmp_path / "model")
    assert done.code == 2
    assert "Traceback" not in done.err


def test_output_that_nobody_reads_any_more_is_no_error(tmp_path):
    for i in range(40):
        made_tables.write_run(tmp_path, f"night-{i:02}", 1, [made_tables.page(f"/s/{i}.png")])
    command = f"{sys.executable} -m pipelines.cli status {tmp_path} --lowest 0 --json | head -c 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=120, cwd=REPOSITORY)
    assert (done.stdout, done.stderr) == ("{", "")


def test_a_job_that_nobody_listens_to_is_not_done(letter, tmp_path):
    command = f"{sys.executable} -m pipelines.cli digitize --input {letter} --output {tmp_path / 'out'} --dry-run"
    script = f"PYTHONUNBUFFERED=1 {command} | true; exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, cwd=REPOSITORY).returncode == 3


def test_a_backend_that_is_not_installed_is_told_before_anything_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "no_such_backend")
    done = inkbeam("train", "--data", tmp_path, "--output", tmp_path / "model")
    assert done.code == 2
    assert "KERAS_BACKEND=no_such_backend: there is no such package; pip install no_such_backend" in done.err
    assert not (tmp_path / "model").exists()


def test_overlays_go_into_a_folder(tmp_path):
    write_letter(tmp_path / "scans" / "letter.png")
    (tmp_path / "notes.csv").write_text("kept")
    done = inkbeam(
        *("digitize", "--input", tmp_path / "scans", "--output", tmp_path / "tables"),
        *("--overlays", tmp_path / "notes.csv"),
    )
    assert done.code == 2 and "notes.csv: is a file; name a folder" in done.err
    assert not (tmp_path / "tables").exists()
