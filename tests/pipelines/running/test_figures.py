import os
import stat

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines import exit_codes
from pipelines.errors import JobFailed, UsageError
from pipelines.running import figures
from tests.pipelines.jobs import inkbeam
from tests.pipelines.made_tables import moment, write_run


def parsed(path):
    """Values of a file's samples by name and labels."""
    families = text_string_to_metric_families(path.read_text())
    return {(s.name, *sorted(s.labels.items())): s.value for f in families for s in f.samples}


def test_figures_come_back_as_prometheus_reads_them(tmp_path):
    write_run(tmp_path / 'my "tables"', "night-1", 5)
    output, path = str(tmp_path / 'my "tables"'), tmp_path / "inkbeam.prom"
    with figures.reported(str(path), output) as report:
        report.set("inkbeam_pages", "Pages", 7)
        report.set("inkbeam_mean_confidence", "Confidence", None)
        report.stage_seconds = {"read": 1.5, "segment": 2.5}
        report.run = {"run_id": "night-2", "model_id": "m"}
        report.exit_code = exit_codes.TOO_MANY_FAILURES
    found = parsed(path)
    where = ("output", output)
    assert found["inkbeam_exit_code", where] == 1
    assert found["inkbeam_pages", where] == 7
    assert found["inkbeam_stage_seconds", where, ("stage", "segment")] == 2.5
    assert found["inkbeam_run_info", ("model_id", "m"), where, ("run_id", "night-2")] == 1
    assert found["inkbeam_committed_timestamp_seconds", where] == moment(5, 10).timestamp()
    assert found["inkbeam_finished_timestamp_seconds", where] > 0
    assert not [name for name, *_ in found if "confidence" in name]
    assert os.listdir(tmp_path) == ['my "tables"', "inkbeam.prom"] or len(os.listdir(tmp_path)) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("x"), 2), (JobFailed("x"), 3), (KeyboardInterrupt(), 3), (ValueError(), 3)]
)
def test_command_that_fails_writes_its_exit_code(tmp_path, error, code):
    path = tmp_path / "inkbeam.prom"
    with pytest.raises(type(error)), figures.reported(str(path), "/out"):
        raise error
    assert parsed(path)["inkbeam_exit_code", ("output", "/out")] == code
    assert ("inkbeam_committed_timestamp_seconds", ("output", "/out")) not in parsed(path)


def test_folder_that_is_missing_is_wrong_usage_before_the_work(tmp_path):
    with pytest.raises(UsageError, match="--metrics-file"), figures.reported(str(tmp_path / "no" / "f"), "/out"):
        pytest.fail("the work began")


def test_name_of_a_folder_is_wrong_usage_before_the_work(tmp_path):
    with pytest.raises(UsageError, match="is a folder"), figures.reported(str(tmp_path), "/out"):
        pytest.fail("the work began")


def test_figures_that_cannot_be_written_change_no_exit_code(tmp_path, caplog):
    folder = tmp_path / "figures"
    folder.mkdir()
    with figures.reported(str(folder / "f"), "/out"):
        folder.rmdir()
    assert "cannot be written" in caplog.text


def test_no_file_is_written_without_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with figures.reported(None, "/out"):
        pass
    assert os.listdir(tmp_path) == []


def test_refused_run_is_told(tmp_path):
    path = tmp_path / "inkbeam.prom"
    done = inkbeam("digitize", "--input", tmp_path / "no", "--output", tmp_path / "out", "--metrics-file", path)
    assert done.code == 2
    assert parsed(path)["inkbeam_exit_code", ("output", str(tmp_path / "out"))] == 2
