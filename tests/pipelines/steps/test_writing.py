"""Files of rows, and the commit, when work is done twice."""

import pyarrow.parquet as pq
import pytest

from pipelines.archive import lease, runs
from pipelines.archive.places import staged, table_folder
from pipelines.archive.rows import TABLES
from pipelines.steps import writing
from tests.pipelines.jobs import files, rows, table

WORDS = [
    {"document_uri": "/a.png", "page_index": 0, "line_index": 0, "word_index": i, "text": t}
    for i, t in enumerate(("old", "papers", "and", "ink"))
]
RECORD = runs.RunRecord("night", "2026-01-01T00:00:00+00:00", "", "m", "f", {}, {}, {})


def write(output, table_name, some_rows):
    """Files that one bundle makes of some rows: name and number of rows of each."""
    step = writing.WriteRows(table_folder(str(output), table_name, "night"), table_name)
    step.start_bundle()
    for row in some_rows:
        step.process(row)
    return [value.value for value in step.finish_bundle()]


def commit(output, words):
    return writing.commit(RECORD, str(output), words=words, pages=[], failures=[])


@pytest.fixture
def output(tmp_path):
    lease.begin(str(tmp_path), "night")
    return tmp_path


def test_rows_are_seen_only_when_they_are_committed(output):
    written = write(output, "words", WORDS[:3]) + write(output, "words", WORDS[3:])
    assert len({name for name, _ in written}) == 2
    assert rows(output, "words") == []
    assert commit(output, written) == "night"
    assert sorted(r["word_index"] for r in rows(output, "words")) == [0, 1, 2, 3]
    assert runs.committed(str(output))[0].counts == {"words": 4, "pages": 0, "failures": 0}
    assert not list(output.rglob("*.staged"))


def test_table_without_rows_gets_a_file_without_rows(output):
    assert write(output, "words", []) == []
    commit(output, [])
    for name in TABLES:
        assert table(output, name).num_rows == 0
        assert table(output, name).schema.equals(TABLES[name])


def test_bundle_that_was_done_twice_counts_once(output):
    write(output, "words", WORDS)
    ((second, _),) = written = write(output, "words", WORDS)
    commit(output, written)
    assert len(rows(output, "words")) == runs.committed(str(output))[0].counts["words"] == len(WORDS)
    assert [p.name for p in (output / "words" / "run=night").iterdir()] == [second]


def test_commit_that_died_between_its_renames_is_completed(output):
    """The attempt before had other files, one of them already in place."""
    folder = output / "words" / "run=night"
    ((first, _),) = write(output, "words", WORDS)
    (folder / staged(first)).rename(folder / first)
    written = write(output, "words", WORDS[:2]) + write(output, "words", WORDS[2:])
    names = [name for name, _ in written]
    (folder / staged(names[0])).rename(folder / names[0])
    commit(output, written)
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)
    assert len(rows(output, "words")) == len(WORDS)


def test_commit_that_is_done_again_changes_nothing(output):
    commit(output, write(output, "words", WORDS))
    before = files(output)
    again = write(output, "words", WORDS)
    assert commit(output, again) == "night"
    assert files(output) == before


def test_file_that_is_lost_fails_the_commit(output):
    ((name, _),) = written = write(output, "words", WORDS)
    (output / "words" / "run=night" / staged(name)).unlink()
    with pytest.raises(Exception, match="Rename"):
        commit(output, written)
    assert runs.committed(str(output)) == []


def test_many_rows_make_one_file_of_several_row_groups(output, monkeypatch):
    monkeypatch.setattr(writing, "_ROWS_PER_GROUP", 3)
    ((name, count),) = write(output, "words", WORDS)
    file = pq.ParquetFile(output / "words" / "run=night" / staged(name))
    assert count == len(WORDS)
    assert (file.metadata.num_row_groups, file.metadata.num_rows) == (2, 4)
    assert file.schema_arrow.metadata == TABLES["words"].metadata
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_row_of_the_wrong_type_is_refused(output):
    with pytest.raises(Exception, match="int"):
        write(output, "words", [{**WORDS[0], "page_index": "first"}])
