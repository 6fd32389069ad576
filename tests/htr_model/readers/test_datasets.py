import gc
import json
import os
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from htr_model.cores import usable_cores
from htr_model.data.samples import DatasetError, Sample, Skipped
from htr_model.readers.datasets import load, read
from htr_model.readers.line_crops import line_crop
from htr_model.readers.page_rows import line_of
from htr_model.readers.tokens import join_tokens
from tests.htr_model.drawing import png, word


def by_id(path) -> dict:
    """Text of samples and reason of what was skipped, by id."""
    return {i.id: i.text if isinstance(i, Sample) else i.reason for i in read(path)}


# --- IAM's own tree ---------------------------------------------------------------------------------------------------


@pytest.fixture
def iam(tmp_path):
    lines = [
        "#--- words.txt ---#",
        "a01-000u-00-00 ok 154 408 768 27 51 AT A",
        "a01-000u-00-01 err 154 507 766 213 48 NN MOVE",
        "a01-000u-00-02 ok 154 796 764 70 50 TO to|the",
        "a01-003-00-00 ok 154 1 2 3 4 NN missing",
        "a01-003-00-01 ok 154 1 2 3 4 NN corrupt",
        "a01-003-00-02 ok 154 1 2 3 4 NN spaced out",
        "a01-003-00-03 ok 154 1 2",
        "",
    ]
    root = tmp_path / "iam"
    (root / "ascii").mkdir(parents=True)
    (root / "ascii" / "words.txt").write_text("\n".join(lines))
    for name in ("a01-000u-00-00", "a01-000u-00-01", "a01-000u-00-02", "a01-003-00-01", "a01-003-00-02"):
        form = root / "words" / "a01" / name.rsplit("-", 2)[0]
        form.mkdir(parents=True, exist_ok=True)
        (form / f"{name}.png").write_bytes(b"not a picture" if name == "a01-003-00-01" else png(word("A")))
    return root


def test_iam_tree(iam):
    assert by_id(iam) == {
        "a01-000u-00-00": "A",
        "a01-000u-00-01": "marked as wrongly segmented",
        "a01-000u-00-02": "to the",
        "a01-003-00-00": "not a readable picture",
        "a01-003-00-01": "not a readable picture",
        "a01-003-00-02": "spaced out",
        "a01-003-00-03": "line of words.txt is incomplete",
    }


def test_iam_names_do_not_lead_out_of_the_folder(iam, tmp_path):
    outside = tmp_path / "secret"
    outside.mkdir()
    (outside / "x-y-z.png").write_bytes(png(word("A")))
    with open(iam / "ascii" / "words.txt", "a") as words:
        words.write("\n../../../secret/x-y-z ok 154 1 2 3 4 NN secret\n")
    assert by_id(iam)["../../../secret/x-y-z"] == "name leads out of the data set's folder"


def test_iam_name_that_no_file_can_have_costs_that_line(iam):
    with open(iam / "ascii" / "words.txt", "a") as words:
        words.write("\na01-000u-00\0-03 ok 154 1 2 3 4 NN odd\n")
    found = by_id(iam)
    assert found["a01-000u-00\0-03"] == "not a readable picture"
    assert found["a01-000u-00-00"] == "A"


def test_iam_samples_know_their_form_and_collection(iam):
    samples = [i for i in read(iam) if isinstance(i, Sample)]
    assert {(s.group, s.collection) for s in samples} == {("a01-000u", "iam"), ("a01-003", "iam")}
    assert all(s.gray.dtype == np.uint8 and s.gray.ndim == 2 for s in samples)


def test_real_iam_layout(real_data):
    items = list(read(real_data / "iam_layout"))
    samples = [i for i in items if isinstance(i, Sample)]
    skipped = [i for i in items if isinstance(i, Skipped)]
    assert len(items) == 185
    assert skipped
    assert {i.reason for i in skipped} == {"marked as wrongly segmented"}
    assert len({i.id for i in items}) == 185
    assert {s.group for s in samples} == {"a01-000u", "a01-000x", "a01-003"}
    assert all(s.gray.min() < 128 < s.gray.max() for s in samples)


# --- CSV --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def csv_folder(tmp_path):
    import cv2

    root = tmp_path / "words"
    (root / "images").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(png(word("secret")))
    cv2.imwrite(str(root / "one.jpg"), word("one"))
    cv2.imwrite(str(root / "images" / "two.png"), word("two"))
    (root / "images" / "broken.png").write_bytes(png(word("broken"))[:60])
    return root


