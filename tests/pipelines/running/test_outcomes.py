from pipelines.running.outcomes import Outcome


def outcome(pages=0, failed=0, failed_pages=0, tried_pages=0):
    return Outcome("r", pages, 0, failed, failed_pages, tried_pages, 1.0, (), {})


def test_failure_rate_counts_pages_not_rows():
    assert outcome().failure_rate == 0.0
    assert outcome(pages=3, failed=1, failed_pages=1, tried_pages=4).failure_rate == 0.25
    assert outcome(pages=4, failed=20, failed_pages=1, tried_pages=4).failure_rate == 0.25
