"""Pictures with text files of the same name."""

import pytest

from htr_model.charset import Charset
from htr_model.data.packing import pack
from htr_model.data.samples import Sample, Skipped
from htr_model.data.splits import split
from htr_model.normalization import Normalization
from htr_model.readers.datasets import read, recognise
from htr_model.readers.page_truth import TruePage, transcribed_pages
from tests.htr_model.drawing import png, word


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "lines"
    root.mkdir()
    for name in ("one.png", "two.JPG", "three.bin.png", "four.png", "five.png", "six.png", "seven.png"):
        (root / name).write_bytes(png(word(name[:3])))
    (root / "eight.png").write_bytes(b"no picture")
    return root


def test_pictures_with_texts_beside_them(folder):
    (folder / "one.gt.txt").write_text("\ufeffthe “one”\n", encoding="utf-8")
    (folder / "one.txt").write_text("what a machine read")
    (folder / "two.txt").write_text("two")
    (folder / "three.gt.txt").write_text("three")
    (folder / "four.txt").write_text("four\n\nand more\n")
    (folder / "five.txt").write_bytes("été".encode("latin-1"))
    (folder / "six.txt").write_text(" \n")
    (folder / "eight.txt").write_text("eight")
    (folder / "README.txt").write_text("about these pictures\nand where they are from")
    assert recognise(folder).layout == "text"
    items = list(read(folder))
    assert [(i.id, i.text, i.collection) for i in items if isinstance(i, Sample)] == [
        ("one.png", 'the "one"', "lines"),
        ("three.bin.png", "three", "lines"),
        ("two.JPG", "two", "lines"),
    ]
    assert {i.id: i.reason for i in items if isinstance(i, Skipped)} == {
        "eight.png": "not a readable picture",
        "five.png": "five.txt is not text in UTF-8",
        "four.png": "four.txt holds 2 lines; a picture of one line is expected (of pages: inkbeam data pack --lines "
        "transcribed)",
        "seven.png": "no text file seven.txt or seven.gt.txt that can be read",
        "six.png": "no text",
    }


def test_xml_counts_before_texts_of_whole_pages(folder):
    (folder / "one.txt").write_text("one")
    (folder / "note.xml").write_text("<html/>")
    assert recognise(folder).layout == "text"
    (folder / "page.xml").write_text('<PcGts><Page imageFilename="one.png"/></PcGts>')
    assert recognise(folder).layout == "xml"


def test_two_pictures_of_one_line_stay_together(folder):
    (folder / "three.nrm.png").write_bytes(png(word("three")))
    (folder / "three.gt.txt").write_text("three")
    groups = {item.id: item.group for item in read(folder) if isinstance(item, Sample)}
    assert groups == {"three.bin.png": "three.gt.txt", "three.nrm.png": "three.gt.txt"}


@pytest.fixture
def latin_named(tmp_path):
    """Two lines; the name of one is from before UTF-8."""
    root = tmp_path / "old"
    root.mkdir()
    for name in ("caf\udce9", "cafe"):
        try:
            (root / f"{name}.png").write_bytes(png(word("one")))
        except OSError:
            pytest.skip("this file system takes no such name")
        (root / f"{name}.gt.txt").write_text("one")
    return root


def test_a_name_that_is_no_text_costs_only_its_sample(latin_named, tmp_path):
    usable, skipped = sorted(read(latin_named), key=lambda item: isinstance(item, Skipped))
    assert usable.id == "cafe.png"
    assert skipped == Skipped(r"caf\udce9.png", "a name is not valid UTF-8; rename the file or folder")
    assert [len(side) for side in split([usable])] == [0, 1]
    assert pack(read(latin_named), tmp_path / "a.parquet", Normalization()) == (1, [skipped])
    assert transcribed_names(latin_named) == {"cafe.png": "one", r"caf\udce9.png": skipped.reason}


def transcribed_names(folder) -> dict:
    """Text of pages and reason of what was skipped, by the picture's name."""
    pages = list(transcribed_pages(folder))
    named = {page.picture.name: page.text for page in pages if isinstance(page, TruePage)}
    return named | {page.id: page.reason for page in pages if isinstance(page, Skipped)}


def test_what_is_skipped_of_such_a_name_is_told_in_words_that_files_can_hold(latin_named):
    for picture in latin_named.glob("*.png"):
        picture.write_bytes(b"no picture")
    assert {(item.id, item.reason) for item in read(latin_named)} == {
        ("cafe.png", "not a readable picture"), (r"caf\udce9.png", "not a readable picture")
    }  # fmt: skip


def test_characters_that_nobody_can_have_written_cost_only_their_sample(folder):
    """As a text in Windows' encoding has them that was taken for Latin-1."""
    (folder / "one.txt").write_text("l\x92un", encoding="utf-8")
    (folder / "two.txt").write_text("two \u200c\ue5dc", encoding="utf-8")
    found = {item.id: item for item in read(folder)}
    assert found["one.png"].reason == r"its text holds '\x92', which nobody can have written"
    assert len(Charset(found["two.JPG"].text)) == 6


def test_samples_of_a_folder_whose_name_is_no_text_are_skipped(folder, tmp_path):
    (folder / "one.txt").write_text("one")
    try:
        folder = folder.rename(tmp_path / "caf\udce9")
    except OSError:
        pytest.skip("this file system takes no such name")
    reasons = {item.id: item.reason for item in read(folder)}
    assert "not valid UTF-8" in reasons["one.png"]