def test_csv_of_pictures_beside_it_and_in_images(csv_folder):
    (csv_folder / "labels.csv").write_text(
        "filename,label\none.jpg,one\ntwo.png,“two”\nbroken.png,x\nnone.png,y\n../secret.png,secret\n"
        f"{csv_folder.parent / 'secret.png'},secret\none.jpg\none.jpg,  \n"
    )
    items = list(read(csv_folder))
    assert [(i.id, i.text) for i in items if isinstance(i, Sample)] == [("one.jpg", "one"), ("two.png", '"two"')]
    assert [(i.id, i.reason) for i in items if isinstance(i, Skipped)] == [
        ("broken.png", "not a readable picture"),
        ("none.png", "no such picture"),
        ("../secret.png", "name leads out of the data set's folder"),
        (str(csv_folder.parent / "secret.png"), "name leads out of the data set's folder"),
        ("labels.csv:8", "line has too few columns"),
        ("one.jpg", "no text"),
    ]


@pytest.mark.parametrize("header", ["file,text", "IMAGE , Transcription", "\ufeffid,word", "n,path,identity"])
def test_csv_headers_that_are_in_use(csv_folder, header):
    columns = header.count(",") - 1
    (csv_folder / "labels.csv").write_text(f"{header}\n{'0,' * columns}one.jpg,one\n", encoding="utf-8")
    assert by_id(csv_folder / "labels.csv") == {"one.jpg": "one"}


def test_csv_tells_splits_and_writers(csv_folder):
    (csv_folder / "labels.csv").write_text(
        "filename,label,Split,writer,form\none.jpg,one,dev,w1,f1\ntwo.png,two,,,\none.jpg,again,fold 1,w1,f1\n"
    )
    one, two, unknown = read(csv_folder)
    assert (one.split, one.writer, one.group) == ("validation", "w1", "f1")
    assert (two.split, two.writer, two.group) == (None, None, None)
    assert isinstance(unknown, Skipped) and "fold 1" in unknown.reason


def test_csv_with_a_name_that_no_file_can_have_costs_that_line(csv_folder):
    path = csv_folder / "labels.csv"
    path.write_text(f"filename,label\n{'x' * 300}.png,long\none.jpg,one\n")
    long, one = read(path)
    assert (long.reason, one.text) == ("no such picture", "one")


def test_csv_text_may_hold_commas_and_quotes(csv_folder):
    (csv_folder / "labels.csv").write_text('filename,label\none.jpg,"a, ""b"""\n')
    assert by_id(csv_folder) == {"one.jpg": 'a, "b"'}


@pytest.mark.parametrize("content", ["", "one.jpg,one\n", "filename,size\none.jpg,3\n"])
def test_csv_without_a_usable_header_is_refused(csv_folder, content):
    (csv_folder / "labels.csv").write_text(content)
    with pytest.raises(DatasetError, match=r"labels\.csv"):
        list(read(csv_folder))


def test_two_csv_files_are_refused_and_one_may_be_named(csv_folder):
    for name in ("a.csv", "b.csv"):
        (csv_folder / name).write_text("filename,label\none.jpg,one\n")
    with pytest.raises(DatasetError, match="2 CSV files"):
        list(read(csv_folder))
    assert by_id(csv_folder / "a.csv") == {"one.jpg": "one"}


def test_csv_in_another_encoding_is_refused_by_name(csv_folder):
    (csv_folder / "labels.csv").write_bytes("filename,label\none.jpg,café\n".encode("latin-1"))
    with pytest.raises(DatasetError, match=r"labels\.csv"):
        list(read(csv_folder))


def test_real_csv_layout(real_data):
    data = load([real_data / "csv_layout"])
    assert len(data.samples) + len(data.skipped) == 200
    assert len(data.samples) > 190
    assert {s.id.rsplit(".", 1)[1] for s in data.samples} == {"jpg", "png"}
    assert all(s.text and s.gray.size for s in data.samples)


# --- Parquet ----------------------------------------------------------------------------------------------------------


def parquet(folder, **columns):
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / "train.parquet")
    return folder


def test_parquet_with_the_least_columns(tmp_path):
    path = parquet(tmp_path / "p", id=["a", "b", "c"], text=["cat", "dog", None], image=[png(word("cat")), b"x", None])
    assert by_id(path) == {"a": "cat", "b": "not a readable picture", "c": "no text"}
    sample = next(i for i in read(path / "train.parquet") if isinstance(i, Sample))
    assert (sample.writer, sample.group, sample.split, sample.collection) == (None, None, None, "p")


