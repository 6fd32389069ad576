"""Files that are no result of a command are not replaced by one."""

import pytest

from tests.pipelines.jobs import inkbeam


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("search", "archive", "dear", "--pictures", "{file}"), "--pictures: {file}: its name must end in .html"),
        (("evaluate", "--data", "d", "--json", "{file}"), "--json: {file}: its name must end in .json"),
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
