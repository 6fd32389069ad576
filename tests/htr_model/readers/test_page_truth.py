import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from htr_model.data.samples import DatasetError, Skipped
from htr_model.readers.page_rows import page_of
from htr_model.readers.page_truth import TruePage, TrueWord, true_page, true_pages

PAGE = {
    "image": "images/one.png",
    "width": 400,
    "height": 300,
    "split": "train",
    "lines": [
        {"text": "first line", "bbox": [10, 10, 200, 40], "polygon": [[10, 10], [210, 10], [210, 50], [10, 50]]},
        {"text": "", "bbox": [10, 60, 200, 40]},
        {"text": "third", "bbox": [10, 110, 200, 40]},
    ],
}


def changed(**changes):
    return {**PAGE, **changes}


def true_page_of(**changes) -> TruePage:
    """The page with some changes."""
    return true_page(page_of(json.dumps(changed(**changes)), "pages.jsonl:1", Path("letters")))


def written(folder, *rows):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "pages.jsonl"
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in rows), encoding="utf-8")
    return path


def test_a_page_is_what_its_row_says(tmp_path):
    path = written(tmp_path / "letters", PAGE)
    (page,) = true_pages(path)
    assert (page.collection, page.picture) == ("letters", tmp_path / "letters" / "images" / "one.png")
    assert (page.size, page.split, page.line_height) == ((400, 300), "train", 40)
    assert [line.text for line in page.lines] == ["first line", "", "third"]
    assert page.text == "first line\nthird"
    np.testing.assert_array_equal(page.lines[0].outlines[0], PAGE["lines"][0]["polygon"])
    np.testing.assert_array_equal(page.lines[2].outlines[0], [[10, 110], [210, 110], [210, 150], [10, 150]])


def test_a_folder_stands_for_its_pages(tmp_path):
    written(tmp_path / "letters", PAGE, PAGE)
    assert len(list(true_pages(tmp_path / "letters"))) == 2


def test_a_thin_strip_is_rebuilt_around_the_baseline():
    strip = {
        "text": "struck",
        "bbox": [10, 197, 200, 6],
        "polygon": [[10, 197], [210, 197], [210, 203], [10, 203]],
        "baseline": [[10, 200], [210, 200]],
    }
    page = true_page_of(lines=[*PAGE["lines"], strip])
    ys = page.lines[3].outlines[0][:, 1]
    assert (ys.min(), ys.max()) == (pytest.approx(200 - 0.62 * 40), pytest.approx(200 + 0.30 * 40))


@pytest.mark.parametrize(("foot", "whole"), [(200, False), (204, True)])
def test_small_writing_keeps_its_outline_and_a_strip_that_ends_on_the_baseline_does_not(foot, whole):
    outline = [[10, foot - 14], [210, foot - 14], [210, foot], [10, foot]]
    line = {"text": "small", "bbox": [10, 186, 200, 18], "polygon": outline, "baseline": [[210, 200], [10, 200]]}
    page = true_page_of(lines=[*PAGE["lines"], line])
    assert (np.ptp(page.lines[3].outlines[0][:, 1]) == 14) == whole


def test_a_baseline_runs_from_left_to_right_however_it_was_drawn():
    drawn = {"text": "back", "bbox": [10, 10, 200, 40], "baseline": [[210, 52], [110, 48], [10, 50]]}
    page = true_page_of(lines=[drawn])
    np.testing.assert_array_equal(page.lines[0].baseline, [[10, 50], [110, 48], [210, 52]])


@pytest.mark.parametrize(
    ("told", "split"), [("Training", "train"), ("val", "validation"), ("eval", "test"), ("", None)]
)
def test_the_split_of_a_page_has_one_name(tmp_path, told, split):
    (page,) = true_pages(written(tmp_path, changed(split=told)))
    assert page.split == split


def test_pages_of_an_unknown_split_are_skipped(tmp_path):
    (skipped,) = true_pages(written(tmp_path, changed(split="fold 1")))
    assert skipped == Skipped("pages.jsonl:1", "split 'fold 1' is none of train, validation, test")


def test_punctuation_apart_is_merged_into_its_word():
    tokens = [("You", [10, 10, 40, 20]), ("'re", [52, 8, 20, 22]), ('"', [90, 8, 6, 6]), ("in", [98, 10, 20, 20])]
    tokens += [('"', [120, 8, 6, 6]), (".", [130, 26, 4, 4])]
    line = {
        "text": 'You \'re " in " .',
        "bbox": [10, 8, 124, 22],
        "words": [{"text": t, "bbox": b} for t, b in tokens],
    }
    page = true_page_of(lines=[line])
    assert page.lines[0].text == 'You\'re "in".'
    assert page.lines[0].words == (TrueWord("You're", (10, 8, 72, 30)), TrueWord('"in".', (90, 8, 134, 30)))
    assert len(page.lines[0].outlines) == len(tokens)