def test_parquet_that_is_damaged_inside_is_refused_by_name(tmp_path):
    path = tmp_path / "words.parquet"
    rows = [{"id": str(i), "text": "A", "image": png(word("A"))} for i in range(40)]
    pq.write_table(pa.Table.from_pylist(rows), path, compression="snappy")
    content = bytearray(path.read_bytes())
    content[100 : len(content) // 2] = bytes(len(content) // 2 - 100)
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=r"words\.parquet: damaged"):
        list(read(path))


def test_writers_are_text_whatever_the_table_holds(tmp_path):
    path = tmp_path / "words.parquet"
    row = {"id": 1, "text": "A", "image": png(word("A")), "writer": 12}
    pq.write_table(pa.Table.from_pylist([row]), path)
    (sample,) = read(path)
    assert (sample.id, sample.writer) == ("1", "12")


def test_splits_of_a_table_have_one_name_and_rows_of_unknown_ones_are_skipped(tmp_path):
    splits = ["Training", "dev", "eval", "", None, "fold 1"]
    count = len(splits)
    names = [str(i) for i in range(count)]
    path = parquet(tmp_path / "p", id=names, text=["A"] * count, image=[png(word("A"))] * count, split=splits)
    *samples, skipped = read(path)
    assert [s.split for s in samples] == ["train", "validation", "test", None, None]
    assert skipped == Skipped("5", "split 'fold 1' is none of train, validation, test")
    path = parquet(tmp_path / "lists", id=["a"], text=["A"], image=[png(word("A"))], split=[["train"]])
    assert by_id(path) == {"a": "split ['train'] is none of train, validation, test"}


def test_parquet_with_all_columns(tmp_path):
    picture = png(word("cat"))
    path = parquet(
        tmp_path / "p",
        id=["a", "b"],
        text=["cat", "cat"],
        image=[picture, picture],
        segmentation=["ok", "err"],
        split=["validation", "train"],
        writer=["w1", "w2"],
        form=["f1", "f2"],
    )
    sample, skipped = read(path)
    assert (sample.writer, sample.group, sample.split) == ("w1", "f1", "validation")
    assert skipped == Skipped("b", "marked as wrongly segmented")


@pytest.mark.parametrize(
    ("gaps", "kept"),
    [([0.25, 0.5], (0.25, 0.5)), ([0.5], ()), ([], ()), (None, ()), ("ab", ()), (["a", "b"], ()), ([0.5, None], ())],
)
def test_parquet_gaps_are_kept_where_there_is_one_for_each_space(tmp_path, gaps, kept):
    row = {"id": "1", "text": "three  short words", "image": png(word("three")), "gaps": gaps}
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    (sample,) = load([tmp_path / "a.parquet"]).samples
    assert sample.gaps == kept


def test_parquet_that_lacks_a_column_or_is_no_parquet_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="lacks the columns image, text"):
        list(read(parquet(tmp_path / "p", id=["a"])))
    (tmp_path / "no.parquet").write_bytes(b"no parquet")
    with pytest.raises(DatasetError, match=r"no\.parquet: not readable as Parquet"):
        list(read(tmp_path / "no.parquet"))


@pytest.mark.parametrize(("text", "image", "message"), [
    (12, b"", "column text holds int64; expected strings"),
    ("cat", "name.png", "column image holds string; expected the bytes of encoded pictures"),
    ("cat", {"path": "x"}, "column image holds struct<path: string>"),
])  # fmt: skip
def test_parquet_columns_of_another_type_are_refused(tmp_path, text, image, message):
    path = parquet(tmp_path / "p", id=["a"], text=[text], image=[image])
    with pytest.raises(DatasetError, match=message):
        list(read(path))


def test_parquet_of_categories_is_read(tmp_path):
    """As pandas writes them."""
    texts, writers = (pa.array(values).dictionary_encode() for values in (["cat", "dog", "cat"], ["w", "w", "x"]))
    path = parquet(tmp_path / "p", id=["a", "b", "c"], text=texts, writer=writers, image=[png(word("cat"))] * 3)
    assert pa.types.is_dictionary(pq.read_schema(path / "train.parquet").field("text").type)
    assert [(s.text, s.writer) for s in load([path]).samples] == [("cat", "w"), ("dog", "w"), ("cat", "x")]


