"""Words found in made-up tables: misread, by an alternative, as a phrase; and pictures of the places."""

import base64
import hashlib
import json
import re
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from pipelines.archive.reading import open_archive
from pipelines.search import Hit, plain, search, terms
from tests.pipelines import made_tables
from tests.pipelines.drawing import LETTER, page
from tests.pipelines.jobs import inkbeam
from tests.pipelines.made_tables import write_run


def row(uri, line, number, text, confidence=0.9, others=(), region=0):
    place = {"document_uri": uri, "page_index": 0, "line_index": line, "word_index": number, "region_index": region}
    sides = {"left": 10 + 50 * number, "top": 20 + 40 * line, "right": 50 + 50 * number, "bottom": 50 + 40 * line}
    alternatives = [{"text": other, "confidence": sure} for other, sure in others]
    return {**place, "text": text, "confidence": confidence, "alternatives": alternatives, **sides}


def of_page(uri, words, **facts):
    size = {"width": 400, "height": 300, "source_sha256": "0" * 64, "model_id": "model"}
    return {**made_tables.page(uri, words=words, **facts), **size}


def archive(folder, *pages: list[dict]):
    found = [of_page(words[0]["document_uri"], len(words)) for words in pages]
    write_run(folder, "night-1", 1, found, (), [word for words in pages for word in words])
    return folder


def found(folder, query, edits=None, documents=None) -> list[Hit]:
    count, hits = search(open_archive(str(folder)).of_documents(documents and [documents]), terms(query, edits), 100)
    assert count == len(hits)
    return hits


def text(uri, *lines):
    return [row(uri, i, j, word) for i, line in enumerate(lines) for j, word in enumerate(line.split())]


@pytest.mark.parametrize(
    ("read", "same"),
    [
        ("Harriet,", "harriet"),
        ("(ÉTÉ)", "ete"),
        ("cœur", "coeur"),
        ("paſſage", "passage"),
        ("l’été", "l'ete"),
        ("là–bas", "la-bas"),
        ("№", "no"),
        ("½", "1⁄2"),
        ("—", "-"),
        ("£4", "4"),
    ],
)
def test_case_accents_and_punctuation_around_make_no_difference(read, same):
    assert plain(read) == same


@pytest.mark.parametrize(
    ("read", "query"),
    [
        ("l'été", "été"),
        ("l’hiver", "hiver"),
        ("Harriet's", "harriet"),
        ("logera-t-il", "logera"),
        ("Là-bas,", "là-bas"),
        ("l'ami", "l'ami"),
    ],
)
def test_parts_of_joined_words_are_found(tmp_path, read, query):
    archive(tmp_path, text("/s/a.png", f"before {read} after"))
    assert [hit.reading for hit in found(tmp_path, query, 0)] == [read]


@pytest.mark.parametrize(
    ("query", "edits", "hits"),
    [
        ("Harriet", None, ["Harriet", "Harrict,"]),
        ("Harriet", 0, ["Harriet"]),
        ("Hariet", None, ["Harriet"]),
        ("harr", None, []),
        ("the", None, ["the"]),
        ("tho", None, []),
        ("a", 9, ["a"]),
        ("nobody", None, []),
    ],
)
def test_words_are_found_within_some_edits(tmp_path, query, edits, hits):
    archive(tmp_path, text("/s/a.png", "the Harriet of", "a Harrict, came"))
    assert [hit.reading for hit in found(tmp_path, query, edits)] == hits


def test_what_was_read_exactly_and_surely_comes_first(tmp_path):
    words = [
        row("/s/a.png", 0, 0, "Easter", 0.5),
        row("/s/a.png", 1, 0, "Eastor", 0.9),
        row("/s/a.png", 2, 0, "Easter", 0.95),
        row("/s/a.png", 3, 0, "Baker", 0.4, [("Laker", 0.3), ("Easter", 0.2)]),
    ]
    hits = found(archive(tmp_path, words), "easter")
    assert [(hit.line, hit.reading, hit.edits, hit.score) for hit in hits] == [
        (2, "Easter", 0, 0.95),
        (1, "Eastor", 1, 0.81),
        (0, "Easter", 0, 0.5),
        (3, "Easter", 0, 0.2),
    ]
    assert hits[-1].context == "Baker"


