"""The job that Dataflow would be given, built without a cloud."""

import json
import os
import re
import subprocess

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from deploy.dataflow import template
from htr_model.bundle import DEFAULT, load
from pipelines import digitize
from pipelines.archive.runs import RunRecord
from pipelines.errors import UsageError
from pipelines.inputs import Document
from pipelines.job import Job
from pipelines.running import dataflow
from tests.conftest import REPOSITORY

T4 = "type:nvidia-tesla-t4;count:1;install-nvidia-driver"
S3 = "s3://archive/tables"
"""An output that Beam can name without the libraries of a cloud."""
FOLDER = REPOSITORY / "deploy" / "dataflow"
DOCUMENTS = [Document("gs://archive/scans/a.png", 10, 1.0)]
OPTIONS = {
    "runner": "DataflowRunner",
    "project": "my-project",
    "region": "europe-west4",
    "temp_location": "gs://archive/tmp",
    "staging_location": "gs://archive/staging",
    "sdk_container_image": "europe-docker.pkg.dev/p/r/inkbeam:1",
    "sdk_location": "container",
    "service_account_email": "reader@my-project.iam.gserviceaccount.com",
    "worker_machine_type": "n1-standard-4",
    "max_num_workers": "7",
    "autoscaling_algorithm": "THROUGHPUT_BASED",
}
STEPS = [
    *("Documents", "SpreadDocuments", "ListPages", "SpreadPages", "ReadAndSegment", "SpreadImages", "Recognise"),
    *("SortOutErrors", "GroupByPage", "AssemblePages", "DrawOverlays", "WordRows", "PageRows", "AllFailures"),
    *("FailureRows", "WriteWords", "WritePages", "WriteFailures"),
]
"""Names under which a job's steps are shown and watched; an alert that names one must not fall silent."""


def flags(**changes):
    return [f"--{name}={value}" for name, value in {**OPTIONS, **changes}.items() if value is not None]


def job(**changes):
    values = {"output": "gs://archive/tables", "run_id": "r", "redistribute": True, "accelerator": T4}
    return Job(inputs=("gs://archive/scans",), **{**values, **changes})


def add_graph(pipeline, a_job):
    record = RunRecord("r", "", "", "model", a_job.fingerprint, {}, {}, {})
    digitize.build(pipeline, DOCUMENTS, a_job, record, load(DEFAULT).normalization)


@pytest.fixture(scope="module")
def proto():
    """The graph as every runner is given it."""
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    add_graph(pipeline, job(output=S3, overlays=f"{S3}/overlays"))
    return pipeline.to_runner_api()


def hints_by_step(proto):
    """Step → resource hints of its environment."""
    components = proto.components
    return {
        transform.unique_name: dict(components.environments[transform.environment_id].resource_hints)
        for transform in components.transforms.values()
        if transform.environment_id
    }


def assert_gpus_for_recognition_alone(proto):
    hints = hints_by_step(proto)
    with_gpu = {name for name, found in hints.items() if found}
    assert "Recognise/BeamML_RunInference" in with_gpu
    assert {name.split("/")[0] for name in with_gpu} == {"Recognise"}
    assert [*hints["Recognise/BeamML_RunInference"].values()] == [T4.encode()]
    assert {"ReadAndSegment", "AssemblePages", "ListPages"} <= hints.keys()


def test_recognition_alone_asks_for_a_gpu(proto):
    assert_gpus_for_recognition_alone(proto)


def test_pictures_are_shuffled_before_recognition(proto):
    """Otherwise the runner would join both steps, and cut pages on machines with a GPU."""
    steps = {t.unique_name: t for t in proto.components.transforms.values()}
    (pictures,) = steps["Recognise"].inputs.values()
    assert pictures in steps["SpreadImages"].outputs.values()


def test_without_an_accelerator_no_step_asks_for_anything():
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=FnApiRunner"]))
    add_graph(pipeline, job(output=S3, accelerator=None))
    assert not any(hints_by_step(pipeline.to_runner_api()).values())


def test_names_of_steps_are_stable(proto):
    components = proto.components
    root = components.transforms[proto.root_transform_ids[0]]
    names = [components.transforms[i].unique_name for i in root.subtransforms]
    assert [name for name in names if name in STEPS] == STEPS


def local_paths(serialized: bytes) -> list[bytes]:
    """Paths of this machine in a job's description."""
    places = {str(REPOSITORY), os.path.expanduser("~/"), os.getcwd()}
    return [p.encode() for p in places if len(p) > 1 and p.encode() in serialized]


def test_job_names_no_path_of_this_machine(proto):
    assert local_paths(proto.SerializeToString()) == []
    assert local_paths(f"… {REPOSITORY}/x".encode()), "otherwise this test would show nothing"


# ------------------------------------------------------------------------------------------------ Dataflow's own


@pytest.fixture(scope="module")
def submitted():
    """What the Dataflow runner would send: its job, without sending it."""
    pytest.importorskip("google.cloud.dataflow_v1beta3", reason="the runner needs an extra: pip install 'inkbeam[gcp]'")
    pipeline = beam.Pipeline(options=PipelineOptions([*flags(), "--dry_run=True", "--no_save_main_session"]))
    add_graph(pipeline, job())
    return pipeline.run().job


def test_dataflow_is_told_the_container_and_gpus_for_recognition_alone(submitted):
    proto = submitted.proto_pipeline
    assert_gpus_for_recognition_alone(proto)
    for environment in proto.components.environments.values():
        assert environment.urn == "beam:env:docker:v1"
        assert OPTIONS["sdk_container_image"].encode() in environment.payload
    assert local_paths(proto.SerializeToString()) == []


