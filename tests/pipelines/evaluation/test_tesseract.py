import os
import shutil
import stat

import pytest

from pipelines.errors import UsageError
from pipelines.evaluation import tesseract
from tests.htr_model.drawing import word

installed = pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a shell script in Tesseract's place."""

    def make(script: str):
        folder = tmp_path / "bin"
        folder.mkdir()
        file = folder / "tesseract"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return make


def test_missing_program_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt install tesseract-ocr"):
        tesseract.require("eng")


def test_missing_language_says_which_there_are(program):
    program('echo "List of available languages:"; echo eng; echo osd')
    tesseract.require("eng")
    with pytest.raises(UsageError, match=r"eng\+xyz: Tesseract has no xyz .*tesseract-ocr-xyz.* it has eng, osd"):
        tesseract.require("eng+xyz")


@installed
def test_words_and_lines_come_back_in_their_order():
    pictures = [word("Monday", 60), word("The old house", 60), word("river", 60)]
    read = tesseract.read_pictures(pictures, [tesseract.WORD, tesseract.LINE, tesseract.WORD], "eng")
    for text, expected in zip(read, ("monday", "old house", "river"), strict=True):
        assert expected in text.casefold()


def test_picture_that_breaks_the_program_costs_only_itself(program):
    # Breaks on a list and on the second picture, as Tesseract does on a list with one bad picture.
    program('case "$1" in *list.txt|*/1.png) exit 1;; esac; basename "$1"')
    read = tesseract.read_pictures([word("a")] * 3, [tesseract.WORD] * 3, "eng")
    assert read == ["0.png", "", "2.png"]


def test_picture_on_which_the_program_hangs_costs_only_itself(program, monkeypatch):
    monkeypatch.setattr(tesseract, "_SECONDS", 0.5)
    program('case "$1" in *list.txt|*/0.png) exec sleep 20;; esac; basename "$1"')
    assert tesseract.read_pictures([word("a")] * 2, [tesseract.WORD] * 2, "eng") == ["", "1.png"]


def test_mode_and_language_are_handed_over(program):
    program('echo "$3 $4 $5 $6"; printf "\\f"')
    assert tesseract.read_pictures([word("a")], [tesseract.LINE], "eng+fra") == ["-l eng+fra --psm 7"]


def test_no_pictures_are_read_without_a_program(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert tesseract.read_pictures([], [], "eng") == []
