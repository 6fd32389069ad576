import errno
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from apache_beam.io.filesystem import FileSystem

from pipelines import files, inputs
from pipelines.archive import runs
from pipelines.errors import UsageError
from pipelines.files import page_stem, safe_name, write_bytes


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


def test_a_safe_name_has_nothing_that_leads_elsewhere():
    assert safe_name("../box 2/Müller?*.png") == ".._box_2_Müller__.png"


def test_names_of_files_about_a_page_fit_a_file_system():
    stem = page_stem("/scans/" + "漢" * 80 + ".jpg", 99_999, 100_000)
    assert len(f".{stem}-123456-270.page.xml.{'0' * 32}.partial".encode()) < 255
    assert stem.startswith("漢" * 50 + "-") and stem.endswith("-page100000")


def test_write_that_fails_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write_bytes(str(tmp_path / "taken"), b"data")
    assert [p.name for p in tmp_path.iterdir()] == ["taken"]


@pytest.fixture
def no_credentials(monkeypatch):
    """S3's client without any."""
    pytest.importorskip("boto3")
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    files._check_credentials.cache_clear()
    files.configure([])
    yield
    files.configure([])


def test_a_store_without_credentials_is_told_before_it_is_asked(no_credentials):
    with pytest.raises(UsageError, match="s3://bucket/scans: .*no credentials for s3://; set AWS_ACCESS_KEY_ID"):
        inputs.find(["s3://bucket/scans"])
    with pytest.raises(UsageError, match="no credentials for s3://"):
        runs.known("s3://bucket/archive")


def test_credentials_are_taken_from_the_environment_or_from_options(no_credentials, monkeypatch):
    files.configure(["--s3_access_key_id", "nobody"])
    files.check_store("s3://bucket/archive")
    files._check_credentials.cache_clear()
    files.configure([])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
    files.check_store("s3://bucket/archive")


@pytest.mark.parametrize(
    ("uri", "advice"),
    [
        ("https://x.org/a.png", "files of the web are not read; download them first"),
        ("gs://bucket/a.png", "gs:// needs pip install '.[gcp]'"),
        ("s3://bucket/a.png", "s3:// needs pip install '.[aws]'"),
        ("ftp://x/a.png", "there is no store ftp://"),
    ],
)
def test_a_store_without_its_client_is_told_with_what_to_do(monkeypatch, uri, advice):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    if uri.startswith("gs:") and "gs" in {fs.scheme() for fs in FileSystem.get_all_subclasses()}:
        pytest.skip("Google's client is installed")
    with pytest.raises(OSError, match=re.escape(advice)):
        files.check_store(uri)


def test_a_file_that_is_not_there_is_told_in_words(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere")
    for name, reason in (("link.png", "a link that leads nowhere"), ("nope.txt", "no such file")):
        with pytest.raises(FileNotFoundError) as gone:
            files.read_bytes(str(tmp_path / name))
        assert (str(gone.value), gone.value.errno) == (f"{tmp_path / name}: {reason}", errno.ENOENT)
    with pytest.raises(IsADirectoryError, match=f"^{re.escape(str(tmp_path))}: Is a directory$") as folder:
        files.read_bytes(str(tmp_path))
    assert folder.value.errno == errno.EISDIR


def test_writers_of_one_file_do_not_disturb_each_other(tmp_path):
    """Threads stand for containers, whose processes may have the same number."""
    path, contents = tmp_path / "a.txt", [bytes([i]) * 100_000 for i in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda data: write_bytes(str(path), data), contents))
    assert path.read_bytes() in contents
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_is_interrupted_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(str(tmp_path / "a.txt"), b"data")
    assert list(tmp_path.iterdir()) == []
