import pytest

from pipelines.errors import UsageError
from pipelines.running import beam_options


def test_in_process_runner_is_the_default():
    assert beam_options.chosen([], 1) == ["--runner=FnApiRunner"]


def test_workers_are_processes_of_the_in_process_runner():
    assert beam_options.chosen([], 3) == [
        "--runner=FnApiRunner",
        "--direct_num_workers=3",
        "--direct_running_mode=multi_processing",
    ]


@pytest.mark.parametrize("runner", beam_options.LOCAL_RUNNERS)
def test_workers_work_with_every_local_runner(runner):
    assert "--direct_num_workers=2" in beam_options.chosen([f"--runner={runner}"], 2)


@pytest.mark.parametrize("flags", [["--runner=FlinkRunner"], ["--runner", "DataflowRunner"]])
def test_workers_are_refused_on_a_cluster(flags):
    with pytest.raises(UsageError, match="--workers is for one machine"):
        beam_options.chosen(flags, 2)


def test_options_of_beam_pass_through():
    flags = ["--runner=FlinkRunner", "--flink_master", "localhost:8081", "--parallelism=4", "--experiments=a"]
    assert beam_options.chosen(flags, 1) == flags
    assert beam_options.runner_name(flags) == "flinkrunner"
    assert beam_options.runner_name([]) is None
    assert beam_options.runner_name(["--parallelism=4"]) is None


@pytest.mark.parametrize("flags", [["--inptu=x"], ["--parallelism=4", "scans"], ["--streaming", "--wrokers=2"]])
def test_unknown_option_is_refused_and_named(flags):
    with pytest.raises(UsageError, match=f"unknown option {flags[-1]}"):
        beam_options.chosen(flags, 1)


def test_value_that_beam_cannot_use_is_refused_in_one_line():
    with pytest.raises(UsageError, match=r"--direct_num_workers: invalid int value: 'two'"):
        beam_options.chosen(["--direct_num_workers=two"], 1)


def test_threads_are_shared_between_workers(monkeypatch):
    monkeypatch.setattr(beam_options, "usable_cores", lambda: 8)
    assert [beam_options.threads_per_worker(n) for n in (1, 2, 3, 16)] == [0, 4, 2, 1]


@pytest.mark.parametrize(
    ("flags", "local"),
    [
        ([], True),
        (["--runner=DirectRunner"], True),
        (["--runner=directrunner"], True),
        (["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"], True),
        (["--runner=FlinkRunner"], False),
    ],
)
def test_jobs_of_this_machine(flags, local):
    assert beam_options.is_local(flags) == local