@pytest.mark.parametrize("column", ["text", "writer"])
def test_parquet_of_text_that_is_not_utf8_is_refused_by_name(tmp_path, column):
    latin = pa.array([b"\xe9t\xe9"]).view(pa.string())
    columns = {"id": ["a"], "text": ["cat"], "image": [png(word("cat"))], column: latin}
    with pytest.raises(DatasetError, match=r"train\.parquet: holds text that is not UTF-8"):
        list(read(parquet(tmp_path / "p", **columns)))


def test_parquet_is_decoded_but_a_little_ahead_of_a_slow_consumer(tmp_path):
    count = 16 * usable_cores()
    path = parquet(tmp_path / "p", id=["x"] * count, text=["a"] * count, image=[png(word("a", 20))] * count)
    items = read(path)
    first = next(items)
    time.sleep(0.3)
    alive = [o for o in gc.get_objects() if type(o) is Sample and o.collection == first.collection == "p"]
    assert 1 <= len(alive) <= 2 * usable_cores()
    assert 1 + sum(isinstance(item, Sample) for item in items) == count


# --- pages.jsonl ------------------------------------------------------------------------------------------------------


def page_of_lines() -> tuple[np.ndarray, list[int]]:
    """A page with three written lines, and the row of each baseline."""
    import cv2

    gray = np.full((400, 600), 250, np.uint8)
    rows = [100, 200, 300]
    for row, text in zip(rows, ("first", "second", "third"), strict=True):
        cv2.putText(gray, text, (60, row), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 20, 3, cv2.LINE_AA)
    return gray, rows


def rectangle(left, top, right, bottom):
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def write_pages(folder, *pages):
    folder.mkdir(exist_ok=True)
    gray, rows = page_of_lines()
    (folder / "page.png").write_bytes(png(gray))
    (folder / "pages.jsonl").write_text("\n".join(p if isinstance(p, str) else json.dumps(p) for p in pages) + "\n")
    return folder


def line(text, row, **more):
    polygon = rectangle(50, row - 50, 400, row + 20)
    baseline = [[50, row], [400, row]]
    return {"text": text, "bbox": [50, row - 50, 350, 70], "polygon": polygon, "baseline": baseline, **more}


def test_pages_give_their_lines(tmp_path):
    page = {"image": "page.png", "split": "train", "writer": "w", "lines": [line("first", 100), line("second", 200)]}
    items = list(read(write_pages(tmp_path / "letters", page)))
    assert [(i.id, i.text) for i in items] == [("page.png#0", "first"), ("page.png#1", "second")]
    for item in items:
        assert (item.collection, item.writer, item.group, item.split) == ("letters", "w", "page.png", "train")
        assert 70 <= item.gray.shape[0] <= 80
        assert 350 <= item.gray.shape[1] <= 360
        assert item.gray.min() < 60


def test_splits_of_pages_have_one_name_and_pages_of_unknown_ones_are_skipped(tmp_path):
    pages = [{"image": "page.png", "split": s, "lines": [line("x", 100)]} for s in ("Training", "dev", "", "fold 1")]
    *samples, skipped = read(write_pages(tmp_path / "letters", *pages))
    assert [s.split for s in samples] == ["train", "validation", None]
    assert skipped == Skipped("pages.jsonl:4", "split 'fold 1' is none of train, validation, test")


def test_what_other_lines_wrote_inside_the_box_is_paper(tmp_path):
    """A slanted polygon's bounding box holds neighbours' ink; the crop does not."""
    gray, _ = page_of_lines()
    polygon = [[50, 150], [60, 150], [60, 60], [400, 60], [400, 120], [70, 120], [70, 220], [50, 220]]
    crop = line_crop(gray, line_of({"bbox": [50, 60, 350, 160], "polygon": polygon}), 70)
    assert crop[:60, 20:].min() < 60  # the first line's own ink
    assert (crop[85:, 40:] > 200).all()  # of the second line nothing, though it lies in the box


def test_pages_with_words_only(tmp_path):
    words = [{"text": "second", "bbox": [55, 155, 200, 50]}, {"text": "!", "bbox": [260, 155, 20, 50]}]
    page = {"image": "page.png", "lines": [{"bbox": [55, 155, 225, 50], "words": words}]}
    (item,) = read(write_pages(tmp_path / "p", page))
    assert item.text == "second!"
    assert item.gray.shape[0] < 62
    assert item.gray.min() < 60


