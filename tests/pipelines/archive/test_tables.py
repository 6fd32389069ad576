"""Rows of committed runs, wherever they lie."""

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipelines.archive import runs, tables
from pipelines.errors import UsageError
from tests.pipelines.archive.test_compaction import NIGHTS, PAGES, compact, write_nights
from tests.pipelines.made_tables import page, write_run


@pytest.fixture
def output(tmp_path):
    """Nights of which most were put together."""
    write_nights(tmp_path / "tables")
    compact(tmp_path / "tables")
    write_nights(tmp_path / "tables", NIGHTS + 1, NIGHTS + 2)
    return tmp_path / "tables"


@pytest.mark.parametrize("most", [3, 1000])
def test_a_table_in_portions_has_the_rows_that_it_has_at_once(output, most, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", most)
    asked, columns = ["night-2", "night-5", f"night-{NIGHTS + 1}"], ["document_uri", "word_index", "run_id"]
    parts = list(tables.parts(str(output), "words", asked, columns))
    rows = [row for part in parts for row in part.to_pylist()]
    assert max(map(len, parts)) <= most and len(rows) == 3 * 2 * PAGES
    assert {row["run_id"] for row in rows} == set(asked)
    at_once = tables.read(str(output), "words", asked, columns).to_pylist()
    assert sorted(rows, key=repr) == sorted(at_once, key=repr)


def test_rows_have_the_columns_that_were_asked_for_in_their_order(output):
    asked = ["text", "document_uri"]
    found = tables.read(str(output), "pages", ["night-1"], asked)
    assert found.column_names == asked and len(found) == PAGES
    assert tables.read(str(output), "pages", [], asked).to_pylist() == []


def test_damaged_table_is_a_usage_error_that_tells_how_to_go_on(output):
    run_id = f"night-{NIGHTS + 2}"
    (path,) = output.glob(f"pages/run={run_id}/*.parquet")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UsageError, match=f"damaged table of the committed run {run_id} .* remove {run_id}.json"):
        tables.read(str(output), "pages", [run_id], ["text"])
    assert len(tables.read(str(output), "pages", ["night-1"], ["text"])) == PAGES


def test_the_last_row_of_a_page_is_the_one_of_the_latest_time(tmp_path):
    write_run(tmp_path, "night-2", 2, [page("/s/a.tif", 0, text="new"), page("/s/a.tif", 1, text="only")])
    write_run(tmp_path, "night-1", 1, [page("/s/a.tif", 0, text="old"), page("/s/b.tif", 0, text="other")])
    columns = ["document_uri", "page_index", "text", "processed_at"]
    rows = tables.latest(tables.read(str(tmp_path), "pages", ["night-1", "night-2"], columns), "processed_at")
    assert sorted(rows["text"].to_pylist()) == ["new", "only", "other"]
    assert rows.column_names == columns


@pytest.mark.parametrize(("pages", "left"), [(1, [0]), (2, [0, 1]), (5, [0, 1, 2]), (None, [0, 1, 2])])
def test_pages_that_a_document_had_before_it_was_cut_are_not_its_latest(tmp_path, pages, left):
    """Tables of the first version do not tell how many pages a document has: of these all are there."""
    write_run(tmp_path, "night-1", 1, [page("/s/a.tif", i, 3) for i in range(3)] + [page("/s/b.tif", 1, 2)])
    write_run(tmp_path, "night-2", 2, [page("/s/a.tif", 0, pages)])
    columns = ["document_uri", "page_index", "document_pages", "processed_at"]
    rows = tables.latest_pages(tables.read(str(tmp_path), "pages", ["night-1", "night-2"], columns))
    found = sorted((row["document_uri"], row["page_index"]) for row in rows.to_pylist())
    assert found == [*(("/s/a.tif", i) for i in left), ("/s/b.tif", 1)]


@pytest.mark.parametrize("run_id", [f"night-{NIGHTS + 2}", "night-3"])
def test_rows_that_a_run_counted_and_that_are_gone_are_a_usage_error(output, run_id):
    """In a folder of the run's own, and in that of a compaction."""
    records = runs.committed(str(output))
    assert len(tables.read_whole(str(output), "pages", records, ["text"])) == (NIGHTS + 2) * PAGES
    folder = {path.parent.name: path for path in output.glob("pages/*/*")}
    path = folder.get(f"run={run_id}") or next(p for name, p in folder.items() if "compacted" in name)
    rows = pq.ParquetFile(path).read()
    pq.write_table(rows.filter(pc.or_(pc.not_equal(rows["run_id"], run_id), pc.ends_with(rows["text"], "0.png"))), path)
    with pytest.raises(UsageError, match=rf"pages: lacks {PAGES - 1} rows of the committed run {run_id}; restore"):
        tables.read_whole(str(output), "pages", records, ["text"])
