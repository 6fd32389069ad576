import errno
import mmap
import os
import re
import signal

import pytest

from pipelines.archive import lease
from pipelines.inputs import Document
from pipelines.running import portions
from tests import broken_files
from tests.pipelines.conftest import write_letter
from tests.pipelines.jobs import inkbeam, python, rows, run_ids

STRUCK = """
import sys
from pipelines import cli
from pipelines.running import portions
from pipelines.steps import writing

portions.PAGES_IN_A_RUN = 1
commit, calls = writing.publish, []

def publish(folder, table, names):
    calls.append(folder)
    if "-part2" in folder:
        raise OSError("no space left on the device")
    return commit(folder, table, names)

writing.publish = publish
sys.exit(cli.main(sys.argv[1:]))
"""


def documents(*sizes: tuple[str, int], left_out=frozenset()) -> tuple[Document, ...]:
    return tuple(Document(uri, size, None, left_out) for uri, size in sizes)


def test_portions_hold_every_document_once_and_in_order(monkeypatch):
    monkeypatch.setattr(portions, "PAGES_IN_A_RUN", 3)
    given = documents(*((f"/scans/{i}.png", 10_000_000) for i in range(8)))
    parts = list(portions.divided(given))
    assert [len(part) for part in parts] == [3, 3, 2]
    assert sum(parts, ()) == given


def test_nothing_is_in_no_portion():
    assert list(portions.divided(())) == []


def test_a_small_job_is_one_portion():
    given = documents(*((f"/scans/{i}.png", 1) for i in range(portions.PAGES_IN_A_RUN)))
    assert list(portions.divided(given)) == [given]


def test_large_volumes_get_a_portion_of_their_own():
    volume = "/scans/volume.PDF", 200_000 * (portions.PAGES_IN_A_RUN + 50)
    given = documents(("/scans/a.png", 1), volume, ("/scans/z.png", 1))
    assert [[d.uri[-5:] for d in part] for part in portions.divided(given)] == [["a.png"], ["e.PDF"], ["z.png"]]


@pytest.mark.parametrize(
    ("name", "size", "left_out", "pages"),
    [
        ("a.png", 30_000_000, (), 1),
        ("a.pdf", 2_000_000, (), 10),
        ("a.pdf", 2_000_000, (0, 1, 2), 7),
        ("gs://b/a.tif", 75_000_000, (), 7),
        ("absent.tif", 9, (), 1),
        ("a.pdf", 9, (), 1),
    ],
)
def test_pages_are_guessed_from_the_size_of_volumes_only(name, size, left_out, pages):
    (document,) = documents((name, size), left_out=frozenset(left_out))
    assert portions.likely_pages(document) == pages


def test_frames_of_tiffs_are_counted(tmp_path):
    path = tmp_path / "volume.TIF"
    path.write_bytes(broken_files.tiff_of_levels([10, 240, 100]))
    (document,) = documents((str(path), 75_000_000))
    assert portions.likely_pages(document) == 3


def test_frames_of_a_tiff_that_is_cut_short_meanwhile_are_those_that_are_left(tmp_path, monkeypatch):
    """A mapped file would end the process with a signal."""
    path = tmp_path / "copied.tif"
    path.write_bytes(broken_files.tiff_of_levels([10, 240] * 100))
    assert path.stat().st_size > 2 * mmap.PAGESIZE
    (document,) = documents((str(path), 75_000_000))
    count = portions.page_offsets

    def cut_and_count(data, *arguments):
        os.truncate(path, mmap.PAGESIZE)
        return count(data, *arguments)

    monkeypatch.setattr(portions, "page_offsets", cut_and_count)
    assert 1 < portions.likely_pages(document) < 100


@pytest.fixture
def scans(tmp_path):
    for name in ("a", "b", "c"):
        write_letter(tmp_path / "scans" / f"{name}.png")
    return tmp_path / "scans"


def test_each_portion_is_a_run_and_every_page_is_there_once(scans, tmp_path, tiny_bundle, monkeypatch):
    monkeypatch.setattr(portions, "PAGES_IN_A_RUN", 2)
    command = ("digitize", "--input", scans, "--output", tmp_path / "out", "--model", tiny_bundle)
    done = inkbeam(*command, "--run-id", "night", "--metrics-file", tmp_path / "figures.prom")
    assert done.code == 0, done.err
    assert run_ids(tmp_path / "out") == ["night", "night-part2"]
    assert "Run night and 1 more: 3 pages" in done.out
    assert "run=night*/" in done.out
    pages = rows(tmp_path / "out", "pages")
    assert sorted(p["document_uri"].rsplit("/", 1)[1] for p in pages) == ["a.png", "b.png", "c.png"]
    assert re.search(r"^inkbeam_pages\{.*\} 3\.0$", (tmp_path / "figures.prom").read_text(), re.MULTILINE)
    assert "Nothing to do" in inkbeam(*command).out


def test_what_earlier_portions_read_survives_a_later_one(scans, tmp_path, tiny_bundle):
    command = ("digitize", "--input", scans, "--output", tmp_path / "out", "--model", tiny_bundle)
    struck = python(STRUCK, *command, "--run-id", "night", "--metrics-file", tmp_path / "figures.prom")
    assert struck.returncode == 3, struck.stderr
    assert "Run night: 1 page" in struck.stdout
    figures = (tmp_path / "figures.prom").read_text()
    assert re.search(r"^inkbeam_pages\{.*\} 1\.0$", figures, re.MULTILINE)
    assert re.search(r"^inkbeam_exit_code\{.*\} 3\.0$", figures, re.MULTILINE)
    assert "no space left on the device" in struck.stderr
    assert "What was written before it is kept: 1 page" in struck.stderr
    assert run_ids(tmp_path / "out") == ["night"]
    again = inkbeam(*command, "--run-id", "again")
    assert "1 page done already" in again.out
    pages = rows(tmp_path / "out", "pages")
    assert sorted((p["document_uri"].rsplit("/", 1)[1], p["run_id"]) for p in pages) == [
        ("a.png", "night"), ("b.png", "again"), ("c.png", "again")
    ]  # fmt: skip


def full_disk():
    raise OSError(errno.ENOSPC, "No space left on device")


def asked_to_stop():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize(
    ("strike", "message"),
    [
        (full_disk, "No space left on device). What was written before it is kept: 1 page"),
        (asked_to_stop, "interrupted"),
    ],
)
def test_what_ends_a_job_between_portions_is_no_wrong_usage(scans, tmp_path, tiny_bundle, monkeypatch, strike, message):
    announce = lease._announce

    def struck(output, run_id):
        if run_id.endswith("-part2"):
            strike()
        announce(output, run_id)

    monkeypatch.setattr(portions, "PAGES_IN_A_RUN", 1)
    monkeypatch.setattr(lease, "_announce", struck)
    command = ("digitize", "--input", scans, "--output", tmp_path / "out", "--model", tiny_bundle)
    done = inkbeam(*command, "--run-id", "night", "--metrics-file", tmp_path / "figures.prom")
    assert done.code == 3, done.err
    assert "Run night: 1 page" in done.out
    assert message in done.err
    figures = (tmp_path / "figures.prom").read_text()
    assert re.search(r"^inkbeam_pages\{.*\} 1\.0$", figures, re.MULTILINE)
    assert re.search(r"^inkbeam_exit_code\{.*\} 3\.0$", figures, re.MULTILINE)
    assert run_ids(tmp_path / "out") == ["night"]
