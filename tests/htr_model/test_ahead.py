import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from htr_model.ahead import ahead


def test_results_come_in_order_and_no_more_are_under_way_than_asked_for():
    asked = []

    def items():
        for number in range(20):
            asked.append(number)
            yield number

    with ThreadPoolExecutor(3) as pool:
        results = ahead(lambda item, place: pool.submit(lambda: (item, place)), items(), 4)
        assert next(results) == (0, 0) and asked == [0, 1, 2, 3]
        assert list(results) == [(number, number % 4) for number in range(1, 20)]


def test_who_takes_no_more_leaves_no_work_behind():
    done, gate = [], threading.Event()

    def work(item):
        if item:
            gate.wait(5)
        done.append(item)

    with ThreadPoolExecutor(1) as pool:
        results = ahead(lambda item, _: pool.submit(work, item), range(9), 6)
        next(results)
        results.close()
        gate.set()
    assert len(done) <= 2


def test_what_fails_is_told_where_its_result_is_due():
    with ThreadPoolExecutor(2) as pool:
        results = ahead(lambda item, _: pool.submit(lambda: 6 // item), (2, 0, 1), 3)
        assert next(results) == 3
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_nothing_to_do_gives_nothing():
    assert list(ahead(lambda item, place: None, (), 2)) == []
