"""The processes that draw PDF pages: used again, replaced when they die or are ended, gone with who started them."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from segmentation import decoding
from segmentation.decoding import DecodingSettings, PageRef, count_pages, decode_page
from segmentation.decoding.rendering import process
from tests import broken_files, hostile_files
from tests.conftest import REPOSITORY

SETTINGS = DecodingSettings(pdf_dpi=72, pdf_seconds=2)
PAGE = broken_files.raw_pdf([(200, 100, 0)])


@pytest.fixture(autouse=True)
def started(monkeypatch):
    """Processes that a test starts, as they are started."""
    started, begin = [], subprocess.Popen

    def popen(*args, **kwargs):
        started.append(begin(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(process.subprocess, "Popen", popen)
    monkeypatch.setattr(process, "_idle", [])
    yield started
    for renderer in process._idle:
        renderer.end()
    assert all(p.poll() is not None for p in started)


def draw(data=PAGE, name="scan.pdf"):
    return decode_page(data, PageRef(name, 0), SETTINGS).gray


def test_one_process_draws_page_after_page(started):
    first = draw()
    assert count_pages(PAGE, "scan.pdf", SETTINGS) == 1
    np.testing.assert_array_equal(draw(), first)
    with pytest.raises(decoding.TruncatedImage):
        draw(b"%PDF-1.7 nothing %%EOF")
    with pytest.raises(decoding.PageOutOfRange):
        decode_page(PAGE, PageRef("scan.pdf", 1), SETTINGS)
    np.testing.assert_array_equal(draw(), first)
    assert len(started) == 1


def test_the_process_loads_pdfium_and_nothing_that_decodes_pictures(started):
    draw()
    loaded = Path(f"/proc/{started[0].pid}/maps").read_text()
    assert "pdfium" in loaded and "numpy" not in loaded and "PIL" not in loaded


def test_endless_page_is_ended_and_the_next_one_drawn(started):
    draw()
    with pytest.raises(decoding.TooSlow, match=r"^endless\.pdf: .* 2 seconds of processor time"):
        draw(hostile_files.looping_form_pdf(), "endless.pdf")
    assert started[0].poll() == -signal.SIGXCPU
    assert draw().shape == (100, 200)
    assert len(started) == 2


def test_a_page_has_its_seconds_whatever_was_drawn_before(started):
    settings, diary = DecodingSettings(pdf_seconds=1), (REPOSITORY / "samples" / "diary.pdf").read_bytes()
    pages = 0
    while not pages or _cpu_seconds(started[0].pid) < 2.2:
        decode_page(diary, PageRef("diary.pdf", 0), settings)
        pages += 1
    assert pages > 2
    assert len(started) == 1


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_process_that_was_killed_between_two_pages_is_replaced(started):
    draw()
    started[0].kill()
    assert draw().shape == (100, 200)
    assert len(started) == 2


def test_process_killed_at_work_is_replaced_and_the_page_drawn(started):
    def kill():
        while not started:
            time.sleep(0.01)
        started[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    pages = [draw().shape for _ in range(20)]
    killer.join()
    assert pages == [(100, 200)] * 20
    assert len(started) == 2


def test_page_that_breaks_two_processes_is_damaged(monkeypatch, started):
    monkeypatch.setattr(process, "_BEGIN", "import os, sys; sys.stdin.buffer.readline(); os.abort()")
    with pytest.raises(decoding.TruncatedImage, match=r"scan\.pdf.*signal 6"):
        draw()
    assert len(started) == 2


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="Linux alone limits another process")
def test_document_too_large_for_the_memory_is_not_damaged(started):
    draw()
    limit = 2**20 * (_megabytes(started[0].pid) + 20)
    resource.prlimit(started[0].pid, resource.RLIMIT_AS, (limit, limit))
    with pytest.raises(MemoryError):
        draw(PAGE.replace(b"%%EOF", b"%" * 40_000_000 + b"\n%%EOF"))
    assert draw().shape == (100, 200)
    assert len(started) == 2


def _megabytes(pid: int) -> int:
    """Address space of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def test_threads_draw_at_the_same_time(started):
    assert _at_once((PAGE, None), (PAGE, None)) == [200, 200]
    assert len(started) == 2


