"""Work done ahead of whoever takes its results, but not too far."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def ahead(submit: Callable[[T, int], Future[R]], items: Iterable[T], most: int) -> Iterator[R]:
    """Results for ``items``, in their order, of ``submit(item, place)``: ``most`` of them under way or waiting at once,
    each in another place 0 … ``most`` - 1."""
    pending: deque[Future[R]] = deque()
    try:
        for number, item in enumerate(items):
            pending.append(submit(item, number % most))
            if len(pending) == most:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        for future in pending:
            future.cancel()
