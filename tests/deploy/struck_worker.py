"""A Python worker that something happens to at named places: the boot command of the tests' clusters.

Usage: ``python -m tests.deploy.struck_worker EVENT PLACES FOLDER …``, the rest as for ``inkbeam-worker``; places with
commas between them. Events, with a file ``FOLDER/EVENT-PLACE`` that tells of them:

- ``kill``: the first process of all that is done with a place is killed (signal 9), and leaves the file behind;
- ``kill-parent``: its task manager is killed in the same way;
- ``stall``: it leaves the file behind and stands still until somebody writes into that;
- ``note``: nothing, but each time the task manager's process number is added to the file.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time

from pipelines.archive import runs
from pipelines.running import worker_boot
from pipelines.steps import assembling, reading, recognising, writing

PLACES = {
    "segmentation": (reading, "ways_up"),
    "recognition": (recognising, "recognise"),
    "assembly": (assembling, "assemble"),
    "writing": (writing.WriteRows, "_flush"),
    "renaming": (writing, "publish"),
    "commit": (runs, "commit"),
}


def arrange(event: str, place: str, file: str) -> None:
    """Have an event happen at a place."""
    holder, name = PLACES[place]
    function = getattr(holder, name)

    @functools.wraps(function)
    def eventful(*args, **kwargs):
        result = function(*args, **kwargs)
        if event == "note":
            with open(file, "a") as notes:
                notes.write(f"{os.getppid()}\n")
        elif _is_first(file):
            if event != "stall":
                os.kill(os.getpid() if event == "kill" else os.getppid(), signal.SIGKILL)
            while not os.path.getsize(file):
                time.sleep(0.1)
        return result

    setattr(holder, name, eventful)


def _is_first(file: str) -> bool:
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


if __name__ == "__main__":
    event, places, folder = sys.argv[1:4]
    for place in places.split(","):
        arrange(event, place, f"{folder}/{event}-{place}")
    sys.argv[1:4] = []
    worker_boot.main()