def test_strip_polygon_is_rebuilt_from_the_baseline(tmp_path):
    strip = line("second", 200, polygon=rectangle(50, 185, 400, 195))
    page = {"image": "page.png", "lines": [line("first", 100), strip, line("third", 300)]}
    items = list(read(write_pages(tmp_path / "p", page)))
    above, below = 0.62 * 70, 0.30 * 70
    assert items[1].gray.shape[0] == pytest.approx(above + below, abs=9)
    column = items[1].gray.min(axis=1) < 128
    plain = items[0].gray.min(axis=1) < 128
    assert column.sum() == pytest.approx(plain.sum(), abs=3)  # letters are whole


def test_a_baseline_that_runs_off_the_page_does_not_make_a_giant_of_the_line():
    gray = np.full((60, 1_000), 255, np.uint8)
    crop = line_crop(gray, line_of({"bbox": [5, 5, 900, 50], "baseline": [[5, 50], [900, 90_000]]}), 50)
    assert crop.shape[0] <= 60


def test_slanting_line_is_made_level():
    import cv2

    gray, rows = page_of_lines()
    slope = 0.12
    shear = np.array([[1, 0, 0], [slope, 1, 0]], float)
    gray = cv2.warpAffine(gray, shear, (600, 500), borderValue=250)
    baseline = [[x, 200 + slope * x] for x in (50, 150, 250, 400)]
    polygon = [[50, 150 + 6], [400, 150 + 48], [400, 220 + 48], [50, 220 + 6]]
    crop = line_crop(gray, line_of({"bbox": [50, 156, 350, 112], "polygon": polygon, "baseline": baseline}), 70)
    assert np.count_nonzero((crop < 128).any(axis=1)) <= 34  # 31 where it stands level, 40 as it slants


def test_broken_pages_are_skipped_with_reasons(tmp_path):
    good = {"image": "page.png", "lines": [line("first", 100)]}
    path = write_pages(
        tmp_path / "p",
        "no json",
        json.dumps({"image": "page.png"}),
        json.dumps([1, 2]),
        {"image": "../page.png", "lines": []},
        {"image": "gone.png", "lines": [line("x", 100)]},
        {"image": "page.png", "lines": [line(" ", 100), line("off", 900), line("ok", 200)]},
        good,
        {"image": "page.png", "lines": []},
    )
    reasons = [(i.id, i.reason) for i in read(path) if isinstance(i, Skipped)]
    assert [i for i, _ in reasons[:4]] == [f"pages.jsonl:{n}" for n in (1, 2, 3, 4)]
    assert all(r.startswith("not a page") for _, r in reasons[:4])
    assert "leads out" in reasons[3][1]
    assert reasons[4:] == [
        ("gone.png", "not a readable picture"),
        ("page.png#0", "no text"),
        ("page.png#1", "the line lies outside the page"),
    ]
    assert [i.text for i in read(path) if isinstance(i, Sample)] == ["ok", "first"]


ELL = [[-100, -100], [60, -100], [60, -50], [-50, -50], [-50, 60], [-100, 60]]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (7, "not a line: AttributeError"),
        ({"text": "no box"}, "no coordinates of its outline"),
        ({"bbox": [1, 1, 50, 50], "words": [{"text": None, "bbox": [1, 1, 5, 5]}]}, "not a line: TypeError"),
        ({"text": "no box", "bbox": [1, 1, 50, 50], "words": [{"text": "no"}]}, "not a line: KeyError('bbox')"),
        ({"text": "round the corner", "bbox": [0, 0, 50, 50], "polygon": ELL}, "the line lies outside the page"),
        ({"text": "half a box", "bbox": [1, 2]}, "not a line: ValueError"),
        ({"text": "no numbers", "bbox": [1, 2, 3, "x"]}, "not a line: ValueError"),
        ({"text": "far away", "bbox": [1, 1, 9_000_000, 9_000_000]}, "not a line: ValueError"),
        ({"text": "not a number", "bbox": [1, 1, float("nan"), 5]}, "not a line: ValueError"),
        ({"text": "not pairs", "polygon": [[1, 2], [3, 4], [5]]}, "not a line: ValueError"),
    ],
)
def test_malformed_line_costs_one_line_and_not_its_page(tmp_path, broken, reason):
    path = write_pages(tmp_path / "p", {"image": "page.png", "lines": [broken, line("first", 100)]})
    skipped, sample = read(path)
    assert skipped.id == "page.png#0" and skipped.reason.startswith(reason)
    assert (sample.id, sample.text) == ("page.png#1", "first")


# --- all layouts ------------------------------------------------------------------------------------------------------


