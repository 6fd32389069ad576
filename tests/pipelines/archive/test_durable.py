import errno
import os

import pytest

from pipelines.archive.durable import make_last


def refuse_to_sync(monkeypatch, reason: int) -> None:
    def refuse(handle):
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "fsync", refuse)


@pytest.mark.parametrize("reason", [errno.EINVAL, errno.ENOTSUP, errno.EACCES])
def test_a_file_system_that_cannot_be_told_is_no_obstacle(tmp_path, monkeypatch, reason):
    (tmp_path / "rows").write_bytes(b"rows")
    refuse_to_sync(monkeypatch, reason)
    make_last(str(tmp_path / "rows"))


@pytest.mark.parametrize("reason", [errno.EIO, errno.ENOSPC])
def test_what_does_not_reach_the_disk_is_an_error(tmp_path, monkeypatch, reason):
    (tmp_path / "rows").write_bytes(b"rows")
    refuse_to_sync(monkeypatch, reason)
    with pytest.raises(OSError) as raised:
        make_last(str(tmp_path / "rows"))
    assert raised.value.errno == reason
