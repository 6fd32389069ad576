"""The option ``--lines``: which finder of lines a job uses, and what depends on it."""

import shutil
from dataclasses import replace

import pytest

from pipelines.job import Job
from pipelines.options.lines import segmentation_settings
from segmentation.lines.network import DEFAULT
from tests.pipelines.jobs import files, inkbeam, python, rows
from tests.pipelines.test_evaluate_pages import write_pages
from tests.segmentation.line_networks import smearing_network, write_network


@pytest.fixture
def network(tmp_path):
    return write_network(tmp_path / "lines", smearing_network())


def job(**changes):
    return Job(("scans",), "tables", "a", **changes)


def test_a_job_without_a_network_has_the_fingerprint_that_jobs_had_before_there_were_networks():
    of_that_time = replace(segmentation_settings("classical"), working_side=2200)
    assert job(segmentation=of_that_time).fingerprint == "f4cb958c47d0fa6d"


def test_a_job_uses_the_network_of_the_package_unless_told_otherwise():
    assert job().fingerprint == job(segmentation=segmentation_settings("learned")).fingerprint
    assert job().segmentation.line_model == DEFAULT
    assert (DEFAULT / "README.md").read_text().startswith("# Line network")
    assert sum(f.stat().st_size for f in DEFAULT.iterdir()) < 2 * 2**20


def test_a_network_changes_the_fingerprint_and_so_does_another_one(network, tmp_path):
    other = write_network(tmp_path / "other", smearing_network(), x_height=8.0)
    learned = [job(segmentation=segmentation_settings(str(n))).fingerprint for n in (network, other)]
    prints = {job().fingerprint, job(segmentation=segmentation_settings("classical")).fingerprint, *learned}
    assert len(prints) == 4
    copy = write_network(tmp_path / "copy", smearing_network())
    assert job(segmentation=segmentation_settings(str(copy))).fingerprint in prints


@pytest.mark.parametrize("command", ["digitize", "segment", "evaluate-pages"])
def test_a_missing_network_is_wrong_usage(command, letter, tmp_path):
    data = {"digitize": ("--input", letter), "segment": (letter,), "evaluate-pages": ("--pages", letter)}[command]
    where = () if command == "evaluate-pages" else ("--output", tmp_path / "out")
    done = inkbeam(command, *data, *where, "--lines", tmp_path / "nowhere")
    assert done.code == 2
    assert f"--lines {tmp_path / 'nowhere'}" in done.err and "neither learned nor classical" in done.err


@pytest.mark.parametrize("command", ["digitize", "segment", "evaluate-pages"])
def test_a_damaged_network_is_told_of_before_the_first_page(command, letter, network, tmp_path):
    data = {"digitize": ("--input", letter), "segment": (letter,), "evaluate-pages": ("--pages", letter)}[command]
    where = () if command == "evaluate-pages" else ("--output", tmp_path / "out")
    (network / "network.onnx").write_bytes((network / "network.onnx").read_bytes()[:100])
    done = inkbeam(command, *data, *where, "--lines", network)
    assert done.code == 2
    assert f"--lines {network}" in done.err and "damaged line network" in done.err and "--lines classical" in done.err
    assert not (tmp_path / "out").exists()


def test_the_classical_finder_needs_no_network(letter, tmp_path):
    done = inkbeam("segment", letter, "--output", tmp_path / "pictures", "--lines", "classical")
    assert done.code == 0 and "3 lines" in done.out


def test_retry_tells_of_a_network_that_was_damaged_since(letter, network, tmp_path, tiny_bundle):
    letter.with_name("broken.png").write_bytes(b"no picture")
    tables = tmp_path / "tables"
    read = ("digitize", "--input", letter.parent, "--output", tables, "--model", tiny_bundle, "--lines", network)
    assert inkbeam(*read).code == 1
    (network / "network.onnx").write_bytes(b"no network")
    # In a process of its own: this one remembers the network.
    done = python("import sys; from pipelines.cli import main; sys.exit(main(sys.argv[1:]))", "retry", tables)
    assert done.returncode == 2 and "damaged line network" in done.stderr


def test_pages_are_digitized_segmented_and_measured_with_a_network(letter, network, tmp_path, tiny_bundle):
    tables = tmp_path / "tables"
    read = ("digitize", "--input", letter, "--output", tables, "--model", tiny_bundle)
    assert inkbeam(*read, "--lines", network).code == 0
    (page,) = rows(tables, "pages")
    assert len(page["lines"]) == 3
    assert "Nothing to do" in inkbeam(*read, "--lines", network).out
    assert "1 page," in inkbeam(*read).out  # another finder may find other lines: it is read again
    done = inkbeam("segment", letter, "--output", tmp_path / "pictures", "--lines", network)
    assert done.code == 0 and "3 lines" in done.out
    data = write_pages(tmp_path / "data", "validation")
    done = inkbeam("evaluate-pages", "--pages", data, "--layout-only", "--lines", network)
    assert done.code == 0 and "1.000" in done.out


def test_a_network_is_trained_by_one_command_and_used_by_the_others(letter, tmp_path, monkeypatch):
    from htr_model.line_finder.training import LineTrainingRun

    validate, measured = LineTrainingRun.validate, []
    monkeypatch.setattr(LineTrainingRun, "validate", lambda run: measured.append(run) or validate(run))
    data, output = write_pages(tmp_path / "data", "train", "validation"), tmp_path / "trained"
    done = inkbeam("train-lines", "--data", data, "--output", output, "--steps", 2)
    assert done.code == 0, done.err
    assert "1 page to train on, 1 to validate" in done.out and "2 steps" in done.out
    assert len(measured) == 1
    assert inkbeam("segment", letter, "--output", tmp_path / "pictures", "--lines", output).code == 0


def test_a_finished_network_is_not_trained_over(network, tmp_path):
    data, output = write_pages(tmp_path / "data", "train"), tmp_path / "trained"
    shutil.copytree(network, output)
    before = files(output)
    done = inkbeam("train-lines", "--data", data, "--output", output, "--steps", 1)
    assert done.code == 2 and "holds a line network already" in done.err
    assert files(output) == before
    done = inkbeam("train-lines", "--data", data, "--output", output, "--steps", 1, "--resume")
    assert done.code == 2 and "no checkpoint" in done.err
    assert inkbeam("train-lines", "--data", data, "--output", tmp_path / "new", "--resume").code == 2
    assert not (tmp_path / "new").exists()
    done = inkbeam("train-lines", "--data", data, "--output", tmp_path / "new", "--steps", 1)
    assert "warning: without pages to validate" in done.err and "1 step in 0 minutes; not validated" in done.out
    assert "apitools" not in done.err


def test_the_seed_of_training_is_explained_and_must_not_be_negative(tmp_path):
    assert "of pieces and weights (default: 0)" in " ".join(inkbeam("train-lines", "--help").out.split())
    data = write_pages(tmp_path / "data", "train")
    done = inkbeam("train-lines", "--data", data, "--output", tmp_path / "out", "--seed", -1)
    assert done.code == 2 and "the seed must not be negative, got -1" in done.err
    assert not (tmp_path / "out").exists()


def test_training_without_pages_is_wrong_usage(tmp_path):
    done = inkbeam("train-lines", "--data", tmp_path / "nowhere", "--output", tmp_path / "out")
    assert done.code == 2 and "no such file" in done.err
    done = inkbeam("train-lines", "--data", write_pages(tmp_path / "d", "validation"), "--output", tmp_path / "out")
    assert done.code == 2 and "no page to train on" in done.err
