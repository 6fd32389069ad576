"""Threads, or processes forked from this one, that make training batches beside the network's work."""

from __future__ import annotations

import mmap
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from functools import partial

import cv2
import numpy as np

from htr_model.ahead import ahead

_THREADS = 2
_AHEAD = 4
"""Batches under way for each thread or process."""
_AT_ONCE = 64
"""Calls that a process of `mapped` is given together."""


def mapped(task: Callable, count: int, workers: int) -> list:
    """``task(0)`` … ``task(count - 1)``.

    Args:
        workers: processes; 0: threads of this one.
    """
    with _processes(workers, task) if workers else ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(_task_of_worker if workers else task, range(count), chunksize=_AT_ONCE))


def produced(produce: Callable, positions: range, workers: int, room: int) -> Iterator:
    """Batches ``produce(position)`` of each position in turn, some of them made ahead: ``((pixels, widths), packed)``,
    as `batches.make` gives them.

    Args:
        workers: processes; 0: threads of this one.
        room: bytes of pixels for which there is memory that processes share; batches with more take longer.
    """
    return _by_processes(produce, positions, workers, room) if workers else _by_threads(produce, positions)


def _by_threads(produce: Callable, positions: range) -> Iterator:
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from ahead(lambda position, _: pool.submit(produce, position), positions, _AHEAD * _THREADS)


def _by_processes(produce: Callable, positions: range, workers: int, room: int) -> Iterator:
    """The same by forked processes. Pictures come back in memory that all share, ``room`` bytes for a batch: a pipe
    would keep this process reading, which has a GPU to feed. What does not fit goes through the pipe."""
    shelves = [mmap.mmap(-1, room) for _ in range(_AHEAD * workers)]

    def put(position: int, shelf: int):
        (pixels, widths), packed = produce(position)
        if pixels.nbytes > room:
            return (pixels, widths), packed
        np.copyto(_on_shelf(shelves[shelf], pixels.shape), pixels)
        return ((shelf, pixels.shape), widths), packed

    with (
        _processes(workers, put) as pool,
        closing(ahead(partial(pool.submit, _task_of_worker), positions, len(shelves))) as made,
    ):
        for (pixels, widths), packed in made:
            if isinstance(pixels, tuple):
                shelf, shape = pixels
                pixels = _on_shelf(shelves[shelf], shape).copy()
            yield (pixels, widths), packed


def _on_shelf(memory: mmap.mmap, shape: tuple[int, ...]) -> np.ndarray:
    return np.frombuffer(memory, np.uint8, int(np.prod(shape))).reshape(shape)


def _processes(workers: int, task: Callable) -> ProcessPoolExecutor:
    """Processes forked from this one, which share what it holds, for calls of `_task_of_worker`."""
    return ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _begin_worker, (task,))


_task: Callable | None = None
"""In a worker process, what it was forked for."""


def _begin_worker(task: Callable) -> None:
    global _task
    _task = task
    cv2.setNumThreads(0)


def _task_of_worker(*arguments):
    return _task(*arguments)
