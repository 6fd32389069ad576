import importlib.util
import os
import random

import pytest

from pipelines.archive.rows import timestamp
from pipelines.errors import UsageError
from pipelines.inputs import Document, find, listed, passed_over, refuse_among_scans


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


def test_scans_in_formats_that_are_not_read_are_not_passed_over_in_silence(scans):
    touch(scans / "old.djvu")
    touch(scans / "photo.GIF")
    assert {"old.djvu", "photo.GIF"} < set(names(find([str(scans)])))


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


def test_recorded_name_is_never_a_pattern(scans):
    """The file that looked like one is gone; another that the pattern fits was read all along."""
    touch(scans / "a1.png")
    gone = str(scans / "a[1].png")
    assert names(find([gone])) == ["a1.png"]
    with pytest.raises(UsageError, match="no such file"):
        find([gone], literally=True)
    touch(scans / "a[1].png")
    assert names(find([gone], literally=True)) == ["a[1].png"]


def test_home_folder_is_expanded(scans, monkeypatch):
    monkeypatch.setenv("HOME", str(scans))
    assert names(find(["~/a.jpg"])) == ["a.jpg"]


@pytest.mark.parametrize("missing", ["nowhere.png", "nowhere/*.png", "*.gif", "[z].png", "box/../nowhere"])
def test_input_that_matches_nothing_is_a_usage_error_that_names_it(scans, monkeypatch, missing):
    monkeypatch.chdir(scans)
    with pytest.raises(UsageError, match="no such file") as raised:
        find([missing, "a.jpg"])
    assert missing in str(raised.value)


def test_folder_without_scans_is_a_usage_error(tmp_path):
    touch(tmp_path / "notes.txt")
    with pytest.raises(UsageError, match="holds nothing to read"):
        find([str(tmp_path)])


@pytest.mark.parametrize("uri", ["nosuch://bucket/page.png", "gs://bucket/*.png"])
def test_file_system_that_is_not_installed_is_a_usage_error(uri):
    if uri.startswith("gs:") and importlib.util.find_spec("apitools"):
        pytest.skip("Google's file system is installed")
    with pytest.raises(UsageError, match=r"cannot be listed \((there is no store nosuch://|gs:// needs pip install)"):
        find([uri])


def test_no_input_is_a_usage_error():
    with pytest.raises(UsageError, match="no input given"):
        find([])


def test_dangling_link_is_left_to_fail_by_itself(scans):
    (scans / "gone.png").symlink_to(scans / "nowhere.png")
    assert Document(str(scans / "gone.png"), 0, None) in find([str(scans)])
    assert find([str(scans / "gone.png")]) == [Document(str(scans / "gone.png"), 0, None)]


def test_input_list_gives_an_input_a_line(scans, tmp_path):
    text = f"\ufeff# tonight\n{scans}/a.jpg\r\n\n  {scans}/box  \n  # and no more\n"
    path = touch(tmp_path / "list.txt", text.encode())
    assert listed([str(path)]) == [f"{scans}/a.jpg", f"{scans}/box"]
    assert names(find(listed([str(path)]))) == ["a.jpg", "c.pdf"]


@pytest.mark.parametrize("content", [None, b"caf\xe9.png\n", b"# nothing\n\n"])
def test_input_list_that_says_nothing_is_a_usage_error(tmp_path, content):
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError):
        find(listed([str(path)]))


def test_input_list_on_a_file_system_that_is_not_installed_is_a_usage_error():
    with pytest.raises(UsageError, match="--input-list nosuch://bucket/list.txt"):
        listed(["nosuch://bucket/list.txt"])


@pytest.mark.parametrize("seconds", [3e11, -7e10])
def test_file_of_an_impossible_time_is_one_without_a_time(scans, seconds, monkeypatch):
    status = os.stat(scans / "a.jpg")
    monkeypatch.setattr(os, "stat", lambda *_, **__: os.stat_result([*status[:7], seconds, seconds, seconds]))
    (document,) = find([str(scans / "a.jpg")])
    assert (document.size, document.modified) == (1, None)


