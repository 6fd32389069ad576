import importlib
import pkgutil

import pytest

import benchmarks


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(benchmarks.__path__)])
def test_what_they_measure_is_there(name):
    importlib.import_module(f"benchmarks.{name}")
