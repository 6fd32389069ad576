import numpy as np
import pyarrow.parquet as pq
import pytest

from htr_model.bundle import DEFAULT
from htr_model.bundle import load as load_bundle
from htr_model.data.packing import SCHEMA, pack
from htr_model.data.samples import Sample, Skipped
from htr_model.normalization import Normalization, normalize
from htr_model.readers.datasets import load
from htr_model.readers.parquet import read_parquet
from htr_model.recognizer import Recognizer
from tests.htr_model.drawing import likeness, word

SETTINGS = Normalization()
TEXTS = ("archive", "J'ai été là", "by", "Come before Easter, if the roads allow", ".")


def drawn(text: str, margin: int = 40, **attributes) -> Sample:
    """A word or line on a sheet, large enough to be worth trimming."""
    # OpenCV's font lacks accents; what is drawn for them does not matter here.
    gray = np.pad(word(text.encode("ascii", "replace").decode(), 120, thickness=4), margin, constant_values=245)
    return Sample(text, text, gray, **attributes)


def plain(text: str, gray: np.ndarray) -> Sample:
    return Sample(text, text, gray)


def read_back(path) -> list[Sample]:
    items = list(read_parquet(path))
    assert all(isinstance(item, Sample) for item in items)
    return items


def test_samples_are_read_back_in_their_order_with_all_that_is_known_of_them(tmp_path):
    samples = [
        drawn(t, collection="elsewhere", writer=w, group=g, split=s)
        for t, (w, g, s) in zip(
            TEXTS,
            [
                ("anna", "a01", "train"),
                (None, "a02", "validation"),
                ("bert", None, "test"),
                (None,) * 3,
                ("x", "y", None),
            ],
            strict=True,
        )
    ]
    path = tmp_path / "letters" / "all.parquet"
    assert pack(samples, path, SETTINGS) == (5, [])
    facts = [(s.id, s.text, s.writer, s.group, s.split) for s in samples]
    assert [(s.id, s.text, s.writer, s.group, s.split) for s in read_back(path)] == facts
    assert {s.collection for s in read_back(path)} == {"letters"}
    assert [s.text for s in load([path.parent]).samples] == list(TEXTS)


def test_pictures_are_smaller_and_the_network_sees_the_same(tmp_path):
    samples = [drawn(t) for t in TEXTS]
    pack(samples, tmp_path / "a.parquet", SETTINGS)
    for before, after in zip(samples, read_back(tmp_path / "a.parquet"), strict=True):
        assert after.gray.dtype == np.uint8 and after.gray.ndim == 2
        assert after.gray.size < 0.5 * before.gray.size
        widths = [normalize(s.gray, SETTINGS).pixels.shape[1] for s in (before, after)]
        assert widths[1] == pytest.approx(widths[0], abs=4 + 0.02 * widths[0])
        assert likeness(before.gray, after.gray) > 0.92


def test_a_line_takes_few_kilobytes(tmp_path):
    pack([drawn(TEXTS[3])] * 20, tmp_path / "a.parquet", SETTINGS)
    assert (tmp_path / "a.parquet").stat().st_size < 20 * 12_000


def test_what_was_skipped_is_left_out_and_handed_back(tmp_path):
    gone, wrong = Skipped("gone", "no such picture"), Skipped("wrong", "marked as wrongly segmented")
    count, skipped = pack([gone, drawn("one"), wrong, drawn("two")], tmp_path / "a.parquet", SETTINGS)
    assert (count, skipped) == (2, [gone, wrong])
    assert [s.text for s in read_back(tmp_path / "a.parquet")] == ["one", "two"]


@pytest.mark.parametrize("items", [[], [Skipped("gone", "no such picture")]])
def test_nothing_to_pack_leaves_no_table_and_an_old_one_as_it_is(tmp_path, items):
    path = tmp_path / "letters" / "a.parquet"
    assert pack(items, path, SETTINGS) == (0, items)
    assert list(path.parent.iterdir()) == []
    pack([drawn("old")], path, SETTINGS)
    before = path.read_bytes()
    assert pack(items, path, SETTINGS) == (0, items)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_the_table_has_the_columns_that_are_documented(tmp_path):
    pack([drawn("one")], tmp_path / "a.parquet", SETTINGS)
    assert pq.read_schema(tmp_path / "a.parquet").equals(SCHEMA)


