import csv

import cv2
import numpy as np
import pytest

from htr_model.data.samples import Sample
from htr_model.reading import reading
from htr_model.scoring import plots, report
from htr_model.scoring.calibration import judged_words, reliability
from htr_model.scoring.errors import by_collection, rates
from htr_model.scoring.evaluation import Evaluation, outcomes_of
from tests.htr_model.drawing import word

READ = [("corn", "com", "ann"), ("Ill", "lll", "ann"), ("a cat", "a cat", "bob"), ("$5", "S5", "bob"), ("x", "", None)]


def evaluation(read=READ, collection="set"):
    samples = [Sample(str(i), t, word(t), collection, writer) for i, (t, _, writer) in enumerate(read)]
    readings = [reading(p, (), (0.9,) * len(p)) for _, p, _ in read]
    outcomes = outcomes_of(samples, [p for _, p, _ in read])
    words = judged_words(samples, readings)
    return samples, Evaluation(rates(outcomes), by_collection(outcomes), 2.0, readings, outcomes, words)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("reports") / "new" / "report"
    samples, result = evaluation()
    rival = report.Rival("Other", result.overall, result.by_collection, 4.0)
    report.write(place, "A title", samples, result, rival)
    return place


def table(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_picture_of_the_page_is_there_and_shows_something(folder):
    text = (folder / report.PAGE).read_text(encoding="utf-8")
    pictures = {p.name for p in folder.glob("*.png")}
    assert pictures == {line.split("](")[1][:-1] for line in text.splitlines() if line.startswith("![")}
    for name in pictures:
        assert cv2.imread(str(folder / name)).std() > 0, name


def test_page_tells_figures_of_both_programs(folder):
    text = (folder / report.PAGE).read_text(encoding="utf-8")
    assert text.startswith("# A title\n")
    assert "| set | 5 | 33.33 |" in text
    assert "| set, Other | 5 | 33.33 |" in text
    assert "2.5 samples/s" in text and "Other: 4.0 s, 1.2 samples/s" in text
    assert "`rn` → `m` 1" in text


def test_tables_hold_what_was_confused_and_by_whom(folder):
    found = {(r["written"], r["read"]): (r["kind"], r["count"]) for r in table(folder / "confusions.csv")}
    assert found == {
        ("rn", "m"): ("substitution", "1"),
        ("I", "l"): ("substitution", "1"),
        ("$", "S"): ("substitution", "1"),
        ("x", ""): ("deletion", "1"),
    }
    assert [r["writer"] for r in table(folder / "by_writer.csv")] == ["set/ann", "set/bob"]
    assert {r["length"] for r in table(folder / "by_length.csv")} == {"1", "2", "3", "4", "5"}
    characters = {r["character"]: r for r in table(folder / "by_character.csv")}
    assert (characters["I"]["recall"], characters["l"]["precision"]) == ("0.0", "0.666667")


def test_nothing_wrong_and_nobody_named_makes_a_report_too(tmp_path):
    samples, result = evaluation([("a", "a", None)])
    report.write(tmp_path, "Perfect", samples, result)
    assert not (tmp_path / "by_writer.png").exists()
    assert "by_writer.png" not in (tmp_path / report.PAGE).read_text(encoding="utf-8")


def test_errors_in_the_grid_are_red_and_right_letters_are_not():
    def red(examples):
        pixels = plots.prediction_grid(examples).astype(int)
        return int(((pixels[..., 0] > 150) & (pixels[..., 1] < 80)).sum())

    gray = np.full((40, 100), 200, np.uint8)
    assert red([(gray, "cat", "cat")]) == 0
    assert 0 < red([(gray, "cat", "cut")]) < red([(gray, "cat", "dog")])
    assert red([(gray, "cat", "ct")]) > 0


def test_names_with_dollars_are_no_formulas(tmp_path):
    """Matplotlib would refuse such a formula, and training would end."""
    name, (_, result) = r"$\no{$", evaluation()
    plots.rates_by_group({name: result.overall, "$5 and $6": result.overall}, "writer", tmp_path / "writers.png")
    plots.reliability({name: reliability([0.5], [True])}, tmp_path / "reliability.png")
    row = {"epoch": 1, "loss": 1.0, "validation_loss": 1.0, "cer": 0.5, f"cer_{name}": 0.5}
    plots.training_curves([row], tmp_path / "curves.png")
    for picture in ("writers.png", "reliability.png", "curves.png"):
        assert cv2.imread(str(tmp_path / picture)).std() > 0
