"""Files made to exhaust memory or time, each decoded in a process of its own that is killed when it asks for more."""

import json
import sys

import pytest

from segmentation import decoding
from tests import hostile_files
from tests.pipelines.jobs import python

if not sys.platform.startswith("linux"):
    pytest.skip("limits on a process's time and memory are Linux's", allow_module_level=True)

CPU_SECONDS, MEGABYTES = 20, 400

DECODE_ALL = """
import glob, json, os, resource, sys
from segmentation.decoding import DecodingError, DecodingSettings, PageRef, count_pages, decode_page
from tests.hostile_files import HOSTILE

def outcome(data, name):
    settings = DecodingSettings(max_pixels=20_000_000, pdf_seconds=2)
    try:
        last = count_pages(data, name, settings) - 1
        decode_page(data, PageRef(name, last), settings)
        return f"page {last}"
    except DecodingError as error:
        return type(error).__name__

for name, make in HOSTILE.items():
    data = make()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[1]),) * 2)
        with open("/proc/self/clear_refs", "w") as refs:
            refs.write("5")  # from here on the peak is this process's own
        def highest(pid):
            with open(f"/proc/{pid}/status") as status:
                return next(int(x.split()[1]) // 1024 for x in status if x.startswith("VmHWM"))
        before = highest("self")
        found = outcome(data, name)
        taken = highest("self") - before
        for children in glob.glob("/proc/self/task/*/children"):
            taken += sum(map(highest, open(children).read().split()))  # what draws PDFs
        os.write(writer, json.dumps([found, taken]).encode())
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        answer = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([name, status, *(json.loads(answer) if answer else [None, 0])]), flush=True)
"""


@pytest.fixture(scope="module")
def outcomes():
    """File → exit status of the process that read it, what became of it, megabytes it took."""
    done = python(DECODE_ALL, str(CPU_SECONDS))
    assert done.returncode == 0, done.stderr
    return {name: rest for name, *rest in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("name", hostile_files.HOSTILE)
def test_hostile_file_ends_as_a_page_or_an_error_in_bounded_time_and_memory(outcomes, name):
    status, found, megabytes = outcomes[name]
    assert status == 0, f"killed by signal {-status}"
    assert found.startswith("page ") or issubclass(getattr(decoding, found), decoding.DecodingError)
    assert megabytes < MEGABYTES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("zip_bomb.png", "NotAnImage"),
        ("deep.tif", "TooLarge"),
        ("long.pdf", "page 1999"),
        ("looping_form.pdf", "TooSlow"),
    ],
)
def test_hostile_file_is_called_what_it_is(outcomes, name, expected):
    assert outcomes[name][1] == expected
