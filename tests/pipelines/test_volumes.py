import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.inputs import Document, find
from pipelines.volumes import RecentVolumes


def document(path, content) -> Document:
    path.write_bytes(content)
    (found,) = find([str(path)])
    return found


def content(volumes: RecentVolumes, of: Document, pages: int):
    return volumes.content(of.uri, pages, of.fingerprint())


def test_a_volume_is_read_once_for_all_its_pages(tmp_path):
    volume, volumes = document(tmp_path / "a.pdf", b"volume"), RecentVolumes()
    with ThreadPoolExecutor(4) as pool:
        contents = list(pool.map(lambda page: content(volumes, volume, 300), range(20)))
    (tmp_path / "a.pdf").unlink()
    contents.append(content(volumes, volume, 300))
    assert len({id(data) for data, _ in contents}) == 1
    assert contents[0] == (b"volume", hashlib.sha256(b"volume").hexdigest())


def test_another_volume_and_one_that_changed_are_read_anew(tmp_path):
    volumes = RecentVolumes()
    first, second = document(tmp_path / "a.pdf", b"one"), document(tmp_path / "b.pdf", b"two")
    assert [content(volumes, each, 2)[0] for each in (first, second, first)] == [b"one", b"two", b"one"]
    changed = document(tmp_path / "a.pdf", b"one again")
    assert content(volumes, changed, 2)[0] == b"one again"


def test_a_document_of_one_page_is_not_kept(tmp_path):
    single, volumes = document(tmp_path / "a.png", b"page"), RecentVolumes()
    assert content(volumes, single, 1) == (b"page", None)
    (tmp_path / "a.png").unlink()
    with pytest.raises(FileNotFoundError):
        content(volumes, single, 1)


def test_volumes_whose_pages_come_in_turns_are_read_once_each(tmp_path):
    volumes, taken = RecentVolumes(), []
    both = [document(tmp_path / name, name.encode()) for name in ("a.pdf", "b.pdf")]
    for page in range(4):
        taken += [content(volumes, each, 4)[0] for each in both]
        if page == 0:
            for each in both:
                (tmp_path / each.uri).unlink()
    assert taken == [b"a.pdf", b"b.pdf"] * 4


def test_no_more_is_held_than_has_room(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.volumes._MOST_BYTES", 10)
    volumes = RecentVolumes()
    sizes = {"a": 4, "b": 4, "c": 5, "large": 11, "d": 4}
    every = {name: document(tmp_path / f"{name}.pdf", b"x" * size) for name, size in sizes.items()}

    def held():
        return {key[0].rsplit("/", 1)[1].removesuffix(".pdf") for key in volumes._held}

    for name, left in (
        ("a", {"a"}), ("b", {"a", "b"}), ("a", {"a", "b"}), ("c", {"a", "c"}), ("large", {"large"}), ("d", {"d"}),
    ):  # fmt: skip
        content(volumes, every[name], 2)
        assert held() == left
