import importlib.util
import os
import random

import pytest

from pipelines.inputs import Document, find, select
from pipelines.options import UsageError
from pipelines.records import timestamp


def touch(path, content=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def scans(tmp_path):
    for name in ("b.PNG", "a.jpg", "page [1].tif", "notes.txt", ".hidden.png", "box/c.pdf", ".trash/d.png", "e.jp2"):
        touch(tmp_path / "my scans" / name)
    return tmp_path / "my scans"


def names(documents):
    return [os.path.basename(d.uri) for d in documents]


def test_folder_gives_its_scans_and_those_of_its_subfolders_by_name(scans):
    documents = find([str(scans)])
    assert [os.path.relpath(d.uri, scans) for d in documents] == [
        "a.jpg",
        "b.PNG",
        "box/c.pdf",
        "e.jp2",
        "page [1].tif",
    ]


def test_document_holds_size_and_time(scans):
    path = touch(scans / "a.jpg", b"12345")
    os.utime(path, ns=(0, 1_234_567_890_123_456_789))
    (document,) = find([str(path)])
    assert document == Document(str(path), 5, 1_234_567_890.123457)


def test_file_that_is_named_is_read_whatever_it_is_called(scans):
    named = [scans / "notes.txt", scans / ".hidden.png", scans / "page [1].tif"]
    assert sorted(names(find(map(str, named)))) == [".hidden.png", "notes.txt", "page [1].tif"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.jpg", ["a.jpg"]),
        ("*.*", ["a.jpg", "b.PNG", "e.jp2", "notes.txt", "page [1].tif"]),
        ("[ab].*", ["a.jpg", "b.PNG"]),
        ("box/?.p*", ["c.pdf"]),
        ("page*", ["page [1].tif"]),
    ],
)
def test_pattern_gives_files_that_a_shell_would_name(scans, pattern, expected):
    assert names(find([str(scans / pattern)])) == expected


def test_pattern_of_two_stars_reaches_subfolders(scans):
    assert names(find([str(scans / "**" / "*.p*")])) == ["c.pdf"]


def test_pattern_in_a_folder_with_spaces(scans):
    assert names(find([str(scans.parent / "my*" / "*.jpg")])) == ["a.jpg"]


def test_file_that_is_named_twice_is_read_once(scans, monkeypatch):
    monkeypatch.chdir(scans)
    assert names(find(["a.jpg", "./a.jpg", str(scans / "a.jpg"), "*.jpg"])) == ["a.jpg"]


def test_home_folder_is_expanded(scans, monkeypatch):
    monkeypatch.setenv("HOME", str(scans))
    assert names(find(["~/a.jpg"])) == ["a.jpg"]


@pytest.mark.parametrize("missing", ["nowhere.png", "nowhere/*.png", "*.gif", "[z].png", "box/../nowhere"])
def test_input_that_matches_nothing_is_a_usage_error_that_names_it(scans, monkeypatch, missing):
    monkeypatch.chdir(scans)
    with pytest.raises(UsageError, match="--input .*no such file") as raised:
        find([missing, "a.jpg"])
    assert missing in str(raised.value)


def test_folder_without_scans_is_a_usage_error(tmp_path):
    touch(tmp_path / "notes.txt")
    with pytest.raises(UsageError, match="nothing in it to read"):
        find([str(tmp_path)])


@pytest.mark.parametrize("uri", ["nosuch://bucket/page.png", "gs://bucket/*.png"])
def test_file_system_that_is_not_installed_is_a_usage_error(uri):
    if uri.startswith("gs:") and importlib.util.find_spec("apitools"):
        pytest.skip("Google's file system is installed")
    with pytest.raises(UsageError, match=r"cannot be listed.*file.?system"):
        find([uri])


def test_no_input_is_a_usage_error():
    with pytest.raises(UsageError, match="no input given"):
        find([])


def test_dangling_link_is_left_to_fail_by_itself(scans):
    (scans / "gone.png").symlink_to(scans / "nowhere.png")
    assert Document(str(scans / "gone.png"), 0, None) in find([str(scans)])
    assert find([str(scans / "gone.png")]) == [Document(str(scans / "gone.png"), 0, None)]


def test_input_list_gives_an_input_a_line(scans, tmp_path):
    listed = touch(tmp_path / "list.txt", f"\ufeff# tonight\n{scans}/a.jpg\r\n\n  {scans}/box  \n".encode())
    assert names(find([], [str(listed)])) == ["a.jpg", "c.pdf"]
    assert names(find([str(scans / "e.jp2")], [str(listed)])) == ["a.jpg", "c.pdf", "e.jp2"]


@pytest.mark.parametrize("content", [None, b"caf\xe9.png\n", b"# nothing\n\n"])
def test_input_list_that_says_nothing_is_a_usage_error(tmp_path, content):
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError):
        find([], [str(path)])


LETTER, LEDGER = Document("/s/letter.png", 10, 1.5), Document("/s/ledger.tif", 20, 2.5)


def test_nothing_done_leaves_everything():
    selection = select([LETTER, LEDGER], {}, "skip")
    assert (selection.documents, selection.done_documents, selection.done_pages) == ((LETTER, LEDGER), 0, 0)


def test_skip_leaves_done_documents_out_and_done_pages_of_others():
    done = {LETTER.fingerprint(): {0: 1}, LEDGER.fingerprint(): {0: 3, 2: 3}}
    selection = select([LETTER, LEDGER], done, "skip")
    assert selection.documents == (Document("/s/ledger.tif", 20, 2.5, frozenset({0, 2})),)
    assert (selection.done_documents, selection.done_pages) == (1, 3)


@pytest.mark.parametrize("changed", [Document("/s/letter.png", 11, 1.5), Document("/s/letter.png", 10, 1.6)])
def test_changed_document_is_not_done(changed):
    assert select([changed], {LETTER.fingerprint(): {0: 1}}, "skip").documents == (changed,)


def test_redo_reads_everything():
    assert select([LETTER], {LETTER.fingerprint(): {0: 1}}, "redo").documents == (LETTER,)


def test_abort_refuses_when_a_page_is_done_and_only_then():
    assert select([LETTER], {LEDGER.fingerprint(): {0: 3}}, "abort").documents == (LETTER,)
    with pytest.raises(UsageError, match=r"/s/ledger.tif .*--existing abort"):
        select([LETTER, LEDGER], {LEDGER.fingerprint(): {0: 3}}, "abort")


def test_modification_times_survive_the_pages_table():
    """A fingerprint that changes on its way through Parquet would have every page read every night."""
    rng = random.Random(3)
    for _ in range(2000):
        listed = round(rng.randrange(0, 4_000_000_000_000_000_000) / 1e9, 6)
        assert round(timestamp(listed).timestamp(), 6) == listed
