"""Being asked to stop: SIGTERM as well as Ctrl-C raise KeyboardInterrupt, and that it was so is remembered.

Beam makes an error of its own of whatever is raised while it runs a step; what was raised can no longer be told then.
"""

from __future__ import annotations

import signal
import threading

_asked = threading.Event()


def listen() -> None:
    """Take signals from now on; nothing was asked so far."""
    _asked.clear()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)


def asked() -> bool:
    """Whether this process was asked to stop since it listens."""
    return _asked.is_set()


def _interrupt(*_) -> None:
    _asked.set()
    raise KeyboardInterrupt
