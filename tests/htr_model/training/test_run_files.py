import csv

from htr_model.training.run_files import write_history


def rows(path) -> list[dict]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_history_has_the_columns_of_all_its_rows(tmp_path):
    """Runs that are resumed on other data measure other collections."""
    path = tmp_path / "history.csv"
    write_history([{"epoch": 1, "cer": 0.5, "cer_iam": 0.5}, {"epoch": 2, "cer": 0.25, "cer_letters": 0.25}], path)
    assert rows(path) == [
        {"epoch": "1", "cer": "0.5", "cer_iam": "0.5", "cer_letters": ""},
        {"epoch": "2", "cer": "0.25", "cer_iam": "", "cer_letters": "0.25"},
    ]


def test_history_without_rows_has_the_columns_that_are_named(tmp_path):
    path = tmp_path / "history.csv"
    write_history([], path, ("step", "loss"))
    assert path.read_text() == "step,loss\n"
    write_history([{"step": 1, "loss": 0.5}], path, ("step", "loss"))
    assert rows(path) == [{"step": "1", "loss": "0.5"}]