def test_phrases_go_on_in_the_next_line_but_not_in_the_next_region(tmp_path):
    words = text("/s/a.png", "come before", "Easter if") + [row("/s/a.png", 2, 0, "roads", region=1)]
    archive(tmp_path, words)
    (hit,) = found(tmp_path, "before Eester")
    assert (hit.reading, hit.edits, hit.line, len(hit.lines)) == ("before Easter", 1, 0, 2)
    assert hit.context == "come before Easter if"
    printed = inkbeam("search", tmp_path, "before", "Eester").out.splitlines()
    assert printed[1:3] == ["      come before", "      Easter if"]
    assert hit.score == pytest.approx(0.9 * 0.9 * 0.9, abs=1e-3)
    assert not found(tmp_path, "if roads") and not found(tmp_path, "Easter before")


def test_a_word_divided_at_the_end_of_a_line_is_found_whole(tmp_path):
    words = text("/s/a.png", "the ladies’ com-", "mittee met", "a com-", "and mittee", "pen- mittee")
    words[2]["alternatives"] = [{"text": "can-", "confidence": 0.05}]
    archive(tmp_path, words)
    (hit,) = found(tmp_path, "committee", 0)
    assert (hit.reading, hit.line, [word.text for word in hit.words]) == ("committee", 0, ["com-", "mittee"])
    assert hit.context == "the ladies’ com- mittee met" and hit.score == pytest.approx(0.81)
    (phrase,) = found(tmp_path, "ladies comittee met")
    assert (phrase.reading, phrase.edits) == ("ladies’ committee met", 1)
    assert [hit.reading for hit in found(tmp_path, "canmittee", 0)] == ["canmittee"]
    assert [hit.reading for hit in found(tmp_path, "mittee", 0)] == ["mittee"] * 3


@pytest.mark.parametrize(
    ("query", "first", "second"),
    [
        ("Harriet", "l'Har-", "riet"),
        ("Harriet", "arri-", "et"),
        ("Harriet", "Hharri-", "et"),
        ("question", "d’ques-", "tion"),
        ("question", "que-", "stions"),
    ],
)
def test_a_divided_word_may_be_misread_or_stand_behind_an_apostrophe(tmp_path, query, first, second):
    archive(tmp_path, text("/s/a.png", f"to {first}", f"{second} again", "nothing"))
    (hit,) = found(tmp_path, query)
    assert [word.text for word in hit.words] == [first, second]


def test_who_finds_nothing_is_told_what_to_try(tmp_path):
    archive(tmp_path, text("/s/a.png", "come before"))
    done = inkbeam("search", tmp_path, "Harriet")
    assert (done.code, done.out.strip()) == (
        0,
        "0 places; --edits N lets more letters of a word be wrong than one in four",
    )


def test_lines_are_numbered_as_in_the_tables_where_lines_without_words_count(tmp_path):
    archive(tmp_path, [row("/s/a.png", 0, 0, "come"), row("/s/a.png", 3, 0, "Easter")])
    (hit,) = found(tmp_path, "easter")
    assert (hit.line, hit.context) == (3, "Easter")
    done = inkbeam("search", tmp_path, "easter")
    assert done.out.splitlines()[0].endswith("line 4")


def test_page_that_was_read_again_counts_as_it_was_read_last(tmp_path):
    archive(tmp_path, text("/s/a.png", "old words"), text("/s/b.png", "old too"))
    write_run(tmp_path, "night-2", 2, [of_page("/s/a.png", 2)], (), text("/s/a.png", "new words"))
    assert [hit.page.source.ref.uri for hit in found(tmp_path, "old")] == ["/s/b.png"]
    assert not found(tmp_path, "old", documents="a.png")


def test_tables_of_earlier_versions_have_no_alternatives(tmp_path):
    words = [{**word, "alternatives": None} for word in text("/s/a.png", "plain ink")]
    assert len(found(archive(tmp_path, words), "ink")) == 1


