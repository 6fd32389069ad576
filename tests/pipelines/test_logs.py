import json

from tests.pipelines.jobs import inkbeam, python

NOISE = """
import logging, os, sys, warnings
from pipelines.logs import configure_logging, hold_back_native_output, tell
configure_logging("verbose" in sys.argv, sys.argv[1])
logging.getLogger("apache_beam").warning("beam chatters")
logging.warning("apitools not found, and so on")
logging.getLogger("tensorflow").info("tensorflow chatters")
warnings.warn("numpy chatters")
with hold_back_native_output():
    os.write(2, b"native code chatters\\n")
    logging.getLogger("pipelines.x").info("a page\\nof Müller's")
tell("finished", "Run r: 3 pages", pages=3)
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("pipelines.x").exception("it broke")
"""


def test_every_line_is_json_and_the_libraries_are_silent():
    done = python(NOISE, "json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [x["message"] for x in lines] == ["a page\nof Müller's", "Run r: 3 pages", "it broke"]
    assert [x["event"] for x in lines] == ["log", "finished", "log"]
    assert lines[1]["pages"] == 3
    assert (lines[2]["level"], "ZeroDivisionError" in lines[2]["traceback"]) == ("error", True)
    assert all(x["time"].endswith("+00:00") for x in lines)
    assert done.stdout == ""


def test_text_is_for_people_and_the_libraries_are_silent():
    done = python(NOISE, "text")
    assert done.stdout == "Run r: 3 pages\n"
    assert "chatters" not in done.stderr
    assert "it broke" in done.stderr


WORKERS = """
import logging
from pipelines.logs import configure_logging, hold_back_native_output
configure_logging(False)
from apache_beam.runners.portability import local_job_service
entry = 'severity: INFO timestamp { seconds: 1 } message: "%s" transform_id: "Read" log_location: "%s:258" thread: "T"'
with hold_back_native_output():
    for level, message, place in (
        (20, "4 pages segmented by this worker", "/x/pipelines/steps/reading.py"),
        (30, r'\\"two words.png\\" of M\\303\\274ller', "/x/pipelines/archive/tables.py"),
        (20, "Control channel established.", "/x/apache_beam/runners/worker/sdk_worker.py"),
        (40, "the worker broke", "/x/apache_beam/runners/worker/sdk_worker.py"),
    ):
        logging.getLogger("apache_beam.runners.portability.local_job_service").log(
            level, "Worker: %s", entry % (message, place)
        )
"""


def test_what_inkbeam_says_in_other_processes_is_shown():
    progress, quoted, broke = python(WORKERS).stderr.splitlines()
    assert quoted.endswith(' "two words.png" of Müller')
    assert progress.endswith(" 4 pages segmented by this worker") and "severity" not in progress
    assert "the worker broke" in broke


def test_refusal_is_one_json_line(tmp_path):
    done = inkbeam("digitize", "--input", tmp_path / "no", "--output", tmp_path / "out", "--log-format", "json")
    (line,) = [json.loads(x) for x in done.err.splitlines()]
    assert (done.code, line["event"], line["level"], line["exit_code"]) == (2, "refused", "error", 2)
    assert "no such file" in line["message"]
    assert done.out == ""


def test_libraries_speak_when_asked_for():
    done = python(NOISE, "text", "verbose")
    assert "beam chatters" in done.stderr and "apitools" not in done.stderr
    assert "numpy chatters" in done.stderr


def test_what_fails_while_native_output_is_held_back_is_seen():
    code = """
import logging, os
from pipelines.logs import hold_back_native_output, tell
with hold_back_native_output():
    os.write(2, b"native")
    tell("failed", "it failed", logging.ERROR)
"""
    assert python(code).stderr == "it failed\n"


def test_blocks_of_two_threads_that_overlap_hold_back_until_the_last_ends():
    code = """
import logging, os, sys, threading
from pipelines.logs import hold_back_native_output, tell
inside, left = threading.Event(), threading.Event()
def other():
    with hold_back_native_output():
        inside.set()
        left.wait(30)
        os.write(2, b"native of the other")
thread = threading.Thread(target=other)
with hold_back_native_output():
    thread.start()
    inside.wait(30)
    os.write(2, b"native")
os.write(2, b"native between")
tell("failed", "it failed", logging.ERROR)
left.set()
thread.join()
os.write(2, b"after all")
"""
    assert python(code).stderr == "it failed\nafter all"


def test_what_was_held_back_is_shown_once_where_an_exception_leaves():
    code = """
import contextlib, os
from pipelines.logs import hold_back_native_output
with hold_back_native_output():
    for message in (b"first ", b"second "):
        with contextlib.suppress(ZeroDivisionError), hold_back_native_output():
            os.write(2, message)
            1 / 0
    os.write(2, b"never")
"""
    assert python(code).stderr == "first second "


STOPPED = """
import logging, os, signal, subprocess, sys
from pipelines.logs import configure_logging, hold_back_native_output
from pipelines.running import interruption

configure_logging(False)
interruption.listen()
try:
    with hold_back_native_output():
        worker = subprocess.Popen([sys.executable, "-c", "print('waits', flush=True); import time; time.sleep(60)"],
                                  stdout=subprocess.PIPE)
        worker.stdout.readline()
        worker.send_signal(signal.SIGINT)  # as a terminal sends it to all processes of a job
        worker.wait()
        if sys.argv[1] == "asked":
            os.kill(os.getpid(), signal.SIGINT)
        raise RuntimeError("Worker subprocess exited with return code 1")
except (KeyboardInterrupt, RuntimeError):
    logging.getLogger("apache_beam").error("Failed to read inputs in the data plane.")
    print("at an end")
"""


def test_what_other_processes_say_of_being_stopped_is_not_shown():
    asked, unasked = python(STOPPED, "asked"), python(STOPPED, "unasked")
    assert (asked.stdout, asked.stderr) == ("at an end\n", "")
    assert "KeyboardInterrupt" in unasked.stderr and "Failed to read inputs" in unasked.stderr
