import numpy as np

from htr_model.charset import Charset
from htr_model.data.inspection import inspect
from htr_model.data.sample_sheet import sample_sheet
from htr_model.data.samples import Sample, Skipped
from htr_model.normalization import Normalization
from tests.htr_model.drawing import word

CHARSET = Charset(" abcdefghijklmnopqrstuvwxyz")


def sample(identifier, text, gray=None, **more):
    return Sample(identifier, text, word(identifier + text) if gray is None else gray, **more)


def look(items, **options):
    return inspect(items, CHARSET, Normalization(), **options)


def test_figures_of_samples():
    found = look(
        [
            sample("1", "cat", collection="a", writer="w", split="train"),
            sample("2", "a cat", collection="a", writer="v"),
            sample("3", "cats", np.full((50, 200), 255, np.uint8), collection="b"),
            Skipped("4", "no text"),
            Skipped("5", "no text"),
            Skipped("6", "no such picture"),
        ]
    )
    assert (found.samples, found.lengths, found.skipped) == (
        3,
        [3, 5, 4],
        {"no text": ["4", "5"], "no such picture": ["6"]},
    )
    assert (found.heights[2], found.widths[2]) == (50, 200)
    assert found.writers == {"w": 1, "v": 1, "": 1}
    assert found.splits == {"train": 1, "": 2}
    assert found.collections == {"a": 2, "b": 1}
    assert found.narrow == ["3"]  # an empty picture has no room for four letters
    assert (found.usable, found.left_out) == (2, 4)


def test_characters_outside_the_charset_are_counted_and_their_samples_named():
    found = look([sample("1", "Cat ATE"), sample("2", "cat"), sample("3", "Cat")])
    assert found.outside == {"C": 2, "A": 1, "T": 1, "E": 1}
    assert found.unwritable == ["1", "3"]
    assert (found.usable, found.left_out) == (1, 2)


def test_duplicates_by_id_and_by_picture():
    gray = word("cat")
    items = [
        sample("1", "cat", gray, collection="a"),
        sample("1", "dog", collection="a"),
        sample("1", "cow", collection="b"),
        sample("2", "cat", gray.copy(), collection="a"),
        sample("3", "cat", gray[:, :-1], collection="a"),
    ]
    found = look(items)
    assert found.same_id == ["1"]
    assert found.same_picture == [("2", "1")]
    assert found.left_out == 0


def test_samples_for_the_eye_are_drawn_evenly_and_the_same_for_a_seed():
    items = [sample(str(i), "x", np.full((20, 20), i, np.uint8)) for i in range(60)]
    chosen = [[s.id for s in look(items, choose=10, seed=seed).chosen] for seed in (1, 1, 2)]
    assert len(set(chosen[0])) == 10
    assert chosen[0] == chosen[1] != chosen[2]
    assert max(map(int, chosen[0])) >= 30
    assert look(items, choose=100).chosen == items
    assert look(items).chosen == []


def test_sheet_shows_every_sample_whole():
    items = [sample(str(i), "long text " * 20, np.full((30, 900 if i else 30), 0, np.uint8)) for i in range(3)]
    sheet = sample_sheet(items)
    assert sheet.dtype == np.uint8
    assert sheet.shape[1] == 1400
    black = (sheet == 0).sum(axis=0)
    assert black[:10].sum() == 0
    assert black[-10:].sum() == 0