def test_command_prints_places_the_surest_first(tmp_path):
    archive(tmp_path, text("/s/a.png", "so much ink", "Ink and inks"))
    done = inkbeam("search", tmp_path, "ink", "--edits", 1, "--limit", 2)
    assert (done.code, done.out.splitlines()) == (
        0,
        [
            "0.90  /s/a.png, page 1, line 1",
            "      so much ink",
            "0.90  /s/a.png, page 1, line 2",
            "      Ink and inks",
            "3 places, the surest 2 shown",
        ],
    )
    archive(tmp_path / "other", [row("/s/b.png", 0, 0, "Laker", 0.4, [("baker", 0.3)])])
    assert inkbeam("search", tmp_path / "other", "baker", "--edits", 0).out.splitlines()[1] == "      Laker  (baker?)"
    places = [json.loads(line) for line in inkbeam("search", tmp_path, "much", "ink", "--json").out.splitlines()]
    assert [(place["document_uri"], place["line_index"], place["reading"]) for place in places] == [
        ("/s/a.png", 0, "much ink")
    ]
    assert places[0]["words"][1]["left"] == 110


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((" ",), "nothing to look for"),
        (("\u0301",), "nothing to look for"),
        (("?!",), "nothing to look for in '?!'; give at least one letter or digit"),
        (("ink", "--edits", -1), "--edits must be at least 0, got -1"),
        (("of", "ink", "--edits", 3), "--edits must be less than the 3 letters of 'ink', got 3"),
        (("ink", "--edits", 10**9), "got 1000000000"),
        (("ink", "--limit", 0), "--limit must be at least 1, got 0"),
        (("ink", "--documents", "x"), "--documents x: no document"),
    ],
)
def test_what_cannot_be_looked_for_is_wrong_usage(tmp_path, options, message):
    archive(tmp_path, text("/s/a.png", "ink"))
    done = inkbeam("search", tmp_path, *options)
    assert done.code == 2 and message in done.err


@pytest.mark.parametrize("turn", [0, 90, 270])
def test_pictures_show_the_words(tmp_path, turn):
    scan = tmp_path / "letter.png"
    Image.fromarray(page(LETTER)).save(scan)
    # A word as if its line ran along, up or down the page.
    box = (40, 30, 200, 70) if turn == 0 else (30, 40, 70, 200)
    sides = dict(zip(("left", "top", "right", "bottom"), box, strict=True))
    word = {**row(str(scan), 0, 0, "found"), **sides, "turn_degrees": turn}
    facts = {**of_page(str(scan), 1), "source_sha256": hashlib.sha256(scan.read_bytes()).hexdigest()}
    write_run(tmp_path, "night-1", 1, [facts], (), [word])
    done = inkbeam("search", tmp_path, "found", "--pictures", tmp_path / "hits.html")
    assert (done.code, done.err) == (0, "")
    content = (tmp_path / "hits.html").read_text()
    picture = np.frombuffer(base64.b64decode(re.search(r"base64,([^\"]+)", content)[1]), np.uint8)
    gray = cv2.imdecode(picture, cv2.IMREAD_GRAYSCALE)
    frame = re.search(r'<rect x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', content).groups()
    left, top, width, height = map(int, frame)
    assert (width, height) == (160, 40)
    seen = np.rot90(page(LETTER)[box[1] : box[3], box[0] : box[2]], -turn // 90)
    assert np.abs(gray[top : top + height, left : left + width].astype(int) - seen).mean() < 5


def test_place_whose_scan_is_gone_has_no_picture(tmp_path):
    archive(tmp_path, text("/s/a.png", "some <b>ink</b>"))
    done = inkbeam("search", tmp_path, "some", "--pictures", tmp_path / "hits.html")
    assert done.code == 1 and "/s/a.png" in done.err and "(its places are shown without a picture)" in done.err
    content = (tmp_path / "hits.html").read_text()
    assert "The scan has changed or is gone." in content and "<b>" not in content


def test_words_that_a_run_counted_and_that_are_gone_are_told_whatever_is_looked_for(tmp_path):
    archive(tmp_path, text("/s/a.png", "some ink"))
    write_run(tmp_path, "night-2", 2, [of_page("/s/b.png", 1)], (), text("/s/b.png", "paper"))
    shutil.rmtree(tmp_path / "words" / "run=night-2")
    done = inkbeam("search", tmp_path, "ink")
    assert (done.code, done.out) == (2, "")
    assert "words: lacks 1 row of the committed run night-2" in done.err
    assert inkbeam("search", tmp_path, "ink", "--documents", "a.png").code == 0