# ------------------------------------------------------------------------------------------------ options


def test_job_that_is_ready_passes():
    dataflow.check(job(), DOCUMENTS, flags())
    dataflow.check(job(output="/tables"), [Document("/scans/a.png", 1, 1.0)], ["--runner=FlinkRunner"])
    dataflow.check(job(output="/tables"), [], [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"project": None}, "--project: the Dataflow runner needs it"),
        ({"region": None}, "--region: the Dataflow runner needs it"),
        ({"temp_location": None}, "--temp_location: the Dataflow runner needs it"),
        ({"temp_location": "/var/tmp"}, "--temp_location /var/tmp: the Dataflow runner wants a folder"),
        ({"staging_location": "staging"}, "--staging_location staging: the Dataflow runner wants a folder"),
        ({"sdk_container_image": None}, "--sdk_container_image: .*Dockerfile"),
        ({"dataflow_service_options": f"worker_accelerator={T4}"}, "give one of them"),
    ],
)
@pytest.mark.parametrize("runner", ["DataflowRunner", "dataflowrunner", "apache_beam.runners.DataflowRunner"])
def test_bad_options_are_found_before_submission(runner, changes, message):
    with pytest.raises(UsageError, match=message):
        dataflow.check(job(), DOCUMENTS, flags(runner=runner, **changes))


@pytest.mark.parametrize(
    ("changes", "documents", "message"),
    [
        ({"output": "/tables"}, DOCUMENTS, "--output /tables: lies on this machine"),
        ({"overlays": "/overlays"}, DOCUMENTS, "--overlays /overlays: lies on this machine"),
        ({"model": "/model"}, DOCUMENTS, "--model /model: lies on this machine"),
        ({}, [*DOCUMENTS, Document("/scans/b.png", 1, 1.0)], "--input /scans/b.png: lies on this machine"),
    ],
)
def test_paths_of_this_machine_are_found_before_submission(changes, documents, message):
    with pytest.raises(UsageError, match=message):
        dataflow.check(job(**changes), documents, flags())


@pytest.mark.parametrize(
    "spec", ["nvidia-tesla-t4", "type:t4", "type:t4;count:0", "type:t4;count:1;", "type:t4 ;count:1"]
)
def test_accelerator_that_dataflow_would_refuse_is_refused(spec):
    with pytest.raises(UsageError, match="--accelerator .* must look like"):
        job(accelerator=spec)


def test_accelerator_does_not_change_what_counts_as_done():
    assert job().fingerprint == job(accelerator=None).fingerprint


# ------------------------------------------------------------------------------------------------ deploy/dataflow


ENVIRONMENT = {"PROJECT": "p", "REGION": "r", "BUCKET": "b", "IMAGE": "i", "SERVICE_ACCOUNT": "s", "DRY_RUN": "1"}


def submit(*arguments, **environment):
    variables = {"PATH": os.environ["PATH"], **ENVIRONMENT, **environment}
    command = [FOLDER / "submit.sh", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(("gpu", "kind"), [("none", None), ("t4", "nvidia-tesla-t4"), ("l4", "nvidia-l4")])
def test_submit_script_makes_a_command_that_passes(gpu, kind):
    from pipelines.running import beam_options

    done = submit("--input", "gs://b/x", "--output", "gs://b/y", GPU=gpu)
    assert done.returncode == 0, done.stderr
    program, command, *arguments = done.stdout.splitlines()
    assert (program, command) == ("inkbeam", "digitize")
    assert arguments[-4:] == ["--input", "gs://b/x", "--output", "gs://b/y"]
    specs = [a.partition("=")[2] for a in arguments if a.startswith("--accelerator=")]
    beam_flags = beam_options.chosen([a for a in arguments[:-4] if not a.startswith("--accelerator=")], 1)
    dataflow.check(job(accelerator=specs[0] if specs else None), DOCUMENTS, beam_flags)
    assert [s.split(";")[0] for s in specs] == ([f"type:{kind}"] if kind else [])


def test_submit_script_refuses_what_it_does_not_know():
    assert submit(GPU="k80").returncode == 2
    assert submit(IMAGE="").returncode != 0


def test_template_specification_is_sound():
    done = subprocess.run(
        [FOLDER / "template_spec.sh"], env={**os.environ, "IMAGE": "i:1"}, capture_output=True, timeout=60, check=True
    )
    spec = json.loads(done.stdout)
    assert (spec["image"], spec["sdkInfo"]) == ("i:1", {"language": "PYTHON"})
    patterns = {p["name"]: p.get("regexes", [".*"])[0] for p in spec["metadata"]["parameters"]}
    good = {"input": "gs://a/b gs://a/c", "output": "gs://a/t", "run_id": "n-1", "existing": "redo", "accelerator": T4}
    assert all(re.fullmatch(patterns[name], value) for name, value in good.items())
    assert not re.fullmatch(patterns["output"], "tables")
    assert not re.fullmatch(patterns["input"], "scans")


def test_template_parameters_become_a_command_line():
    given = [
        "--input=gs://a/b gs://a/c",
        "--output=gs://a/t",
        "--run_id=",
        "--model=",
        f"--accelerator={T4}",
        "--region=r",
    ]
    assert template.arguments(given) == [
        *("digitize", "--input", "gs://a/b", "gs://a/c", "--output=gs://a/t", f"--accelerator={T4}", "--region=r")
    ]
    assert template.arguments(["--run_id=n-1"]) == ["digitize", "--run-id=n-1"]
