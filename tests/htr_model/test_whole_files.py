import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from htr_model.whole_files import sync, write_whole, written_aside


def test_a_file_written_by_many_at_once_is_always_one_of_theirs(tmp_path):
    path = tmp_path / "file"
    contents = [bytes([n]) * 50_000 for n in range(4)]
    write_whole(path, contents[0])

    def write_and_read(number):
        write_whole(path, contents[number % 4])
        return path.read_bytes()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(write_and_read, range(80))) <= set(contents)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_what_fails_on_the_way_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(failure), written_aside(path) as partial:
        partial.write_bytes(b"half")
        raise failure
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_replaced_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "file").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "file", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_where_nothing_was_written_the_old_file_stays(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with written_aside(path):
        pass
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(("lasting", "expected"), [(True, ["content", "name"]), (False, [])])
def test_a_lasting_file_is_on_the_disk_before_its_name_is(tmp_path, monkeypatch, lasting, expected):
    path, synced, fsync = tmp_path / "file", [], os.fsync

    def note(handle):
        fsync(handle)
        synced.append("name" if stat.S_ISDIR(os.fstat(handle).st_mode) else "content")
        assert path.exists() == (synced[-1] == "name")

    monkeypatch.setattr(os, "fsync", note)
    with written_aside(path, lasting) as partial:
        partial.write_bytes(b"new")
    assert path.read_bytes() == b"new" and synced == expected


def refuse_to_sync_folders(monkeypatch, reason: int) -> None:
    fsync = os.fsync

    def refuse(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(reason, os.strerror(reason))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refuse)


@pytest.mark.parametrize("reason", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_a_file_system_that_cannot_be_told_is_no_obstacle(tmp_path, monkeypatch, reason):
    refuse_to_sync_folders(monkeypatch, reason)
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"new"
    sync(tmp_path)


@pytest.mark.parametrize("reason", [errno.EIO, errno.ENOSPC])
def test_what_does_not_reach_the_disk_is_an_error(tmp_path, monkeypatch, reason):
    refuse_to_sync_folders(monkeypatch, reason)
    with pytest.raises(OSError) as raised:
        write_whole(tmp_path / "file", b"new")
    assert raised.value.errno == reason
