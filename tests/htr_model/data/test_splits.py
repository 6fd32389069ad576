from collections import Counter

import numpy as np
import pytest

from htr_model.data.samples import DatasetError, Sample
from htr_model.data.splits import (
    canonical_split,
    divided_by_words,
    divided_by_writers,
    part,
    split,
    unnamed,
    usual_split,
    writers_in,
)


def sample(identifier, **attributes) -> Sample:
    return Sample(identifier, "text", np.zeros((1, 1), np.uint8), **{"collection": "c", **attributes})


def names(samples) -> set[str]:
    return {s.id for s in samples}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        *((v, "train") for v in ("train", "Training", " TRAIN ")),
        *((v, "validation") for v in ("validation", "val", "Valid", "DEV")),
        *((v, "test") for v in ("test", "Testing", "eval")),
        *((v, None) for v in (None, "", "  ")),
    ],
)
def test_splits_have_one_name_whatever_a_file_calls_them(value, name):
    assert canonical_split(value) == name


@pytest.mark.parametrize("value", ["fold 1", 0, ["train"], "x" * 999])
def test_other_names_are_no_splits(value):
    with pytest.raises(ValueError, match="is none of train, validation, test") as raised:
        canonical_split(value)
    assert len(str(raised.value)) < 120


def test_a_sample_of_an_unknown_split_is_never_trained_on_or_measured():
    samples = [sample("a", split="train"), sample("b", split="fold 1"), sample("c")]
    for use in (split, lambda s: part(s, "train"), lambda s: divided_by_writers(s, frozenset({"w"}))):
        with pytest.raises(DatasetError, match="b: split 'fold 1' is none of"):
            use(samples)


def test_split_never_divides_a_writer_or_a_form():
    for attribute in ("writer", "group"):
        samples = [sample(f"{k}-{i}", **{attribute: f"{k}"}) for k in range(200) for i in range(5)]
        train, validation = split(samples)
        assert {getattr(s, attribute) for s in train}.isdisjoint({getattr(s, attribute) for s in validation})
        assert len(train) + len(validation) == 1000
        assert 0.02 < len(validation) / 1000 < 0.1


@pytest.mark.parametrize(
    ("pages", "lines", "kept"),
    [(1, 20, {1}), (1, 60, {3}), (2, 20, {20}), (5, 4, {4, 8})],
)
def test_of_few_pages_some_lines_are_kept_back(pages, lines, kept):
    for name in range(30):  # whatever the hash of the name says
        samples = [sample(f"{name}-{k}-{i}", group=f"{name}-{k}") for k in range(pages) for i in range(lines)]
        train, validation = split(samples)
        assert len(train) + len(validation) == pages * lines and train and validation
        assert len(validation) in kept  # of five pages chance may keep two
        if pages > 1:
            assert {s.group for s in train}.isdisjoint({s.group for s in validation})


def test_one_sample_cannot_be_divided_and_named_splits_stay():
    only = sample("only")
    assert split([only]) == ([], [only])
    samples = [sample("a", split="train"), sample("b", split="val")]
    assert split(samples) == (samples[:1], samples[1:])


def test_writer_counts_more_than_form():
    samples = [sample(f"{w}-{f}", writer=f"w{w}", group=f"f{w}-{f}") for w in range(200) for f in range(3)]
    train, validation = split(samples)
    assert train
    assert validation
    assert {s.writer for s in train}.isdisjoint({s.writer for s in validation})


def test_split_does_not_change_as_data_is_added():
    few = [sample(f"{i}", writer=f"w{i % 200}") for i in range(400)]
    more = [sample(f"new{i}", writer=f"w{i}") for i in range(500)] + few
    train, validation = split(few)
    assert train
    assert validation
    assert names(train) <= names(split(more)[0])
    assert names(validation) <= names(split(more)[1])


def test_named_splits_are_obeyed_and_test_is_used_for_neither():
    samples = [sample("a", split="train"), sample("b", split="validation"), sample("c", split="test")]
    train, validation = split(samples)
    assert names(train) == {"a"}
    assert names(validation) == {"b"}


GRAY = np.full((4, 4), 255, np.uint8)


def test_division_by_words_is_90_5_5_whatever_the_data_names_and_the_same_every_time():
    samples = [Sample(f"w{i}", "a", GRAY, "iam", writer=f"{i % 7}", split="train") for i in range(4000)]
    divided = divided_by_words(samples)
    counts = Counter(s.split for s in divided)
    assert counts["validation"] == pytest.approx(200, abs=45)
    assert counts["test"] == pytest.approx(200, abs=45)
    assert counts["train"] == 4000 - counts["validation"] - counts["test"]
    assert {s.writer for s in divided if s.split == "test"} == {str(i) for i in range(7)}
    again = divided_by_words(samples[::-1])
    assert {s.id: s.split for s in again} == {s.id: s.split for s in divided}
    train, validation = split(divided)
    assert (len(train), len(validation)) == (counts["train"], counts["validation"])


def test_part_of_data_is_what_names_the_split_or_none():
    samples = [Sample(n, "a", GRAY, split=s) for n, s in (("a", "dev"), ("b", None), ("c", "test"), ("d", "train"))]
    assert [s.id for s in part(samples, "validation")] == ["a", "b"]
    assert [s.id for s in part(samples, "test")] == ["b", "c"]
    assert [s.id for s in part(samples, "all")] == ["a", "b", "c", "d"]


def of_writer(name, writer, split_name):
    return Sample(name, "text", np.zeros((2, 2), np.uint8), collection="c", writer=writer, group=None, split=split_name)


def test_named_writers_are_for_validation_and_the_datas_own_validation_is_left_out():
    samples = [
        of_writer("1", "ann", "train"),
        of_writer("2", "ben", "train"),
        of_writer("3", "ben", None),
        of_writer("4", "eve", "validation"),
        of_writer("5", "joe", "test"),
        of_writer("6", None, None),
    ]
    train, validation = split(divided_by_writers(samples, frozenset({"ben"})))
    assert [s.id for s in train] == ["1", "6"]
    assert [s.id for s in validation] == ["2", "3"]


def test_writers_without_a_training_sample_are_named():
    with pytest.raises(DatasetError, match="eve: 1 of the listed writers"):
        divided_by_writers([of_writer("1", "eve", "validation")], frozenset({"eve"}))


def test_list_of_writers_has_one_a_line(tmp_path):
    (tmp_path / "writers.txt").write_text("# for decisions\n012\n\n  ann  # a pen\n")
    assert writers_in(tmp_path / "writers.txt") == {"012", "ann"}


@pytest.mark.parametrize("content", [b"", b"# nobody\n", b"\xff\xfe"])
def test_list_of_writers_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "writers.txt").write_bytes(content)
    with pytest.raises(DatasetError, match=r"writers\.txt"):
        writers_in(tmp_path / "writers.txt")
    with pytest.raises(DatasetError, match=r"nowhere\.txt"):
        writers_in(tmp_path / "nowhere.txt")


def test_what_training_keeps_back_is_what_kept_measures():
    samples = [sample(f"s{i}", group=f"page {i % 40}") for i in range(200)]
    assert names(part(samples, "kept")) == names(split(samples)[1])
    assert 0 < len(part(samples, "kept")) < len(samples) == len(part(samples, "validation")) == unnamed(samples)


def test_pages_without_a_split_are_divided_by_their_names():
    found = [usual_split(f"letters/{i}.png") for i in range(400)]
    assert found == [usual_split(f"letters/{i}.png") for i in range(400)]
    assert set(found) == {"train", "validation"} and 5 <= found.count("validation") <= 40
