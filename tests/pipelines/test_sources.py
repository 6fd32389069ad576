import ast
import importlib.util
import json
import shutil
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.pipelines.jobs import python

FORBIDDEN = {
    "segmentation": {"apache_beam", "keras", "tensorflow", "jax", "torch", "htr_model", "pipelines"},
    "htr_model": {"apache_beam", "pipelines"},  # of segmentation it takes what is named below
    "pipelines": {"tests", "benchmarks"},
}
"""What a package may not import, anywhere in it: arrows point only downwards."""


def imports(path: Path, only_top_level: bool = False) -> set[str]:
    """First names of what a module imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body if only_top_level else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module.split(".")[0])
    return found


def modules(package: str) -> list[Path]:
    found = sorted((REPOSITORY / package).rglob("*.py"))
    assert found
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_only_what_lies_below_them(package):
    wrong = {path: imports(path) & FORBIDDEN[package] for path in modules(package)}
    assert {path: found for path, found in wrong.items() if found} == {}


TAKEN = {
    *("segmentation.decoding", "segmentation.ink.grain", "segmentation.lines.network"),
    *("segmentation.drawing.lettering", "segmentation.scaling"),
}
"""What the recogniser and its training take of segmentation: how files are decoded, grain, scaling, letters on
pictures, and the files of a line network, which is trained there and used here."""


def test_the_recogniser_is_told_nothing_of_pages_and_lines():
    found = set()
    for path in modules("htr_model"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                found.add(node.module)
    assert {name for name in found if name.split(".")[0] == "segmentation"} == TAKEN


def test_network_code_names_no_backend_where_it_is_imported():
    for path in modules("htr_model"):
        assert not imports(path, only_top_level=True) & {"tensorflow", "jax", "torch"}, path.name


MAKING = {
    *("float", "len", "str.maketrans", "dict.fromkeys", "_NAMES.items", "VERSION.encode", "re.compile"),
    *("logging.getLogger", "np.array", "np.linspace", "np.finfo", "pa.schema", "pa.list_", "pa.struct", "pa.timestamp"),
    *("pa.string", "pa.binary", "pa.int32", "pa.int64", "pa.float32", "datetime", "datetime.min.replace"),
}
"""Functions that make a constant and do nothing else; what begins with a capital letter makes an object."""


def calls(node: ast.AST) -> list[str]:
    """Names of the functions that are called where a node is evaluated; what a lambda calls is called later."""
    if isinstance(node, ast.Lambda):
        return []
    own = [ast.unparse(node.func)] if isinstance(node, ast.Call) else []
    return own + [name for child in ast.iter_child_nodes(node) for name in calls(child)]


def only_makes(name: str) -> bool:
    return name in MAKING or name.rpartition(".")[2].lstrip("_")[:1].isupper()


def test_calls_that_do_more_than_make_a_constant_are_known():
    line = "X = {'a': open('a').read(), 'b': lambda: os.listdir(), 'c': Path('c'), 'd': [len('d'), np.load('d')]}"
    assert [name for name in calls(ast.parse(line)) if not only_makes(name)] == ["open('a').read", "open", "np.load"]


@pytest.mark.parametrize("package", FORBIDDEN)
def test_nothing_runs_at_import(package):
    allowed = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign, ast.If)
    for path in modules(package):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            documentation = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            assert documentation or isinstance(node, allowed), f"{path}:{node.lineno}"
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                assert all(map(only_makes, calls(node))), f"{path}:{node.lineno}"
            if isinstance(node, ast.If):
                condition = ast.unparse(node.test)
                assert "__main__" in condition or condition == "TYPE_CHECKING", f"{path}:{node.lineno}"


LOADED = "import json, sys; import pipelines.cli; print(json.dumps(sorted(sys.modules)))"


def test_command_line_starts_without_tensorflow():
    done = python(LOADED)
    assert done.returncode == 0, done.stderr
    assert not {"tensorflow", "keras", "torch", "jax"} & set(json.loads(done.stdout.splitlines()[-1]))


def test_wheel_holds_the_packages_and_the_default_bundle(tmp_path):
    if not (REPOSITORY / "README.md").is_file():
        pytest.skip("the README that the wheel's description is made from is absent")
    if importlib.util.find_spec("setuptools") is None or int(version("setuptools").split(".")[0]) < 77:
        pytest.skip("building needs setuptools 77 or later")
    source = tmp_path / "source"
    for name in ("segmentation", "htr_model", "pipelines"):
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    expected = {str(p.relative_to(source)) for p in source.rglob("*.py")}
    expected |= {str(p.relative_to(source)) for p in (source / "htr_model" / "bundles" / "default").glob("*")}
    build = "import os, sys; os.chdir(sys.argv[1]); from setuptools import build_meta as b; b.build_wheel(sys.argv[2])"
    done = python(build, source, tmp_path)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("inkbeam-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert expected <= held
    assert not any(name.startswith(("tests/", "samples/", "benchmarks/")) for name in held)
