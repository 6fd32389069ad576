"""Pages → their layouts, and the pictures of their lines or words."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import cv2
from apache_beam.metrics import Metrics

from htr_model.cores import usable_cores
from htr_model.normalization import Normalization
from pipelines.job import Job
from pipelines.steps.failures import FAILURES, NAMESPACE, failure
from pipelines.steps.layouts import PageLayout, laid_out
from pipelines.steps.listing import PageTask
from pipelines.steps.shared import one_per_process
from pipelines.steps.units import TextImage
from pipelines.volumes import RecentVolumes
from pipelines.wording import counted
from segmentation.decoding import decode_page
from segmentation.page import ways_up

LAYOUTS, IMAGES = "layouts", "images"
"""Outputs of `ReadAndSegment`."""
log = logging.getLogger(__name__)
_REPORT_SECONDS = 20
_FIRST_REPORT_SECONDS = 5


@dataclass(frozen=True)
class PageOutcome:
    """A page read and segmented, or at which stage and why not.

    Attributes:
        images: of its lines or words.
        seconds: by stage.
    """

    task: PageTask
    layout: PageLayout | None
    images: tuple[TextImage, ...]
    seconds: dict[str, float]
    failed_stage: str | None = None
    error: Exception | None = None


def read_and_segment(task: PageTask, job: Job, normalization: Normalization, volumes: RecentVolumes) -> PageOutcome:
    """A page's layout and the pictures of its writing. Raises nothing: an error is part of the outcome."""
    stage = "read"
    try:
        started = time.perf_counter()
        document = task.document
        data, sha256 = volumes.content(document.uri, task.document_pages, document.fingerprint())
        page = decode_page(data, task.ref, job.decoding, sha256)
        decoded = time.perf_counter()
        stage = "segment"
        layout, images = laid_out(task, page, ways_up(page.gray, job.segmentation), job.unit, normalization)
    except Exception as error:
        return PageOutcome(task, None, (), {}, stage, error)
    seconds = {"read": decoded - started, "segment": time.perf_counter() - decoded}
    return PageOutcome(task, layout, tuple(images), seconds)


_MOST_THREADS = 8
"""Pages at once in a process: each takes up to 100 MB while it is segmented."""


def pages_at_once(job: Job) -> int:
    """Pages that a worker process reads and segments at the same time, a thread each."""
    return min(job.threads or usable_cores(), _MOST_THREADS)


def pages_in_a_batch(job: Job) -> int:
    """Pages that `ReadAndSegment` is given together: several a thread, so that no thread waits long for the slowest."""
    return 4 * pages_at_once(job)


class ReadAndSegment(beam.DoFn):
    """Batches of pages → their layouts, and the pictures of their lines or words.

    Pages of a batch are read on threads: nearly all the time goes into OpenCV and NumPy, which let others run. The
    first pages' pictures go on to the recogniser while the last ones are still being segmented.
    """

    def __init__(self, job: Job, normalization: Normalization):
        self._job = job
        self._normalization = normalization
        self._pages = 0
        self._reported = 0.0

    def setup(self):
        # A thread a page keeps the cores busier than OpenCV's own threads do, which help in some steps only.
        cv2.setNumThreads(1)
        self._pool = one_per_process(ThreadPoolExecutor, pages_at_once(self._job), "pages")
        self._volumes = one_per_process(RecentVolumes)
        self._reported = time.monotonic() - _REPORT_SECONDS + _FIRST_REPORT_SECONDS

    def teardown(self):
        # Its threads end when the last step of the process has let go of it.
        self._pool = self._volumes = None

    def process(self, tasks: list[PageTask]):
        work = partial(read_and_segment, job=self._job, normalization=self._normalization, volumes=self._volumes)
        for outcome in self._pool.map(work, tasks):
            ref = outcome.task.ref
            if outcome.error is not None:
                document, pages = outcome.task.document, outcome.task.document_pages
                lost = failure(outcome.failed_stage, document, ref.page_index, outcome.error, pages)
                yield beam.pvalue.TaggedOutput(FAILURES, lost)
                continue
            for stage, seconds in outcome.seconds.items():
                Metrics.distribution(NAMESPACE, f"{stage}_milliseconds").update(round(seconds * 1000))
            yield beam.pvalue.TaggedOutput(LAYOUTS, (ref, outcome.layout))
            yield from outcome.images
            self._report()

    def _report(self) -> None:
        self._pages += 1
        now = time.monotonic()
        if now - self._reported > _REPORT_SECONDS:
            self._reported = now
            log.info("%s segmented by this worker", counted(self._pages, "page"))