def test_missing_and_unknown_paths_are_refused_by_name(tmp_path):
    with pytest.raises(DatasetError, match="nowhere: no such file"):
        read(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="no known layout"):
        read(tmp_path)


def write_layout(layout: str, folder) -> str:
    """Writes a data set of two samples to a folder; the name of what is to be read in it."""
    folder.mkdir()
    (folder / "one.png").write_bytes(png(word("one")))
    if layout == "csv":
        (folder / "labels.csv").write_text("filename,label\none.png,one\n")
        return "labels.csv"
    if layout == "parquet":
        parquet(folder, id=["1"], text=["one"], image=[png(word("one"))])
        return "train.parquet"
    if layout == "pages":
        write_pages(folder, {"image": "page.png", "lines": [line("one", 100)]})
        return "pages.jsonl"
    if layout == "xml":
        (folder / "page").mkdir()
        (folder / "page" / "one.xml").write_text(
            '<PcGts><Page imageFilename="one.png"><TextLine><Coords points="0,0 20,0 20,20 0,20"/>'
            "<TextEquiv><Unicode>one</Unicode></TextEquiv></TextLine></Page></PcGts>"
        )
        return "page/one.xml"
    (folder / "one.txt").write_text("one")
    return "."


@pytest.mark.parametrize("layout", ["csv", "parquet", "pages", "xml", "text"])
def test_a_collection_s_name_and_so_the_split_is_the_same_however_the_path_is_typed(tmp_path, monkeypatch, layout):
    file = tmp_path / "letters" / write_layout(layout, tmp_path / "letters")
    place = file if file.is_dir() else file.parent
    expected = [i.collection for i in read(file)]
    assert set(expected) == {"letters"}
    for folder in (tmp_path, place):
        monkeypatch.chdir(folder)
        assert [i.collection for i in read(os.path.relpath(file))] == expected


def test_iam_in_the_working_folder_has_the_folder_s_name(iam, monkeypatch):
    monkeypatch.chdir(iam)
    assert {i.collection for i in read(".") if isinstance(i, Sample)} == {"iam"}
    monkeypatch.chdir(iam / "words")
    assert {i.collection for i in read("..") if isinstance(i, Sample)} == {"iam"}


def test_load_takes_several_data_sets_together(iam):
    assert len(load([iam, iam]).samples) == 2 * len(load([iam]).samples) > 0


def test_ink_that_two_boxes_of_a_line_share_is_kept():
    gray = np.full((100, 300), 240, np.uint8)
    gray[40:60, 20:280] = 30
    words = [{"text": "over", "bbox": [10, 20, 170, 60]}, {"text": "lap", "bbox": [130, 20, 160, 60]}]
    crop = line_crop(gray, line_of({"words": words}), 60)
    assert np.count_nonzero(crop == 30) == 20 * 260


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        ([], ""),
        (["You", "'re", "here", "."], "You're here."),
        (["Yes", ",", "no", ";", "why", "?", "Go", "!"], "Yes, no; why? Go!"),
        (["He", "said", ":", '"', "Go", ".", '"', "Then"], 'He said: "Go." Then'),
        (['"', "Go", '"', "and", '"', "stay", '"'], '"Go" and "stay"'),
        (["a", "(", "b", "c", ")", "d"], "a (b c) d"),
        (["Mr", "Smith", "'s", "cat"], "Mr Smith's cat"),
        (["well-known", "-", "so"], "well-known - so"),
    ],
)
def test_join_tokens(tokens, text):
    assert join_tokens(tokens) == text


def test_join_tokens_leaves_words_that_begin_with_an_apostrophe():
    assert join_tokens(["said", "'Tis", "so"]) == "said 'Tis so"


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("You 're here .", ["You", "'re", "here", "."], "You're here."),
        ("an unwelcome guest", ["guest"], "an unwelcome guest"),
        ("31st Dec", ["35", "Duc"], "31st Dec"),
        ("", ["only", "words", "!"], "only words!"),
    ],
)
def test_words_tell_the_text_only_where_they_are_the_whole_line(tmp_path, text, words, expected):
    boxes = [{"text": word, "bbox": [10 + 60 * i, 10, 50, 40]} for i, word in enumerate(words)]
    described = {"text": text, "bbox": [10, 10, 250, 40], "words": boxes}
    path = write_pages(tmp_path / "p", {"image": "page.png", "lines": [described]})
    assert [sample.text for sample in read(path)] == [expected]
