"""The digitize graph: documents in, tables out."""

from __future__ import annotations

import apache_beam as beam
from apache_beam.ml.inference.base import RunInference

from htr_model.normalization import Normalization
from pipelines.archive.rows import failure_row, page_row, word_rows
from pipelines.archive.runs import RunRecord
from pipelines.inputs import Document
from pipelines.job import Job
from pipelines.steps.assembling import AssemblePages
from pipelines.steps.failures import FAILURES
from pipelines.steps.listing import ListPages
from pipelines.steps.overlays import DrawOverlays
from pipelines.steps.reading import IMAGES, LAYOUTS, ReadAndSegment, pages_in_a_batch
from pipelines.steps.recognising import RecognizerHandler, SortOutErrors
from pipelines.steps.writing import WriteTable, add_commit


def build(
    pipeline: beam.Pipeline,
    documents: list[Document],
    job: Job,
    record: RunRecord,
    normalization: Normalization,
) -> None:
    """Add the whole job to ``pipeline``.

    Args:
        documents: what is left to read.
        record: the run as far as it is known before it begins; completed and written as the last step.
        normalization: the model bundle's, so that pictures are prepared where they are cut.
    """
    tasks, not_listed = (
        pipeline
        | "Documents" >> beam.Create(documents)
        | "SpreadDocuments" >> beam.Reshuffle()
        | "ListPages" >> beam.ParDo(ListPages(job.decoding)).with_outputs(FAILURES, main="tasks")
    )
    batch = pages_in_a_batch(job)
    segmented = (
        tasks
        | "SpreadPages" >> beam.Reshuffle()
        | "BatchPages" >> beam.BatchElements(min_batch_size=batch, max_batch_size=batch)
        | "ReadAndSegment"
        >> beam.ParDo(ReadAndSegment(job, normalization)).with_outputs(LAYOUTS, FAILURES, main=IMAGES)
    )
    images = segmented[IMAGES]
    if job.redistribute:
        images |= "SpreadImages" >> beam.Reshuffle()
    recognise = RunInference(RecognizerHandler(job.model, job.batch_size, job.threads, job.decoder, job.language_model))
    if job.accelerator:
        # Dataflow then gives GPUs to the workers of this step alone; other runners take no notice.
        recognise = recognise.with_resource_hints(accelerator=job.accelerator)
    readings, not_read = (
        images
        | "Recognise" >> recognise
        | "SortOutErrors" >> beam.ParDo(SortOutErrors()).with_outputs(FAILURES, main="readings")
    )
    pages, lost = (
        {"layout": segmented[LAYOUTS], "readings": readings}
        | "GroupByPage" >> beam.CoGroupByKey()
        | "AssemblePages" >> beam.ParDo(AssemblePages()).with_outputs(FAILURES, main="pages")
    )
    failures = [not_listed, segmented[FAILURES], not_read, lost]
    if job.overlays:
        failures.append(pages | "DrawOverlays" >> beam.ParDo(DrawOverlays(job.overlays, job.decoding)))

    rows = {
        "words": pages | "WordRows" >> beam.FlatMap(word_rows, record.model_id, job.run_id),
        "pages": pages | "PageRows" >> beam.Map(page_row, record.model_id, job.run_id),
        "failures": failures | "AllFailures" >> beam.Flatten() | "FailureRows" >> beam.Map(failure_row, job.run_id),
    }
    files = {
        name: table | f"Write{name.title()}" >> WriteTable(job.output, name, job.run_id) for name, table in rows.items()
    }
    add_commit(pipeline, job.output, record, files)
