import numpy as np
import pytest

from htr_model.charset import LATIN, Charset
from htr_model.data.samples import DatasetError
from htr_model.synthetic import texts
from htr_model.synthetic.texts import piece, read_texts

CHARSET = Charset(LATIN)
STORY = "Un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt"


@pytest.fixture
def story(tmp_path):
    path = tmp_path / "story.txt"
    path.write_text(STORY, encoding="utf-8")
    return read_texts([path], CHARSET)


def pieces(text, count=1500):
    return [piece(text, np.random.default_rng([1, i])) for i in range(count)]


def test_running_text_is_made_canonical(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\ufeffl’été\n--  déjà", encoding="utf-8")
    assert read_texts([path], CHARSET).files == (("l'été", "-", "déjà"),)


def test_hyphens_in_a_row_are_one(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one---two -- three------four", encoding="utf-8")
    assert read_texts([path], CHARSET).files == (("one-two", "-", "three-four"),)


def test_pieces_never_reach_across_a_word_that_cannot_be_written(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("one two שלום three four " + "x" * 40, encoding="utf-8")
    monkeypatch.setattr(texts, "_RARE", 0.0)
    written = {w.lower() for w in pieces(read_texts([path], CHARSET)) if w.lower().startswith(("one", "thr", "two"))}
    assert {"one two", "three four"} <= written
    assert not any("two" in w and "three" in w for w in written)


def test_pieces_are_running_text_words_figures_and_capitals(story):
    written = pieces(story)
    assert all(w and w == " ".join(w.split()) and not CHARSET.unknown(w) for w in written)
    assert max(len(w.split()) for w in written) == 12
    whole = [w for w in written if w in STORY]
    assert len(whole) > 0.6 * len(written)
    assert 0.08 < sum(" " not in w for w in whole) / len(written) < 0.3
    assert 0.06 < sum(any(c.isdigit() for c in w) for w in written) / len(written) < 0.16
    assert 0.02 < sum(w.isupper() and w.lower() in STORY.lower() for w in written) / len(written) < 0.1
    assert any(w.endswith("-") and w[:-1] in STORY for w in written)


def test_every_symbol_of_the_charset_occurs(story, monkeypatch):
    monkeypatch.setattr(texts, "_RARE", 1.0)
    assert set("".join(pieces(story))) == set(LATIN)


def test_scripts_without_capitals_keep_their_letters(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("א שלום ו בית", encoding="utf-8")
    for name in ("_FIGURES", "_HYPHENATED"):
        monkeypatch.setattr(texts, name, 0.0)
    monkeypatch.setattr(texts, "_RARE", 1.0)
    known = {"א", "שלום", "ו", "בית"}
    words = {w.strip(".,") for w in " ".join(pieces(read_texts([path], Charset(" .,אבוילםשת")), 300)).split()}
    assert words == known


def test_each_file_is_used_as_often_as_the_others(tmp_path):
    (tmp_path / "a.txt").write_text("alpha " * 5000)
    (tmp_path / "b.txt").write_text("beta " * 50)
    written = pieces(read_texts([tmp_path / "a.txt", tmp_path / "b.txt"], CHARSET))
    share = sum("beta" in w for w in written) / sum("beta" in w or "alpha" in w for w in written)
    assert 0.44 < share < 0.56


def test_files_that_hold_no_text_are_refused_by_name(tmp_path):
    with pytest.raises(DatasetError, match=r"nowhere\.txt: cannot be read"):
        read_texts([tmp_path / "nowhere.txt"], CHARSET)
    (tmp_path / "latin.txt").write_bytes("été".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"latin\.txt: not text in UTF-8"):
        read_texts([tmp_path / "latin.txt"], CHARSET)
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(DatasetError, match=r"empty\.txt: no word"):
        read_texts([tmp_path / "empty.txt"], CHARSET)