def test_folder_that_cannot_be_listed_is_left_to_fail_by_itself(scans, monkeypatch):
    def scandir(path, scandir=os.scandir):
        if str(path).endswith("box"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = find([str(scans)])
    assert Document(str(scans / "box"), 0, None) in found
    assert names(found) == ["a.jpg", "b.PNG", "box", "e.jp2", "page [1].tif"]


@pytest.mark.parametrize(
    ("inputs", "overlays"),
    [
        (["scans"], "scans/overlays"),
        (["scans"], "scans"),
        (["scans/"], "scans/a/b"),
        ([".", "x.png"], "overlays"),
        (["gs://bucket/scans"], "gs://bucket/scans/overlays"),
        (["scans/**/*.png"], "scans/overlays"),
        (["**"], "overlays"),
    ],
)
def test_overlays_in_a_folder_that_is_read_are_refused(tmp_path, monkeypatch, inputs, overlays):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--overlays .* lies in .*choose a folder outside"):
        refuse_among_scans(inputs, [], overlays, "--overlays")


@pytest.mark.parametrize(
    ("inputs", "overlays"),
    [(["scans"], "overlays"), (["scans"], "scans-overlays"), (["scans"], "scans/.drawn"), (["scans/box"], "scans")],
)
def test_overlays_that_no_run_would_take_for_scans_are_allowed(tmp_path, monkeypatch, inputs, overlays):
    monkeypatch.chdir(tmp_path)
    refuse_among_scans(inputs, [], overlays, "--overlays")


@pytest.mark.parametrize("pattern", ["scans/*/*.jpg", "scans/b?x/*", "*/box/*"])
def test_overlays_that_a_pattern_would_find_are_refused(tmp_path, pattern):
    with pytest.raises(UsageError, match="--overlays .*box fits"):
        refuse_among_scans([str(tmp_path / pattern)], [], str(tmp_path / "scans" / "box"), "--overlays")


@pytest.mark.parametrize("pattern", ["scans/*.jpg", "scans/*/*/*.jpg", "scans/box/a.jpg", "other/*/*.jpg"])
def test_patterns_that_find_nothing_there_are_no_reason(tmp_path, pattern):
    refuse_among_scans([str(tmp_path / pattern)], [], str(tmp_path / "scans" / "box"), "--overlays")


def test_overlays_behind_a_link_are_refused(tmp_path):
    (tmp_path / "scans").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "scans")
    with pytest.raises(UsageError, match="lies in"):
        refuse_among_scans([str(tmp_path / "scans")], [], str(tmp_path / "link" / "drawn"), "--overlays")


def test_overlays_that_a_pattern_finds_are_refused(tmp_path):
    drawn = str(tmp_path / "scans" / "drawn" / "box" / "a.jpg")
    with pytest.raises(UsageError, match="holds .*a.jpg, which is to be read"):
        refuse_among_scans(
            [str(tmp_path / "scans" / "*" / "*" / "*.jpg")], [drawn], str(tmp_path / "scans" / "drawn"), "--o"
        )


def test_modification_times_survive_the_pages_table():
    """A fingerprint that changes on its way through Parquet would have every page read every night."""
    rng = random.Random(3)
    for _ in range(2000):
        listed = round(rng.randrange(0, 4_000_000_000_000_000_000) / 1e9, 6)
        assert round(timestamp(listed).timestamp(), 6) == listed


@pytest.fixture
def linked(scans):
    """The scans with a folder elsewhere, and one of their own, linked into them."""
    touch(scans.parent / "elsewhere" / "f.jpg")
    (scans / "link").symlink_to(scans.parent / "elsewhere")
    (scans / "box" / "round").symlink_to(scans)
    return scans


def test_folders_and_patterns_do_not_follow_links(linked):
    expected = ["a.jpg", "b.PNG", "c.pdf", "e.jp2", "page [1].tif"]
    assert sorted(names(find([str(linked)]))) == expected
    assert sorted(names(find([f"{linked}/**"]))) == [*expected[:-1], "notes.txt", expected[-1]]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*.jpg", ["a.jpg"]),
        ("**/c.*", ["c.pdf"]),
        ("*/*.jpg", ["f.jpg"]),  # one level: the link is named by the pattern, as a shell takes it
        ("b*/**/c.pdf", ["c.pdf"]),
    ],
)
def test_patterns_find_files_below(linked, pattern, found):
    assert names(find([f"{linked}/{pattern}"])) == found


def test_files_that_are_no_scans_are_counted_by_their_endings(linked):
    touch(linked / "box" / "MORE.TXT")
    touch(linked / "Thumbs")
    found = passed_over([str(linked), "gs://bucket/scans", str(linked / "a.jpg")])
    assert found.endings == {".txt": 2, "": 1}
    assert passed_over([f"{linked}/*"]).endings == {}


def test_linked_folders_are_not_passed_over_in_silence(linked):
    (linked / ".hidden").symlink_to(linked.parent)
    (linked / "a link.png").symlink_to(linked / "a.jpg")
    assert passed_over([str(linked)]).links == (f"{linked}/link", f"{linked}/box/round")
    assert passed_over([str(linked / "link")]).links == ()
