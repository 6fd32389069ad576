"""What a digitize job is to read: found out, and its model loaded, before anything is written."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace

from htr_model.bundle import Bundle
from pipelines import inputs
from pipelines.archive import history, runs
from pipelines.archive.selection import Selection, select
from pipelines.errors import UsageError
from pipelines.files import absolute, is_local
from pipelines.job import Job
from pipelines.models import load_bundle, load_language_model
from pipelines.options.outputs import writing


@dataclass(frozen=True)
class Plan:
    """What a job would do.

    Attributes:
        selection: documents to read, and what is skipped.
        bundle: the model.
        earlier: runs that were committed when the plan was made.
    """

    job: Job
    selection: Selection
    bundle: Bundle
    earlier: frozenset[str] = frozenset()


def plan(job: Job, input_lists: tuple[str, ...]) -> Plan:
    """What there is to do.

    Raises:
        UsageError: input, output or model are unusable.
    """
    bundle = load_models(job)
    listed = inputs.listed(input_lists)
    documents = inputs.find([*job.inputs, *listed])
    named = {d.uri for d in documents}
    # Folders and patterns of the lists are inputs like others; single files, which may be many, need not be told again.
    job = replace(job, inputs=(*job.inputs, *(uri for uri in listed if absolute(uri) not in named)))
    if job.overlays:
        if is_local(job.overlays) and os.path.isfile(job.overlays):
            raise UsageError(f"--overlays {job.overlays}: is a file; name a folder")
        inputs.refuse_among_scans(job.inputs, named, job.overlays, "--overlays")
    return plan_for(job, documents, bundle)


def load_models(job: Job) -> Bundle:
    """A job's bundle; its language model is loaded too, so that what is wrong with it is found before the first page.

    Raises:
        UsageError: one of them is unusable.
    """
    bundle = load_bundle(job.model)
    if job.language_model:
        load_language_model(job.language_model, bundle)
    return bundle


def plan_for(job: Job, documents: list[inputs.Document], bundle: Bundle, max_attempts: int | None = None) -> Plan:
    """What there is to do about some documents.

    Args:
        max_attempts: in the place of the job's, for this time only.

    Raises:
        UsageError: the output is unusable.
    """
    try:
        records = runs.committed(job.output)
        known = history.load(job.output, records, bundle.id, job.fingerprint)
    except UsageError:
        raise
    except Exception as error:
        raise UsageError(f"--output {job.output}: cannot be read ({error})") from error
    attempts = job.max_attempts if max_attempts is None else max_attempts
    selection = select(documents, known, job.existing, attempts)
    return Plan(job, selection, bundle, frozenset(r.run_id for r in records))


def check_overlays(job: Job) -> None:
    """Make the folder for overlays, where it lies on this machine, and try to write there: before hours of work.

    Raises:
        UsageError: it cannot be written.
    """
    if job.overlays and is_local(job.overlays):
        with writing(f"--overlays {job.overlays}"):
            os.makedirs(job.overlays, exist_ok=True)
            tempfile.TemporaryFile(dir=job.overlays).close()


def is_stale(planned: Plan) -> bool:
    """Whether another run was committed since the plan was made."""
    return runs.committed_ids(planned.job.output) != planned.earlier
