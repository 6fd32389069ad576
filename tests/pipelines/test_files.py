import re

import pytest

from pipelines.files import page_stem, write_bytes


def stem(uri, page_index=0, document_pages=1):
    return page_stem(uri, page_index, document_pages)


def test_files_about_different_pages_have_different_names():
    names = [
        stem("/s/a.png"),
        stem("/t/a.png"),
        stem("/s/a.jpg"),
        *(stem("/s/a.tif", i, 2) for i in range(2)),
    ]
    assert len(set(names)) == len(names)


def test_name_about_a_page_is_safe_and_tells_its_document():
    assert re.fullmatch("mü_ller_.png-[0-9a-f]{8}", stem("gs://bucket/box 2/mü*ller?.png"))
    assert re.fullmatch("ledger.tif-[0-9a-f]{8}-page2", stem("/s/ledger.tif", 1, 2))
    assert len(stem("/s/" + "x" * 250)) < 120


def test_names_of_files_about_a_page_fit_a_file_system():
    stem = page_stem("/scans/" + "漢" * 80 + ".jpg", 99_999, 100_000)
    assert len(f".{stem}-123456-270.page.xml.4194304.partial".encode()) < 255
    assert stem.startswith("漢" * 50 + "-") and stem.endswith("-page100000")


def test_write_that_fails_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write_bytes(str(tmp_path / "taken"), b"data")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]
