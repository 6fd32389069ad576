import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import cv2
import pytest

from htr_model.normalization import Normalization
from pipelines.job import Job
from pipelines.steps import reading
from pipelines.steps.listing import pages_of
from pipelines.steps.reading import ReadAndSegment, read_and_segment
from pipelines.volumes import RecentVolumes
from segmentation.decoding import DecodingSettings
from tests import broken_files
from tests.pipelines.steps.documents import document
from tests.segmentation.drawing import draw_page

SETTINGS = DecodingSettings()


def test_a_page_whose_letters_tell_is_read_once(tmp_path):
    (task,) = pages_of(document(tmp_path / "a.png", cv2.imencode(".png", draw_page().gray)[1].tobytes()), SETTINGS)
    outcome = read_and_segment(task, Job(inputs=(), output="/out", run_id="r"), Normalization(), RecentVolumes())
    assert outcome.layout.on_its_head is None
    assert len(outcome.images) == len(outcome.layout.lines)


@pytest.fixture
def copies():
    """Copies of the step that reads pages, as a runner makes them for work that it does at once."""
    step = pickle.dumps(ReadAndSegment(Job(inputs=(), output="/out", run_id="r", threads=2), Normalization()))
    made = [pickle.loads(step) for _ in range(4)]
    for copy in made:
        copy.setup()
    yield made
    for copy in made:
        copy.teardown()


def grey_pages(path):
    return pages_of(document(path, broken_files.tiff_of_levels([10, 120, 240])), SETTINGS)


def test_copies_of_a_step_in_one_process_share_its_threads(copies, tmp_path, monkeypatch):
    """Each page takes up to 100 MB while it is segmented."""
    decode, threads = reading.decode_page, set()

    def decode_page(*arguments):
        threads.add(threading.current_thread())
        return decode(*arguments)

    monkeypatch.setattr(reading, "decode_page", decode_page)
    batches = [grey_pages(tmp_path / f"{i}.tif") for i in range(len(copies))]
    with ThreadPoolExecutor(len(copies)) as pool:
        given = list(pool.map(lambda copy, tasks: list(copy.process(tasks)), copies, batches))
    assert [[output.value[0] for output in outputs] for outputs in given] == [[t.ref for t in b] for b in batches]
    assert len(threads) <= 2


def test_progress_is_told_soon(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(reading, "_FIRST_REPORT_SECONDS", 0)
    step = ReadAndSegment(Job(inputs=(), output="/out", run_id="r"), Normalization())
    step.setup()
    with caplog.at_level("INFO", logger="pipelines"):
        list(step.process(grey_pages(tmp_path / "a.tif")))
    step.teardown()
    assert [r.message for r in caplog.records] == ["1 page segmented by this worker"]
