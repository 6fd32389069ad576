from collections import Counter
from dataclasses import replace

import pytest

from htr_model.charset import LATIN, Charset
from htr_model.data.splits import split
from htr_model.readers.datasets import load
from htr_model.synthetic.fonts import find
from htr_model.synthetic.samples import synthesize, write_parquet
from htr_model.synthetic.texts import read_texts


@pytest.fixture(scope="module")
def fonts(font_folder):
    return find(font_folder, LATIN)[0]


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "story.txt"
    path.write_text("Come before Easter, if the roads allow. J'ai bien reçu ta lettre du 30 janvier.", encoding="utf-8")
    return read_texts([path], Charset(LATIN))


def test_file_is_read_back_as_training_data(tmp_path, fonts, text):
    drawn = list(synthesize(fonts, text, 30, seed=3))
    path = tmp_path / "made" / "lines.parquet"
    assert write_parquet(path, drawn) == 30
    data = load([path])
    assert not data.skipped
    assert [(s.id, s.text, s.writer) for s in data.samples] == [(d.id, d.text, d.writer) for d in drawn]
    assert len({s.id for s in data.samples}) == 30
    assert all(40 <= s.gray.shape[0] <= 90 for s in data.samples)
    train, validation = split(data.samples)
    assert not {s.writer for s in train} & {s.writer for s in validation}
    assert [p.name for p in path.parent.iterdir()] == ["lines.parquet"]


def test_same_seed_same_pictures_and_more_of_them_go_on(fonts, text):
    few = list(synthesize(fonts, text, 4, seed=1))
    assert list(synthesize(fonts, text, 8, seed=1))[:4] == few
    assert [d.image for d in synthesize(fonts, text, 4, seed=2)] != [d.image for d in few]


def test_looks_share_the_pictures(fonts, text):
    looks = {font.name: font.look for font in fonts}
    counts = Counter(looks[drawn.writer] for drawn in synthesize(fonts, text, 60, seed=0))
    assert counts["hand"] > counts["typed"] > 8
    assert counts["printed"] > 6


def test_font_that_can_write_none_of_the_texts_is_named(fonts, tmp_path):
    (tmp_path / "a.txt").write_text("ab ba")
    text = read_texts([tmp_path / "a.txt"], Charset("ab"))
    with pytest.raises(ValueError, match=r"font .*DejaVu.* lacks letters of every text"):
        list(synthesize([replace(f, characters=frozenset("QX")) for f in fonts], text, 3, seed=0))


def test_nothing_is_left_of_a_file_that_was_broken_off(tmp_path, fonts, text):
    def breaks_off():
        yield from synthesize(fonts, text, 2, seed=0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parquet(tmp_path / "out" / "a.parquet", breaks_off())
    assert not list((tmp_path / "out").iterdir())
