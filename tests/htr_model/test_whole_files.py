from concurrent.futures import ThreadPoolExecutor

import pytest

from htr_model.whole_files import write_whole, written_aside


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
