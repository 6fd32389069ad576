import pyarrow as pa
import pytest

from pipelines.archive import history, runs
from pipelines.archive.rows import FAILURES, timestamp
from pipelines.errors import UsageError
from tests.pipelines.made_tables import MODIFIED, failure, page, write_run, write_table


@pytest.fixture
def output(tmp_path):
    return tmp_path / "my tables"


def load(output, model_id="model", fingerprint="options"):
    return history.load(str(output), runs.committed(str(output)), model_id, fingerprint)


def done(output, *uris, size=7, modified=MODIFIED, **options):
    """(done pages, all of the document) of documents."""
    found = load(output, **options).done_of([(uri, size, modified) for uri in uris])
    return [(set(pages.indices), pages.whole) for pages in found]


def test_output_that_does_not_exist_has_no_history(output):
    assert done(output, "/s/a.png") == [(set(), False)]
    assert load(output).failed == {}
    assert list(load(output).done_of([])) == []


def test_pages_of_committed_runs_are_done(output):
    write_run(output, "night-1", 1, [page("/s/a.png"), page("/s/b.tif", 0, 3)])
    write_run(output, "night-2", 2, [page("/s/b.tif", 2, 3)])
    write_table(output, "pages", "night-2", [page("/s/c.png", run_id="night-2")])  # a second file of the table
    write_run(output, "never", 3, [page("/s/d.png")], commit=False)
    assert done(output, "/s/d.png", "/s/b.tif", "/s/a.png", "/s/c.png") == [
        (set(), False),
        ({0, 2}, False),
        ({0}, True),
        ({0}, True),
    ]


@pytest.mark.parametrize("changed", [{"size": 8}, {"modified": MODIFIED + 1e-6}, {"modified": None}])
def test_pages_of_a_changed_file_are_not_done(output, changed):
    write_run(output, "night-1", 1, [page("/s/a.png")])
    assert done(output, "/s/a.png") == [({0}, True)]
    assert done(output, "/s/a.png", **changed) == [(set(), False)]


@pytest.mark.parametrize("other", [{"model_id": "replaced"}, {"fingerprint": "other options"}])
def test_pages_of_other_models_or_options_are_not_done_and_their_failures_do_not_count(output, other):
    write_run(output, "night-1", 1, [page("/s/a.png")], [failure("/s/b.png")])
    assert done(output, "/s/a.png", **other) == [(set(), False)]
    assert load(output, **other).failed == {}


def test_file_without_a_time_is_done_by_its_size(output):
    """Some stores do not tell when a file was written."""
    write_run(output, "night-1", 1, [{**page("hdfs://a"), "source_modified": None}])
    assert done(output, "hdfs://a", modified=None) == [({0}, True)]


@pytest.mark.parametrize("modified", [11_000_000_000.123457, -11_000_000_000.654321, 9_007_199_254.740993, -0.000001])
def test_file_of_another_century_is_done_by_its_time(output, modified):
    row = {"source_modified": timestamp(modified)}
    write_run(output, "night-1", 1, [page("/s/a.png") | row], [failure("/s/b.png") | row])
    assert done(output, "/s/a.png", modified=modified) == [({0}, True)]
    assert load(output).failed_of("/s/b.png", 7, modified).attempts == {None: 1}


def test_output_can_be_moved(output):
    write_run(output, "night-1", 1, [page("/s/a.png")])
    moved = output.with_name("moved")
    output.rename(moved)
    assert done(moved, "/s/a.png") == [({0}, True)]


def test_name_that_is_no_text_can_be_asked_for(output):
    write_run(output, "night-1", 1, [page("/s/a.png")], [failure(r"/s/caf\udce9.png", attempts=2)])
    known = load(output)
    assert [d.whole for d in known.done_of([("/s/caf\udce9.png", 7, MODIFIED)])] == [False]
    assert known.failed_of("/s/caf\udce9.png", 7, MODIFIED).attempts == {None: 2}


