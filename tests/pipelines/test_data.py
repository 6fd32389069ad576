"""``inkbeam data``: checking and making training data."""

import shutil
from pathlib import Path

import cv2
import matplotlib
import pytest

from tests.htr_model.drawing import png, word
from tests.pipelines.jobs import inkbeam


@pytest.fixture
def words(tmp_path):
    root = tmp_path / "words"
    root.mkdir()
    rows = ["filename,label"]
    for text in ("archive", "hands", "quill"):
        (root / f"{text}.png").write_bytes(png(word(text)))
        rows.append(f"{text}.png,{text}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.mark.parametrize("command", ["check", "synthesize"])
def test_help_fits_a_screen(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = inkbeam("data", command, "--help")
    assert done.code == 0
    assert len(done.out.splitlines()) <= 45
    assert max(map(len, done.out.splitlines())) <= 80


def test_clean_data_gives_0(words):
    done = inkbeam("data", "check", words)
    assert done.code == 0
    assert "a CSV file of picture names and labels" in " ".join(done.out.split())
    assert "Left out" not in done.out
    assert "Duplicates" not in done.out


def test_what_would_be_skipped_gives_1_and_its_reason(words):
    shutil.copy(words / "hands.png", words / "copy.png")
    with open(words / "labels.csv", "a", encoding="utf-8") as labels:
        labels.write("gone.png,gone\ncopy.png,[bold]ש\n")
    done = inkbeam("data", "check", words)
    assert done.code == 1
    for expected in ("no such picture", "gone.png", "characters outside the charset", "U+05E9", "same picture"):
        assert expected in done.out


def test_charset_of_a_bundle_counts(words, tiny_bundle):
    (words / "labels.csv").write_text("filename,label\nhands.png,Zz\n")
    assert inkbeam("data", "check", words).code == 0
    done = inkbeam("data", "check", words, "--charset-of", tiny_bundle)
    assert "U+005A" in done.out
    assert done.code == 2  # nothing is left that could be trained on
    assert "no sample can be trained on" in done.err


def test_contact_sheet_is_drawn(words, tmp_path):
    sheet = tmp_path / "sheets" / "words.png"
    assert inkbeam("data", "check", words, "--contact-sheet", sheet).code == 0
    assert cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE).shape[1] == 1400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nowhere"), "nowhere: no such file or folder"),
        (("check", "."), "no known layout; expected IAM's tree"),
        (("check", ".", "--contact-sheet", "a.jpg"), "must end in .png"),
        (("check", ".", "--charset", "x"), "unknown option --charset"),
        (("synthesize", "--fonts", "f", "--text", "t", "--count", "0", "--output", "a.parquet"), "--count"),
        (("synthesize", "--fonts", "f", "--text", "t", "--count", "1", "--output", "a.csv"), ".parquet"),
        (("synthesize", "--fonts", "f", "--text", "t", "--count", "1", "--output", "a.parquet"), "no such folder"),
    ],
)
def test_wrong_usage_gives_2_and_a_reason(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = inkbeam("data", *arguments)
    assert done.code == 2
    assert message in done.err
    assert not list(tmp_path.iterdir())


def test_synthesized_data_passes_the_check(tmp_path):
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    shutil.copy(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", fonts)
    (fonts / "broken.ttf").write_text("no font")
    (tmp_path / "story.txt").write_text("Come before Easter, if the roads allow.")
    output = tmp_path / "lines.parquet"
    made = inkbeam(
        *("data", "synthesize", "--fonts", fonts, "--text", tmp_path / "story.txt"),
        *("--count", "6", "--output", output, "--seed", "3"),
    )
    assert made.code == 0
    assert f"{output}: 6 pictures of 1 fonts" in made.out
    assert "left out: broken: not a font" in made.err
    checked = inkbeam("data", "check", output)
    assert checked.code == 0
    assert "Parquet with columns id, text and image" in checked.out
