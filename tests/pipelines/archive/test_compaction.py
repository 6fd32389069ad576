"""Compactions: the same rows, few files, and what readers see meanwhile."""

import json
import secrets
import shutil
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.archive import compaction, history, lease, runs, tables
from pipelines.archive.manifests import compactions
from pipelines.archive.rows import FAILURES, TABLES
from pipelines.archive.run_names import COMPACTED, dated_name
from pipelines.errors import UsageError
from pipelines.job import Job
from tests.conftest import REPOSITORY
from tests.pipelines.jobs import files, inkbeam
from tests.pipelines.made_tables import MODIFIED, failure, page, word, write_run, write_table

NIGHTS = 6
PAGES = 5


def write_nights(output, first=1, last=NIGHTS):
    for day in range(first, last + 1):
        uris = [f"/s/{day}-{i}.png" for i in range(PAGES)]
        write_run(
            output, f"night-{day}", day, [page(uri, text=uri, confidence=0.5, words=2) for uri in uris],
            [failure("/s/broken.png", attempts=day)], [word(uri, i, "") for uri in uris for i in range(2)],
        )  # fmt: skip


@pytest.fixture
def output(tmp_path):
    write_nights(tmp_path / "tables")
    return tmp_path / "tables"


def compact(output, target=10**9, settle=0.0):
    name = dated_name(COMPACTED)
    with lease.held(str(output), name):
        return compaction.compact(str(output), name, target, settle)


def all_rows(output, name):
    """Rows as a plain glob shows them, in an order of their own."""
    paths = sorted(output.glob(f"{name}/*/*.parquet"))
    rows = pa.concat_tables(pq.ParquetFile(p).read() for p in paths).to_pylist()
    return sorted(rows, key=repr)


def rows_of(output):
    return {name: all_rows(output, name) for name in TABLES}


def own_rows(output):
    ids = runs.committed_ids(str(output))
    found = {name: tables.read(str(output), name, ids, TABLES[name].names) for name in TABLES}
    return {name: sorted(table.to_pylist(), key=repr) for name, table in found.items()}


def test_compaction_keeps_every_row_and_leaves_a_file_a_table(output):
    before = rows_of(output)
    done = compact(output)
    assert rows_of(output) == own_rows(output) == before
    assert {name: len(list(output.glob(f"{name}/*/*"))) for name in TABLES} == dict.fromkeys(TABLES, 1)
    assert (done.runs, done.files_before, done.files_after) == (NIGHTS, 3 * NIGHTS, 3)
    assert done.rows == sum(map(len, before.values()))
    assert {r["run_id"] for r in before["words"]} == {f"night-{i}" for i in range(1, NIGHTS + 1)}
    assert not list(output.rglob("*.staged"))
    assert not list(output.glob("runs/*.started"))


def test_commit_files_of_the_runs_stay_and_their_pages_stay_done(output):
    records = runs.committed(str(output))
    compact(output)
    assert runs.committed(str(output)) == records
    known = history.load(str(output), records, "model", "options")
    asked = [(f"/s/{day}-{i}.png", 7, MODIFIED) for day in range(1, NIGHTS + 1) for i in range(PAGES)]
    assert all(d.whole for d in known.done_of(asked))
    assert known.failed_of("/s/broken.png", 7, MODIFIED).attempts == {None: NIGHTS}


def test_compacted_rows_of_one_run_can_still_be_told_apart(output):
    compact(output)
    rows = tables.read(str(output), "pages", ["night-3"], ["document_uri"])
    assert sorted(rows["document_uri"].to_pylist()) == [f"/s/3-{i}.png" for i in range(PAGES)]


def test_rows_of_a_run_whose_commit_was_removed_do_not_count_and_go_at_the_next_compaction(output):
    compact(output)
    (output / "runs" / "night-2.json").unlink()
    write_nights(output, NIGHTS + 1, NIGHTS + 1)
    assert {r["run_id"] for r in own_rows(output)["words"]} == {f"night-{i}" for i in (1, 3, 4, 5, 6, 7)}
    compact(output)
    assert "night-2" not in {r["run_id"] for r in rows_of(output)["words"]}


def test_later_compaction_takes_the_earlier_one_in(output):
    compact(output)
    write_nights(output, NIGHTS + 1, NIGHTS + 2)
    before = rows_of(output)
    assert compact(output).runs == NIGHTS + 2
    assert rows_of(output) == own_rows(output) == before
    assert len(list(output.glob("*/run=*"))) == 3
    assert len(list((output / "compacted").iterdir())) == 1


