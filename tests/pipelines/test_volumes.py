import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.inputs import Document, find
from pipelines.volumes import LastVolume


def document(path, content) -> Document:
    path.write_bytes(content)
    (found,) = find([str(path)])
    return found


def content(last: LastVolume, of: Document, pages: int):
    return last.content(of.uri, pages, of.fingerprint())


def test_a_volume_is_read_once_for_all_its_pages(tmp_path):
    volume, last = document(tmp_path / "a.pdf", b"volume"), LastVolume()
    with ThreadPoolExecutor(4) as pool:
        contents = list(pool.map(lambda page: content(last, volume, 300), range(20)))
    (tmp_path / "a.pdf").unlink()
    contents.append(content(last, volume, 300))
    assert len({id(data) for data, _ in contents}) == 1
    assert contents[0] == (b"volume", hashlib.sha256(b"volume").hexdigest())


def test_another_volume_and_one_that_changed_are_read_anew(tmp_path):
    last = LastVolume()
    first, second = document(tmp_path / "a.pdf", b"one"), document(tmp_path / "b.pdf", b"two")
    assert [content(last, each, 2)[0] for each in (first, second, first)] == [b"one", b"two", b"one"]
    changed = document(tmp_path / "a.pdf", b"one again")
    assert content(last, changed, 2)[0] == b"one again"


def test_a_document_of_one_page_is_not_kept(tmp_path):
    single, last = document(tmp_path / "a.png", b"page"), LastVolume()
    assert content(last, single, 1) == (b"page", None)
    (tmp_path / "a.png").unlink()
    with pytest.raises(FileNotFoundError):
        content(last, single, 1)