def test_damaged_pages_table_is_a_usage_error_that_names_it(output):
    write_run(output, "night-1", 1, [page("/s/a.png")])
    (path,) = (output / "pages" / "run=night-1").iterdir()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(UsageError, match=r"part-00000.parquet: damaged .*night-1.json"):
        load(output)


def test_failures_are_counted_by_page_and_by_state_of_the_file(output):
    write_run(output, "night-1", 1, failures=[failure("/s/a.tif", 1, 1, pages=3), failure("/s/b.png")])
    write_run(output, "night-2", 2, failures=[failure("/s/a.tif", 1, 2, pages=3), failure("/s/a.tif", 2, 1, pages=3)])
    write_run(output, "night-3", 3, failures=[failure("/s/b.png", size=8)])
    known = load(output)
    assert known.failed_of("/s/a.tif", 7, MODIFIED) == history.FailedPages({1: 2, 2: 1}, 3)
    assert known.failed_of("/s/b.png", 7, MODIFIED).attempts == {None: 1}
    assert known.failed_of("/s/b.png", 9, MODIFIED).attempts == {}


def test_failures_that_cost_no_page_do_not_count(output):
    stages = ("recognise", "draw", "assemble", "segment")
    write_run(output, "night-1", 1, failures=[failure(f"/s/{s}.png", 0, stage=s) for s in stages])
    counted = [s for s in stages if load(output).failed_of(f"/s/{s}.png", 7, MODIFIED).attempts]
    assert counted == ["assemble", "segment"]


def test_failures_of_the_first_version_are_read_and_do_not_count(output):
    old = pa.schema([f for f in FAILURES if f.name not in ("source_size", "source_modified", "document_pages")])
    write_run(output, "night-1", 1)
    row = {**failure("/s/a.png"), "run_id": "night-1"}
    write_table(output, "failures", "night-1", [{name: row.get(name) for name in old.names}], old)
    assert load(output).failed == {}


def test_a_page_that_was_read_since_begins_to_count_anew(output):
    """Read again by a run that was told so, it is done; when it fails after that, it is not, and counts from 1."""
    write_run(output, "night-1", 1, failures=[failure("/s/a.tif", 1, 1, pages=2)])
    write_run(output, "night-2", 2, failures=[failure("/s/a.tif", 1, 2, pages=2)])
    write_run(output, "night-3", 3, [page("/s/a.tif", 0, 2), page("/s/a.tif", 1, 2)])
    assert load(output).failed == {}
    assert done(output, "/s/a.tif") == [({0, 1}, True)]
    write_run(output, "night-4", 4, failures=[failure("/s/a.tif", 1, 1, pages=2)])
    assert load(output).failed_of("/s/a.tif", 7, MODIFIED) == history.FailedPages({1: 1}, 2)
    assert done(output, "/s/a.tif") == [({0}, False)]


def test_a_document_that_could_be_opened_since_begins_to_count_anew(output):
    """What failed twice, was read, and failed again is not set aside after three failures in a row."""
    write_run(output, "night-1", 1, failures=[failure("/s/b.pdf"), failure("/s/c.pdf", attempts=1)])
    write_run(output, "night-2", 2, failures=[failure("/s/b.pdf", attempts=2), failure("/s/c.pdf", attempts=2)])
    write_run(output, "night-3", 3, [page("/s/b.pdf", 0, 10)], [failure("/s/c.pdf", 1, pages=10)])
    known = load(output)
    assert None not in known.failed_of("/s/b.pdf", 7, MODIFIED).attempts
    assert known.failed_of("/s/c.pdf", 7, MODIFIED).attempts == {1: 1}
    write_run(output, "night-4", 4, failures=[failure("/s/b.pdf", attempts=1)])
    assert load(output).failed_of("/s/b.pdf", 7, MODIFIED).attempts == {None: 1}