def test_large_runs_are_left_and_files_are_split_at_the_target(output):
    write_run(output, "large", 20, [page(f"/s/l{i}.png", text=str(i) * 50) for i in range(2000)])
    before, untouched = rows_of(output), (output / "pages" / "run=large" / "part-00000.parquet").read_bytes()
    assert compact(output, target=50_000).runs == NIGHTS
    assert (output / "pages" / "run=large" / "part-00000.parquet").read_bytes() == untouched
    assert rows_of(output) == own_rows(output) == before


def test_rows_are_spread_over_several_files_where_they_are_many(output, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 100)
    for day in range(1, 5):
        pages = [page(f"/s/many-{day}-{i}.png", text=secrets.token_hex(200)) for i in range(200)]
        write_run(output, f"many-{day}", 10 + day, pages)
    before = rows_of(output)
    compact(output, target=120_000)
    found = list(output.glob("pages/*/*.parquet"))
    assert rows_of(output) == own_rows(output) == before
    assert len(found) > 1 and len({p.parent for p in found}) == 1


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_small_runs_are_left_as_they_are(tmp_path, count):
    write_nights(tmp_path, 1, count)
    before = files(tmp_path)
    assert compact(tmp_path) is None
    assert files(tmp_path) == before


def test_rows_of_uncommitted_runs_are_not_touched(output):
    write_run(output, "at-work", 9, [page("/s/w.png")], commit=False)
    before = {k: v for k, v in files(output).items() if "at-work" in k}
    compact(output)
    assert {k: v for k, v in files(output).items() if "at-work" in k} == before
    assert "at-work" not in {r["run_id"] for r in own_rows(output)["pages"]}


def test_files_of_an_older_version_get_the_columns_of_today(output):
    old = pa.schema([f for f in FAILURES if not f.name.startswith("source_")])
    row = {**failure("/s/old.png"), "run_id": "night-1"}
    write_table(output, "failures", "night-1", [{name: row.get(name) for name in old.names}], old)
    compact(output)
    (path,) = output.glob("failures/*/*.parquet")
    assert pq.read_schema(path).equals(FAILURES, check_metadata=True)
    assert [r["source_size"] for r in all_rows(output, "failures") if r["document_uri"] == "/s/old.png"] == [None]


def test_damaged_table_stops_a_compaction_before_anything_is_changed(output):
    (path,) = output.glob("words/run=night-3/*.parquet")
    path.write_bytes(path.read_bytes()[:200])
    before = files(output)
    with pytest.raises(UsageError, match="run=night-3.*damaged"):
        compact(output)
    assert files(output) == before


@pytest.mark.parametrize("name", ["/../../../victim", "..", "a/b"])
def test_manifest_whose_names_lead_elsewhere_is_refused(output, tmp_path, name):
    victim = tmp_path / "victim"
    victim.mkdir()
    compact(output)
    (manifest,) = (output / "compacted").iterdir()
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "replaces": [name], "published": False}))
    with pytest.raises(UsageError, match="no name of a run"):
        compact(output)
    assert victim.is_dir()


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000])
def test_damaged_manifest_is_a_usage_error_that_names_it(output, content):
    compact(output)
    (manifest,) = (output / "compacted").iterdir()
    manifest.write_text(content)
    with pytest.raises(UsageError, match=f"{manifest.name}: damaged manifest"):
        own_rows(output)


def test_missing_file_of_a_compaction_is_a_usage_error(output):
    compact(output)
    (path,) = output.glob("words/*/*.parquet")
    path.unlink()
    with pytest.raises(UsageError, match="missing or empty"):
        own_rows(output)


def test_name_of_a_compaction_is_no_name_for_a_run():
    with pytest.raises(UsageError, match="--run-id"):
        Job(inputs=(), output="/out", run_id="compacted-1")


# ------------------------------------------------------------------------------------------------ cut short

STRUCK = (
    *(("write_manifest", i) for i in (1, 2)),
    *(("write_bytes", i) for i in (1, 2, 3 * NIGHTS)),
    *(("_copy", i) for i in (1, 2, 3)),
    # The first six belong to what is tidied before a compaction begins.
    *(("delete", i) for i in (7, 8, 9)),
    ("_remove_remains", 2),
)
"""Steps, and before which of their calls a compaction is struck."""


def cut_short(output, step, call, monkeypatch):
    """A compaction that is struck before a call of one of its steps; whether it came that far."""
    original, calls = getattr(compaction, step), []

    def strike(*arguments):
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(compaction, step, strike)
        # A killed process tidies nothing up.
        patch.setattr(compaction.runs, "remove", lambda *_: None)
        try:
            compact(output)
        except KeyboardInterrupt:
            return True
    return False


