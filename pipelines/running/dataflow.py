"""What Google's Dataflow asks of a job beyond what every runner does, found out before anything is submitted."""

from __future__ import annotations

from collections.abc import Iterable

from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    WorkerOptions,
)

from pipelines.errors import UsageError
from pipelines.files import is_local
from pipelines.inputs import Document
from pipelines.job import BUNDLE_LANGUAGE_MODEL, DEFAULT_MODEL, Job
from pipelines.running.beam_options import runner_name
from segmentation.lines import network as line_network

GPU_SERVICE_OPTION = "worker_accelerator"


def is_dataflow(beam_options: list[str]) -> bool:
    """Whether a job runs on Dataflow."""
    return runner_name(beam_options) in ("dataflowrunner", "dataflow")


def is_template(beam_options: list[str]) -> bool:
    """Whether Dataflow's launcher of templates asked for the job's description instead of a running job."""
    return is_dataflow(beam_options) and bool(
        PipelineOptions(beam_options).view_as(GoogleCloudOptions).template_location
    )


def check(job: Job, documents: Iterable[Document], beam_options: list[str]) -> None:
    """Nothing, for a job that is ready for Dataflow or runs elsewhere.

    Raises:
        UsageError: an option is missing, or a path lies on this machine, which Dataflow's workers cannot see.
    """
    if not is_dataflow(beam_options):
        return
    options = PipelineOptions(beam_options)
    cloud = options.view_as(GoogleCloudOptions)
    for name in ("project", "region", "temp_location"):
        if not getattr(cloud, name):
            raise UsageError(f"--{name}: the Dataflow runner needs it")
    for name in ("temp_location", "staging_location", "template_location"):
        place = getattr(cloud, name)
        if place and not place.startswith("gs://"):
            raise UsageError(f"--{name} {place}: the Dataflow runner wants a folder in Cloud Storage, gs://")
    _check_paths(job, documents)
    setup = options.view_as(SetupOptions)
    if not (options.view_as(WorkerOptions).sdk_container_image or setup.setup_file or setup.extra_packages):
        raise UsageError(
            "--sdk_container_image: Dataflow's own lacks inkbeam; build one from deploy/dataflow/Dockerfile"
        )
    if job.accelerator and any(o.startswith(GPU_SERVICE_OPTION) for o in cloud.dataflow_service_options or ()):
        raise UsageError(
            f"--accelerator puts GPUs where pages are read, --dataflow_service_options={GPU_SERVICE_OPTION} on every "
            "worker: give one of them"
        )


def _check_paths(job: Job, documents: Iterable[Document]) -> None:
    paths = [("--output", job.output), ("--overlays", job.overlays), ("--input", next(_local(documents), None))]
    if job.model != DEFAULT_MODEL:
        paths.append(("--model", job.model))
    if job.language_model and job.language_model.uri != BUNDLE_LANGUAGE_MODEL:
        paths.append(("--language-model", job.language_model.uri))
    if job.segmentation.line_model not in (None, line_network.DEFAULT):
        paths.append(("--lines", str(job.segmentation.line_model)))
    for option, path in paths:
        if path and is_local(path):
            raise UsageError(f"{option} {path}: lies on this machine, which Dataflow's workers cannot see; use gs://")


def _local(documents: Iterable[Document]):
    return (d.uri for d in documents if is_local(d.uri))
