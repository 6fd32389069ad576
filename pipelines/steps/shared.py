"""Objects that the steps of a process have in common: Beam may run several copies of a step in it at once."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar("T")

_lock = threading.Lock()
_made: weakref.WeakValueDictionary[Hashable, object] = weakref.WeakValueDictionary()


def one_per_process(make: Callable[..., T], *arguments: Hashable) -> T:
    """What ``make`` gives for some arguments: the same for all who ask, until the last of them has let go of it.

    Beam's `Shared` holds on to one object a process, the one asked for last: that is to be the model.
    """
    with _lock:
        key = make, arguments
        found = _made.get(key)
        if found is None:
            found = _made[key] = make(*arguments)
        return found