def _at_once(*documents: tuple[bytes, str | None]) -> list[int]:
    """Widths of the first pages of documents that are all open at the same time."""
    barrier = threading.Barrier(len(documents), timeout=60)
    found = []

    def work(data, sha256):
        with process.borrowed(sha256) as renderer:
            renderer.open(data, sha256, seconds=9)
            barrier.wait()
            found.append(renderer.ask("draw", page=0, scale=1.0, gray=True)[0]["width"])

    threads = [threading.Thread(target=work, args=document) for document in documents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(found)


def test_fork_leaves_its_parents_process_alone(started):
    draw()
    child = os.fork()
    if not child:
        mine = process._take()
        os._exit(0 if mine is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    draw()
    assert len(started) == 1


def test_process_ends_with_the_one_that_started_it():
    code = (
        "import os\nfrom segmentation.decoding.rendering import process\n"
        "from tests.segmentation.test_rendering import draw\n"
        "draw()\nprint(process._idle[0]._process.pid, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid = int(done.stdout)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


def test_interrupt_from_the_terminal_is_not_its_own(started):
    draw()
    started[0].send_signal(signal.SIGINT)
    draw()
    assert len(started) == 1


def _volume(pages: int, width: int = 200) -> tuple[bytes, str]:
    """A PDF of several pages, each a point wider than the one before, and its checksum."""
    data = broken_files.raw_pdf([(width + i, 100, 0) for i in range(pages)])
    return data, hashlib.sha256(data).hexdigest()


def _widths(data, sha256, pages) -> list[int]:
    return [decode_page(data, PageRef("v.pdf", i), SETTINGS, sha256).gray.shape[1] for i in pages]


def _sent(monkeypatch) -> list[int]:
    """Bytes of each question from here on, of those with any."""
    sent, tell = [], process.Renderer._tell

    def noting(self, data):
        if not data.startswith(b"{") and data:
            sent.append(len(data))
        tell(self, data)

    monkeypatch.setattr(process.Renderer, "_tell", noting)
    return sent


def test_a_volume_is_sent_once_for_all_its_pages(monkeypatch, started):
    data, sha256 = _volume(5)
    draw()  # there is a process
    sent = _sent(monkeypatch)
    assert _widths(data, sha256, range(5)) == [200, 201, 202, 203, 204]
    assert sent == [len(data)] and len(started) == 1


def test_a_volume_that_is_done_is_let_go_for_the_next(monkeypatch, started):
    (one, sha_one), (two, sha_two) = _volume(3), _volume(3, 300)
    assert _widths(one, sha_one, [0, 1]) == [200, 201]
    assert _widths(two, sha_two, [0, 1]) == [300, 301]
    assert [renderer.document for renderer in process._idle] == [sha_two]
    assert _widths(one, sha_one, [2]) == [202]
    assert draw().shape == (100, 200)  # of which nobody knows the checksum
    assert [renderer.document for renderer in process._idle] == [None]
    assert len(started) == 1


def test_two_volumes_drawn_in_turn_are_sent_once_each(monkeypatch, started):
    one, two = _volume(4), _volume(4, 300)
    sent = _sent(monkeypatch)
    assert _at_once(one, two) == [200, 300]
    for page in range(4):
        assert _widths(*one, [page]) == [200 + page]
        assert _widths(*two, [page]) == [300 + page]
    assert len(sent) == len(started) + 2  # to each process first the path


def test_no_more_volumes_are_held_than_were_drawn_at_the_same_time(started):
    one, two, *more = (_volume(2, width) for width in (200, 300, 400, 500))
    _at_once(one, two)
    for volume in more:
        _widths(*volume, [0])
    assert {renderer.document for renderer in process._idle} == {sha256 for _, sha256 in more}
    assert len(started) == 2


def test_a_volume_is_sent_again_when_its_process_died(started):
    data, sha256 = _volume(3)
    _widths(data, sha256, [0])
    started[0].kill()
    assert _widths(data, sha256, [1, 2]) == [201, 202]
    assert len(started) == 2


def test_each_page_of_a_volume_has_its_seconds(started):
    data, diary = (REPOSITORY / "samples" / "diary.pdf").read_bytes(), "diary"
    settings = DecodingSettings(pdf_seconds=1)
    pages = 0
    while not pages or _cpu_seconds(started[0].pid) < 2.2:
        decode_page(data, PageRef("diary.pdf", 0), settings, diary)
        pages += 1
    assert pages > 2 and len(started) == 1
