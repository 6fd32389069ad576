import os

import pytest

from pipelines.cores import usable_cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no cores can be taken from a process here")
def test_cores_that_a_process_may_not_use_do_not_count():
    given = os.sched_getaffinity(0)
    assert usable_cores() == len(given)
    try:
        os.sched_setaffinity(0, {min(given)})
        assert usable_cores() == 1
    finally:
        os.sched_setaffinity(0, given)


def test_all_cores_count_where_nobody_tells(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == os.cpu_count()