def test_boxes_of_some_words_only_are_not_taken_for_all():
    line = {"text": "31st Dec", "bbox": [0, 0, 90, 20], "words": [{"text": "35", "bbox": [0, 0, 20, 20]}]}
    page = true_page_of(lines=[line])
    assert (page.lines[0].text, page.lines[0].words) == ("31st Dec", ())


def test_a_page_may_have_no_lines():
    page = true_page_of(lines=[])
    assert (page.lines, page.text, page.line_height) == ((), "", 0)


@pytest.mark.parametrize(
    "row",
    [
        "{",
        "[]",
        "null",
        '"page"',
        "[" * 5000,
        {"lines": []},
        {"image": "x.png"},
        changed(lines=None),
        changed(lines="ab"),
        changed(lines=[7]),
        changed(lines=[{"text": "no place"}]),
        changed(lines=[{"text": "x", "bbox": [1, 2]}]),
        changed(lines=[{"text": "x", "bbox": [1, 2, "wide", 4]}]),
        changed(lines=[{"text": "x", "bbox": [1, 2, 3, math.nan]}]),
        changed(lines=[{"text": "x", "bbox": [1, 2, 3, math.inf]}]),
        changed(lines=[{"text": "x", "bbox": [1, 2, 3, 4], "polygon": [[1, 2], [3]]}]),
        changed(lines=[{"text": "x", "bbox": [1, 2, 3, 4], "polygon": [[1e12, 2], [3, 4], [5, 6]]}]),
        changed(lines=[{"text": "x", "bbox": [1, 2, 3, 4], "words": [{"text": 3, "bbox": [1, 2, 3, 4]}]}]),
        changed(lines=[{"text": "x", "bbox": [1, 2, 3, 4], "words": [{"text": "x"}]}]),
        changed(width="wide"),
        changed(image="../secret.png"),
        changed(image="/etc/passwd"),
    ],
)
def test_rows_that_are_no_page_are_skipped_with_their_number(tmp_path, row):
    items = list(true_pages(written(tmp_path, PAGE, row, "", PAGE)))
    assert len(items) == 3
    assert isinstance(items[1], Skipped)
    assert items[1].id == "pages.jsonl:2"
    assert [item.text for item in (items[0], items[2])] == ["first line\nthird"] * 2


def test_a_path_without_pages_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds no pages.jsonl, PAGE or ALTO files"):
        list(true_pages(tmp_path))
    with pytest.raises(DatasetError, match="no such file or folder"):
        list(true_pages(tmp_path / "nowhere"))


PAGE_XML = """<?xml version="1.0" encoding="UTF-8"?>
<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15">
<Page imageFilename="one.png" imageWidth="800" imageHeight="600"><TextRegion id="r">
<TextLine id="a"><Coords points="20,20 420,20 420,100 20,100"/><TextEquiv><Unicode>first line</Unicode></TextEquiv>
</TextLine><TextLine id="b"><Coords points="{points}"/></TextLine></TextRegion></Page></PcGts>"""


def test_page_xml_is_read_in_pixels_of_its_picture(tmp_path):
    folder = tmp_path / "letters"
    (folder / "page").mkdir(parents=True)
    cv2.imwrite(str(folder / "one.png"), np.full((300, 400), 255, np.uint8))
    (folder / "page" / "one.xml").write_text(PAGE_XML.format(points="20,120 420,120 420,200"))
    (folder / "page" / "two.xml").write_text(PAGE_XML.format(points="20,no"))
    page, broken = true_pages(folder)
    assert (page.collection, page.picture, page.size) == ("letters", folder / "one.png", (400, 300))
    assert [line.text for line in page.lines] == ["first line", ""]
    np.testing.assert_array_equal(page.lines[0].outlines[0], [[10, 10], [210, 10], [210, 50], [10, 50]])
    assert page.line_height == 40
    assert broken == Skipped("one.png", "not a page: not a coordinate: 'no'")
    assert [p.text for p in true_pages(folder / "page" / "one.xml")] == ["first line"]


def test_a_line_without_a_place_keeps_its_text_and_the_page_its_other_lines():
    page = true_page_of(lines=[*PAGE["lines"], {"text": "somewhere"}])
    assert page.text == "first line\nthird\nsomewhere"
    assert [len(line.outlines) for line in page.lines] == [1, 1, 1, 0]


def test_a_page_without_any_places_says_so(tmp_path):
    (page,) = true_pages(written(tmp_path, changed(lines=[{"text": "somewhere"}])))
    assert page == Skipped("pages.jsonl:1", "not a page: no coordinates of its lines")


def test_a_page_knows_its_writer():
    assert true_page_of(writer=7).writer == "7"
