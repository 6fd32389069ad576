"""A Python worker that something happens to at a named place: the boot command of the tests' clusters.

Usage: ``python -m tests.deploy.struck_worker EVENT PLACE FILE …``, the rest as for ``inkbeam-worker``. Events:

- ``kill``: the first process of all that is done with the place is killed (signal 9), and leaves ``FILE`` behind;
- ``kill-parent``: its task manager is killed in the same way;
- ``stall``: it leaves ``FILE`` behind and stands still for minutes;
- ``note``: nothing, but each time the task manager's process number is added to ``FILE``.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time

from pipelines import model_handler, runs, sinks, transforms, worker_boot

PLACES = {
    "segmentation": (transforms, "segment"),
    "recognition": (model_handler, "recognise"),
    "writing": (sinks.WriteRows, "_flush"),
    "renaming": (sinks, "publish"),
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
            time.sleep(600)
        return result

    setattr(holder, name, eventful)


def _is_first(file: str) -> bool:
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


if __name__ == "__main__":
    arrange(*sys.argv[1:4])
    sys.argv[1:4] = []
    worker_boot.main()
