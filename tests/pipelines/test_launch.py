import pytest

from pipelines import launch
from pipelines.options import Job, UsageError
from segmentation.decoding import DecodingSettings


def outcome(pages=0, failed=0, failed_pages=0, tried_pages=0):
    return launch.Outcome("r", pages, 0, failed, failed_pages, tried_pages, 1.0, (), {})


def test_in_process_runner_is_the_default():
    assert launch.beam_options([], 1) == ["--runner=FnApiRunner"]


def test_workers_are_processes_of_the_in_process_runner():
    assert launch.beam_options([], 3) == [
        "--runner=FnApiRunner",
        "--direct_num_workers=3",
        "--direct_running_mode=multi_processing",
    ]


@pytest.mark.parametrize("runner", launch.LOCAL_RUNNERS)
def test_workers_work_with_every_local_runner(runner):
    assert "--direct_num_workers=2" in launch.beam_options([f"--runner={runner}"], 2)


@pytest.mark.parametrize("flags", [["--runner=FlinkRunner"], ["--runner", "DataflowRunner"]])
def test_workers_are_refused_on_a_cluster(flags):
    with pytest.raises(UsageError, match="--workers is for one machine"):
        launch.beam_options(flags, 2)


def test_options_of_beam_pass_through():
    flags = ["--runner=FlinkRunner", "--flink_master", "localhost:8081", "--parallelism=4", "--experiments=a"]
    assert launch.beam_options(flags, 1) == flags
    assert launch.runner_of(flags) == "FlinkRunner"
    assert launch.runner_of([]) is None
    assert launch.runner_of(["--parallelism=4"]) is None


@pytest.mark.parametrize("flags", [["--inptu=x"], ["--parallelism=4", "scans"], ["--streaming", "--wrokers=2"]])
def test_unknown_option_is_refused_and_named(flags):
    with pytest.raises(UsageError, match=f"unknown option {flags[-1]}"):
        launch.beam_options(flags, 1)


def test_value_that_beam_cannot_use_is_refused_in_one_line():
    with pytest.raises(UsageError, match=r"--direct_num_workers: invalid int value: 'two'"):
        launch.beam_options(["--direct_num_workers=two"], 1)


def test_threads_are_shared_between_workers(monkeypatch):
    monkeypatch.setattr(launch.os, "cpu_count", lambda: 8)
    assert [launch.threads_per_worker(n) for n in (1, 2, 3, 16)] == [0, 4, 2, 1]


def test_failure_rate_counts_pages_not_rows():
    assert outcome().failure_rate == 0.0
    assert outcome(pages=3, failed=1, failed_pages=1, tried_pages=4).failure_rate == 0.25
    assert outcome(pages=4, failed=20, failed_pages=1, tried_pages=4).failure_rate == 0.25


def job(**options):
    return Job(inputs=("x",), output="/out", run_id="r", **options)


@pytest.mark.parametrize("run_id", ["", "a/b", "..", "-x", "a b", "é", "x" * 129, "a\n"])
def test_bad_run_id_is_refused(run_id):
    with pytest.raises(UsageError, match="--run-id"):
        Job(inputs=(), output="/out", run_id=run_id)


@pytest.mark.parametrize("run_id", ["1", "night-1", "2026-01-01T00.00_a", "x" * 128])
def test_good_run_id_is_taken(run_id):
    assert Job(inputs=(), output="/out", run_id=run_id).run_id == run_id


@pytest.mark.parametrize("output", ["/tables [1]", "/tables*", "gs://bucket/what?"])
def test_output_that_beam_takes_for_a_pattern_is_refused(output):
    with pytest.raises(UsageError, match="--output .*pattern"):
        Job(inputs=(), output=output, run_id="r")


@pytest.mark.parametrize("options", [{"unit": "page"}, {"existing": "overwrite"}, {"batch_size": 0}])
def test_bad_option_is_refused(options):
    with pytest.raises(UsageError, match="--" + next(iter(options)).replace("_", "-")):
        job(**options)


def test_fingerprint_changes_with_what_changes_results_only():
    assert len({job(**o).fingerprint for o in ({}, {"batch_size": 1}, {"threads": 1}, {"existing": "redo"})}) == 1
    changing = [{}, {"unit": "word"}, {"decoding": DecodingSettings(pdf_dpi=200)}]
    assert len({job(**o).fingerprint for o in changing}) == 3
