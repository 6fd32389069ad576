import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

from pipelines.steps.shared import one_per_process


class Costly:
    def __init__(self, name):
        self.name = name


def test_all_of_a_process_get_the_same_as_long_as_one_holds_it():
    at_once = threading.Barrier(8)

    def ask(name):
        at_once.wait()
        return one_per_process(Costly, name)

    with ThreadPoolExecutor(8) as pool:
        asked = list(pool.map(ask, ["a", "b"] * 4))
    assert [x.name for x in asked] == ["a", "b"] * 4
    assert len({id(x) for x in asked}) == 2
    left = weakref.ref(asked[0])
    asked.clear()
    assert left() is None
