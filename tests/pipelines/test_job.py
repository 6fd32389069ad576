import pytest

from pipelines.errors import UsageError
from pipelines.job import Job
from segmentation.decoding import DecodingSettings


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
