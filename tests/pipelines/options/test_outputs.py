"""Files that are no result of a command are not replaced by one."""

import pytest

from pipelines.errors import UsageError
from pipelines.options.outputs import refuse_unwritable
from tests.pipelines.jobs import inkbeam


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "archive", "dear", "--pictures", "{file}"), "--pictures: {file}: its name must end in .html"),
        (("evaluate", "--data", "d", "--json", "{file}"), "--json: {file}: its name must end in .json"),
        (("calibrate", "--data", "d", "--output", "model", "--json", "{file}"), "its name must end in .json"),
        (("evaluate", "--data", "d", "--save-predictions", "{file}"), "its name must end in .parquet"),
        (("evaluate-pages", "--pages", "d", "--json", "{file}"), "its name must end in .json"),
        (("digitize", "--input", "{file}", "--output", "archive", "--metrics-file", "{file}"), "something else than"),
        (("language-model", "{file}", "--output", "{file}"), "is one of the texts"),
    ],
)
def test_a_scan_or_a_text_is_not_replaced(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "scan.jpg"
    file.write_bytes(b"precious")
    done = inkbeam(*(a.format(file=file) for a in arguments))
    assert done.code == 2 and message.format(file=file) in done.err
    assert file.read_bytes() == b"precious"
    assert list(tmp_path.iterdir()) == [file]


def test_data_is_not_replaced_by_what_was_read_of_it(tmp_path):
    data = tmp_path / "words.parquet"
    data.write_bytes(b"precious")
    done = inkbeam("evaluate", "--data", data, "--save-predictions", data)
    assert done.code == 2 and "is the data itself" in done.err
    assert data.read_bytes() == b"precious"


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "--data", "{data}", "--report", "{file}/report"),
        ("evaluate", "--data", "{data}", "--json", "{file}/figures.json"),
        ("evaluate", "--data", "{data}", "--save-predictions", "{file}/read.parquet"),
        ("evaluate-pages", "--pages", "{data}", "--report", "{file}/report"),
        ("evaluate-pages", "--pages", "{data}", "--json", "{file}/figures.json"),
        ("train", "--data", "{data}", "--output", "{file}/model"),
        ("train-lines", "--data", "{data}", "--output", "{file}/lines"),
        ("calibrate", "--data", "{data}", "--output", "{file}/model"),
        ("calibrate", "--data", "{data}", "--output", "model", "--json", "{file}/figures.json"),
        ("data", "check", "{data}", "--contact-sheet", "{file}/sheet.png"),
        ("data", "pack", "{data}", "--output", "{file}/words.parquet"),
        ("data", "synthesize", "--fonts", "{data}", "--text", "t", "--count", "1", "--output", "{file}/w.parquet"),
        ("language-model", "{data}", "--output", "{file}/letters.lm"),
    ],
)
def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "note"
    file.write_bytes(b"precious")
    place = next(a for a in arguments if a.startswith("{file}/")).format(file=file)
    # Nobody has looked for the data yet, which are not there.
    done = inkbeam(*(a.format(file=file, data=tmp_path / "nowhere") for a in arguments))
    assert done.code == 2 and f"{place}: cannot be written ({file} is a file); name another place" in done.err
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_is_no_file_and_a_file_no_folder(tmp_path):
    file = tmp_path / "note"
    file.write_bytes(b"precious")
    with pytest.raises(UsageError, match=f"--json {tmp_path}: is a folder; name a file"):
        refuse_unwritable("--json", str(tmp_path))
    with pytest.raises(UsageError, match=f"--report {file}: is a file; name a folder"):
        refuse_unwritable("--report", str(file), folder=True)
    refuse_unwritable("--json", str(file))
    refuse_unwritable("--report", str(tmp_path / "new" / "report"), folder=True)
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_without_permission_is_told(tmp_path, monkeypatch):
    """As on a disk that is mounted to be read alone; who runs tests may be allowed everything."""
    monkeypatch.setattr("os.access", lambda path, mode: path != str(tmp_path))
    with pytest.raises(UsageError, match="no permission to write to"):
        refuse_unwritable("--report", str(tmp_path / "report"), folder=True)
