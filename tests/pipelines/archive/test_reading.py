"""Archives as commands open them: made-up tables in, pages in their order out."""

import pytest

from pipelines.archive.reading import open_archive
from pipelines.errors import UsageError
from tests.pipelines import made_tables
from tests.pipelines.archive.test_transcripts import page, text, words
from tests.pipelines.made_tables import write_run


def places(archive):
    return list(zip(*(archive.pages[name].to_pylist() for name in ("document_uri", "page_index")), strict=True))


def test_pages_of_a_document_come_in_their_order_whatever_the_order_of_their_words(tmp_path):
    volume, letter = "/s/volume.tif", "/s/letter.png"
    rows = [words(volume, "third", index=2), words(letter, "between"), words(volume, "first")]
    pages = [page(volume, 1, 2, 3), page(volume, 0, 1, 3), page(volume, 1, 0, 3), page(letter, 1)]
    write_run(tmp_path, "night-1", 1, pages, (), sum(rows, []))
    documents = [list(map(text, document)) for document in open_archive(str(tmp_path)).documents()]
    assert sorted(documents) == [["between\n"], ["first\n", "", "third\n"]]


def test_pages_are_in_the_order_of_paths_and_numbers_whichever_run_read_them(tmp_path):
    write_run(tmp_path, "night-1", 1, [page("/s/b.tif", 0, 10, 11), page("/s/b.tif", 0, 2, 11), page("/s/c.png", 0)])
    write_run(tmp_path, "night-2", 2, [page("/s/c.png", 0), page("/s/a.png", 0), page("/s/b.tif", 0, 0, 11)])
    ordered = [("/s/a.png", 0), ("/s/b.tif", 0), ("/s/b.tif", 2), ("/s/b.tif", 10), ("/s/c.png", 0)]
    assert places(open_archive(str(tmp_path))) == ordered


URIS = ["/s/box/a.png", "/s/box/ba.png", "/s/page 1.tif", "/s/page [1].tif"]


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [
        ("a.png", [0]),
        ("?a.png", [1]),
        ("box/*", [0, 1]),
        ("/s/box/a.png", [0]),
        ("page [1].tif", [3]),
        ("*.tif", [2, 3]),
        ("*", [0, 1, 2, 3]),
    ],
)
def test_documents_are_chosen_by_the_ends_of_their_paths(tmp_path, pattern, chosen):
    write_run(tmp_path, "night-1", 1, [page(uri, 0) for uri in URIS])
    assert places(open_archive(str(tmp_path)).of_documents([pattern])) == [(URIS[i], 0) for i in chosen]
    both = open_archive(str(tmp_path)).of_documents([pattern, "ba.png"])
    assert places(both) == [(URIS[i], 0) for i in sorted({*chosen, 1})]


@pytest.mark.parametrize("pattern", ["png", "ox/a.png", "box", "A.png", "[ab].png"])
def test_pattern_that_no_path_ends_with_is_wrong_usage(tmp_path, pattern):
    write_run(tmp_path, "night-1", 1, [page(uri, 0) for uri in URIS])
    with pytest.raises(UsageError, match="--documents .* no document in .* has a path that ends so"):
        open_archive(str(tmp_path)).of_documents(["*", pattern])


def test_pages_with_the_lowest_confidence_come_the_lowest_first_and_equal_ones_by_name(tmp_path):
    sure = {"/s/a.png": 0.9, "/s/b.png": 0.2, "/s/c.png": None, "/s/d.png": 0.1, "/s/e.png": 0.2}
    write_run(tmp_path, "night-1", 1, [made_tables.page(uri, confidence=c, words=1) for uri, c in sure.items()][::-1])
    archive = open_archive(str(tmp_path))
    assert places(archive.with_lowest_confidence(2)) == [("/s/d.png", 0), ("/s/b.png", 0)]
    assert places(archive.with_lowest_confidence(9)) == [(f"/s/{name}.png", 0) for name in "dbea"]
    assert places(archive.with_lowest_confidence(0)) == []


def test_folders_that_earlier_runs_read_hold_no_pictures(tmp_path, monkeypatch):
    """Earlier versions wrote down paths as they were given: they are no paths from here."""
    monkeypatch.chdir(tmp_path)
    inputs = ["old", str(tmp_path / "scans")]
    write_run(tmp_path / "tables", "night-1", 1, [page(f"{tmp_path}/box/a.png", 0)], options={"inputs": inputs})
    archive = open_archive("tables")
    for folder, reason in (("scans/web", "lies in"), ("box", "holds")):
        with pytest.raises(UsageError, match=f"--output {folder} {reason}"):
            archive.refuse_among_scans(folder, "--output")
    archive.refuse_among_scans("old/web", "--output")


@pytest.mark.parametrize("folder", ["tables", "tables/words", "tables/runs/texts", "link"])
def test_an_archive_does_not_hold_what_is_made_of_it(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "tables", "night-1", 1, [page("/s/a.png", 0)])
    (tmp_path / "link").symlink_to(tmp_path / "tables")
    archive = open_archive("tables")
    with pytest.raises(UsageError, match=f"--output {folder} is the archive itself"):
        archive.refuse_among_tables(folder, "--output")
    for beside in ("tables/texts", "texts", "tables-2"):
        archive.refuse_among_tables(beside, "--output")