def test_more_samples_than_are_written_at_once_keep_their_order(tmp_path):
    gray = word("a", 24)
    samples = (plain(f"n{i}", gray) for i in range(1100))  # items may come from a generator
    assert pack(samples, tmp_path / "a.parquet", SETTINGS) == (1100, [])
    assert [s.id for s in read_back(tmp_path / "a.parquet")] == [f"n{i}" for i in range(1100)]


@pytest.mark.parametrize("size", [(60, 20_000), (20_000, 60), (17_000, 3), (1, 30_000)])
def test_empty_pictures_larger_than_the_format_allows_are_packed_too(tmp_path, size):
    assert pack([plain("empty", np.full(size, 255, np.uint8))], tmp_path / "a.parquet", SETTINGS) == (1, [])
    (sample,) = read_back(tmp_path / "a.parquet")
    assert max(sample.gray.shape) <= 16_383
    assert normalize(sample.gray, SETTINGS).pixels.max() == 0


def test_a_line_longer_than_the_format_allows_is_scaled_down_in_its_proportions(tmp_path):
    gray = np.full((60, 40_000), 255, np.uint8)
    for x in range(100, 40_000, 199):
        gray[15:45, x : x + 12] = 0
    pack([plain("long", gray)], tmp_path / "a.parquet", SETTINGS)
    (sample,) = read_back(tmp_path / "a.parquet")
    assert sample.gray.shape[1] <= 16_383
    rows, columns = (np.flatnonzero((sample.gray < 128).any(axis=axis)) for axis in (1, 0))
    strokes = np.count_nonzero(np.diff(columns) > 1) + 1
    assert strokes == len(range(100, 40_000, 199))
    assert (np.ptp(columns) + 1) / (np.ptp(rows) + 1) == pytest.approx(39_813 / 30, rel=0.15)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (3, 2)])
def test_specks_are_packed(tmp_path, size):
    gray = np.random.default_rng(0).integers(0, 256, size).astype(np.uint8)
    assert pack([plain("speck", gray)], tmp_path / "a.parquet", SETTINGS)[0] == 1
    assert read_back(tmp_path / "a.parquet")[0].gray.size >= 1


# --- what cannot be written -------------------------------------------------------------------------------------------


def test_a_folder_that_is_a_file_is_told_and_left_alone(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OSError, match="file"):
        pack([drawn("one")], tmp_path / "file" / "a.parquet", SETTINGS)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_of_that_name_is_told_and_nothing_else_is_left(tmp_path):
    (tmp_path / "a.parquet").mkdir()
    with pytest.raises(OSError):
        pack([drawn("one")], tmp_path / "a.parquet", SETTINGS)
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_what_was_there_stays_when_the_samples_break_off(tmp_path):
    path = tmp_path / "a.parquet"
    pack([drawn("old")], path, SETTINGS)
    before = path.read_bytes()

    def breaks_off():
        yield from (plain(f"n{i}", word("a", 24)) for i in range(600))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(breaks_off(), path, SETTINGS)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_a_file_is_replaced_by_a_whole_one(tmp_path):
    for text in ("old", "new"):
        pack([drawn(text)], tmp_path / "a.parquet", SETTINGS)
    assert [s.text for s in read_back(tmp_path / "a.parquet")] == ["new"]
    assert [p.name for p in tmp_path.iterdir()] == ["a.parquet"]


def test_gaps_are_found_in_the_picture_that_is_kept(tmp_path):
    """By the real recogniser: where it parts the words there is paper."""
    line, single = drawn(TEXTS[3], margin=200), drawn("archive")
    pack([line, single], tmp_path / "a.parquet", SETTINGS, Recognizer(load_bundle(DEFAULT)))
    kept, alone = read_back(tmp_path / "a.parquet")
    assert alone.gaps == ()
    assert len(kept.gaps) == TEXTS[3].count(" ")
    height, width = kept.gray.shape
    known = [round(g * width) for g in kept.gaps if g == g]
    assert len(known) >= 5
    assert sorted(known) == known
    for column in known:
        assert kept.gray[:, column - height // 20 : column + height // 20].min() > 180


def test_without_a_recogniser_nobody_knows_the_gaps(tmp_path):
    pack([drawn(TEXTS[3])], tmp_path / "a.parquet", SETTINGS)
    assert read_back(tmp_path / "a.parquet")[0].gaps == ()
