import pyarrow as pa
import pytest

from pipelines.archive.history import FailedPages, History
from pipelines.archive.selection import select
from pipelines.errors import UsageError
from pipelines.inputs import Document

LETTER, LEDGER = Document("/s/letter.png", 10, 1.5), Document("/s/ledger.tif", 20, 2.5)


def key(document):
    return f"{document.uri}\n{document.size}\n{round(document.modified * 1e6)}"


def history(done=None, failed=None):
    """What earlier runs made: document → (done pages, pages of the document), and document → its failures."""
    rows = [(key(d), indices, pages) for d, (indices, pages) in (done or {}).items()]
    columns = [pa.array([r[i] for r in rows], t) for i, t in enumerate((pa.string(), pa.list_(pa.int32()), pa.int32()))]
    table = pa.table(columns, ["key", "page_index_distinct", "document_pages_max"])
    return History(table, {key(d): FailedPages(*f) for d, f in (failed or {}).items()})


def test_nothing_done_leaves_everything():
    selection = select([LETTER, LEDGER], history(), "skip", 3)
    assert (selection.documents, selection.done_pages) == ((LETTER, LEDGER), 0)


def test_skip_leaves_done_documents_out_and_done_pages_of_others():
    done = history({LETTER: ([0], 1), LEDGER: ([0, 2], 3)})
    selection = select([LETTER, LEDGER], done, "skip", 3)
    assert selection.documents == (Document("/s/ledger.tif", 20, 2.5, frozenset({0, 2})),)
    assert selection.done_pages == 3


@pytest.mark.parametrize("changed", [Document("/s/letter.png", 11, 1.5), Document("/s/letter.png", 10, 1.6)])
def test_changed_document_is_not_done(changed):
    assert select([changed], history({LETTER: ([0], 1)}), "skip", 3).documents == (changed,)


def test_redo_reads_everything():
    assert select([LETTER], history({LETTER: ([0], 1)}), "redo", 3).documents == (LETTER,)


def test_abort_refuses_when_a_page_is_done_and_only_then():
    assert select([LETTER], history({LEDGER: ([0], 3)}), "abort", 3).documents == (LETTER,)
    with pytest.raises(UsageError, match=r"/s/ledger.tif .*--existing abort"):
        select([LETTER, LEDGER], history({LEDGER: ([0], 3)}), "abort", 3)


@pytest.mark.parametrize(("tries", "limit", "left"), [(2, 3, 1), (3, 3, 0), (4, 3, 0), (9, 0, 1), (1, 1, 0)])
def test_document_that_failed_too_often_is_set_aside(tries, limit, left):
    selection = select([LETTER], history(failed={LETTER: ({None: tries},)}), "skip", limit)
    assert len(selection.documents) == left
    assert selection.set_aside == (() if left else (("/s/letter.png", None),))
    if left:
        assert selection.documents[0].attempt(None) == tries + 1


def test_changed_document_is_no_longer_set_aside():
    changed = Document("/s/letter.png", 11, 1.5)
    selection = select([changed], history(failed={LETTER: ({None: 5},)}), "skip", 3)
    assert (selection.documents, selection.set_aside) == ((changed,), ())


def test_pages_that_failed_too_often_are_set_aside_one_by_one():
    """Page 0 is done, 1 is hopeless, 2 not yet: only 2 is read."""
    known = history({LEDGER: ([0], 3)}, {LEDGER: ({1: 3, 2: 2}, 3)})
    (left,) = select([LEDGER], known, "skip", 3).documents
    assert left.left_out == {0, 1}
    assert [left.attempt(i) for i in range(3)] == [1, 4, 3]
    assert select([LEDGER], known, "skip", 2).documents == ()
    assert select([LEDGER], known, "skip", 2).set_aside == (("/s/ledger.tif", 1), ("/s/ledger.tif", 2))


def test_page_that_is_done_counts_as_done_however_often_it_failed():
    """It may have been read by a run that was told to read it again."""
    known = history({LEDGER: ([0], 3)}, {LEDGER: ({0: 3, 1: 3}, 3)})
    selection = select([LEDGER], known, "skip", 3)
    assert (selection.done_pages, selection.set_aside) == (1, (("/s/ledger.tif", 1),))
    assert [document.left_out for document in selection.documents] == [{0, 1}]