@pytest.mark.parametrize(("step", "call"), STRUCK)
def test_compaction_that_was_cut_short_is_finished_or_undone_by_the_next_run(output, step, call, monkeypatch):
    before = rows_of(output)
    assert cut_short(output, step, call, monkeypatch)
    assert own_rows(output) == before
    with lease.held(str(output), "next"):
        compaction.finish(str(output), 0.0)
    assert rows_of(output) == own_rows(output) == before
    assert not list(output.rglob("*.staged"))
    compact(output)
    assert rows_of(output) == own_rows(output) == before
    assert len(list(output.glob("*/run=*"))) == 3


def test_the_command_finishes_a_compaction_that_was_cut_short_after_its_own_settle(output, monkeypatch):
    before = rows_of(output)
    assert cut_short(output, "delete", 7, monkeypatch)
    waits = []
    monkeypatch.setattr(compaction.time, "sleep", waits.append)
    assert inkbeam("compact", output, "--settle", "0.01").code == 0
    assert set(waits) == {0.01} and rows_of(output) == own_rows(output) == before


def test_dead_compaction_loses_nothing_when_dead_runs_are_removed(output, monkeypatch):
    """Its announcement looks like a run's, but its manifest counts."""
    before = rows_of(output)
    assert cut_short(output, "delete", 7, monkeypatch)
    name = next(iter(compactions(str(output)))).id
    (output / "runs" / f"{name}.started").write_text('{"renewed_at": 0}')
    assert runs.remove_dead(str(output)) == []
    assert own_rows(output) == before


# ------------------------------------------------------------------------------------------------ readers meanwhile

OWN_READER = """
import sys
from pipelines.archive import runs, tables
ids = runs.committed_ids(sys.argv[1])
print("ready", flush=True)
seen = []
import threading
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
while not stop.is_set() or len(seen) < 3:
    words = tables.read(sys.argv[1], "words", ids, ["document_uri", "word_index", "run_id"])
    seen.append((len(words), len(set(map(tuple, (r.values() for r in words.to_pylist()))))))
print(len(seen), sorted(set(seen)))
"""
GLOB_READER = """
import glob, sys, threading
import pyarrow.parquet as pq
print("ready", flush=True)
seen, failed = [], 0
stop = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
while not stop.is_set() or len(seen) < 3:
    try:
        paths = glob.glob(sys.argv[1] + "/words/*/*.parquet")
        seen.append(sum(pq.ParquetFile(p).metadata.num_rows for p in paths))
    except Exception:
        failed += 1
print(len(seen), sorted(set(seen)))
"""


@pytest.mark.parametrize(("reader", "expected"), [(OWN_READER, [(60, 60)]), (GLOB_READER, [60])])
def test_reader_that_goes_on_reading_sees_every_row_once(output, reader, expected):
    """A plain glob may fail meanwhile; it must not be wrong."""
    command = [sys.executable, "-c", reader, str(output)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    assert process.stdout.readline() == "ready\n"
    copy = output.with_name("copy")
    shutil.copytree(output, copy)
    compact(output, settle=3.0)
    told, _ = process.communicate("")
    count, _, seen = told.partition(" ")
    assert int(count) >= 3
    assert seen.strip() == str(expected)


@pytest.mark.parametrize("cut", [False, True])
def test_rows_are_read_again_where_their_files_were_replaced_since_they_were_listed(output, cut, monkeypatch):
    """By a compaction that came to its end, or by one that left stubs."""
    before, listed, lists = own_rows(output), tables.paths, []

    def list_and_be_overtaken(*arguments):
        lists.append(listed(*arguments))
        if len(lists) == 1:
            assert cut_short(output, "delete", 7, monkeypatch) if cut else compact(output)
        return lists[-1]

    monkeypatch.setattr(tables, "paths", list_and_be_overtaken)
    assert own_rows(output) == before


def test_files_taken_away_between_two_parts_of_a_table_are_a_usage_error(output):
    """Rows that were handed out cannot be called back; they must not come twice."""
    parts = tables.parts(str(output), "words", runs.committed_ids(str(output)), ["text", "run_id"])
    assert len(next(parts)) == 2 * PAGES
    compact(output)
    with pytest.raises(UsageError, match="was taken away while the table was read; try again"):
        list(parts)


def test_command_says_what_became_of_the_files(output):
    done = inkbeam("compact", output, "--settle", "0.01")
    assert done.code == 0, done.err
    assert f"{NIGHTS} runs, {NIGHTS * (PAGES * 3 + 1)} rows: {3 * NIGHTS} files of" in done.out
    assert "became 3 of" in done.out
    assert "Nothing to do" in inkbeam("compact", output, "--settle", "0.01").out


def test_compaction_waits_for_no_run_but_refuses(output):
    (output / "runs" / "far.started").write_text('{"host": "elsewhere", "pid": 1}')
    before = files(output)
    done = inkbeam("compact", output)
    assert done.code == 2
    assert "'far' is at work" in done.err
    assert files(output) == before
