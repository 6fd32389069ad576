"""Processes that draw: started when they are first needed, used again, ended when a document takes too long.

A limit of processor time, not of the clock, so that a busy machine does not change what can be read. Memory has none:
pdfium leaves out a picture that it finds no memory for, and says nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

_BEGIN = """\
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
import json, runpy
sys.path[:] = json.loads(sys.stdin.buffer.readline())
runpy.run_path(sys.argv[1], run_name="__main__")
"""
"""Ctrl-C in a terminal reaches every process of it; this one ends when whoever started it has ended. It runs a file and
imports no module of this package, which would bring all that decodes pictures."""

_PIPE_BYTES = 1 << 20
"""The largest pipe that Linux gives to everybody; a page is some 10 MB."""


class Refused(Exception):
    """pdfium cannot do it; the message is its own.

    Attributes:
        locked: it asks for a password.
    """

    def __init__(self, reason: str, locked: bool):
        super().__init__(reason)
        self.locked = locked


class OutOfTime(Exception):
    """The document took more processor time than it was given."""


class Broken(Exception):
    """The process ended while it was at work; the message says how."""


class Renderer:
    """A process that draws pages; one thread uses it at a time.

    Attributes:
        owner: number of the process that started it; a fork of that one must leave it alone.
        document: checksum of the document that it goes on holding when it is given back; None for none.
    """

    def __init__(self):
        self.owner = os.getpid()
        self.document: str | None = None
        self._pages = 0
        # Isolated: neither the working folder nor the environment decide what it imports, only the path it is told.
        child = Path(__file__).with_name("child.py")
        command = [sys.executable, "-I", "-c", _BEGIN, str(child)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux's
            # The two processes take turns less often; not where the system has no more memory for pipes to give.
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._waited_for = False
        self._tell(json.dumps(sys.path).encode() + b"\n")

    def can_go_on(self) -> bool:
        """Whether it lives, and waits for the next question."""
        return not self._waited_for and self._process.poll() is None

    def open(self, data: bytes, document: str | None, seconds: int) -> int:
        """Number of pages of a document, which it holds from then on; the bytes of one that it holds are not sent.

        Args:
            document: checksum of one whose pages will be asked for one after another; None for any other.
            seconds: of processor time from now on.

        Raises:
            Refused, OutOfTime, Broken, MemoryError: as `ask`.
        """
        if self.holds(document):
            self.ask("go on", seconds=seconds)
        else:
            self._pages = self.ask("open", data, seconds=seconds)[0]["pages"]
            self.document = document
        return self._pages

    def holds(self, document: str | None) -> bool:
        """Whether it has a document open, by its checksum."""
        return document is not None and document == self.document

    def close(self) -> None:
        """Let go of the document that it holds."""
        self.ask("close")
        self.document = None

    def ask(self, do: str, data: bytes = b"", **details) -> tuple[dict, bytes]:
        """The answer to a question of `segmentation.decoding.rendering.child`, and the bytes with it.

        Raises:
            Refused, OutOfTime, Broken, MemoryError: there is none, and why.
        """
        self._waited_for = True
        self._tell(json.dumps({"do": do, "bytes": len(data), **details}).encode() + b"\n")
        self._tell(data)
        line = self._process.stdout.readline()
        answer = json.loads(line) if line.endswith(b"\n") else self._raise_end()
        received = self._process.stdout.read(answer.get("bytes", 0))
        if len(received) < answer.get("bytes", 0):
            self._raise_end()
        self._waited_for = False
        if "memory" in answer:
            raise MemoryError
        if "error" in answer:
            raise Refused(answer["error"], answer["locked"])
        return answer, received

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()

    def _tell(self, data: bytes) -> None:
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            self._raise_end()

    def _raise_end(self) -> NoReturn:
        status = self._process.wait()
        if status == -signal.SIGXCPU:
            raise OutOfTime
        if status == errno.ENOMEM:
            raise MemoryError
        raise Broken(f"pdfium ended with {f'signal {-status}' if status < 0 else f'exit code {status}'}")


_idle: list[Renderer] = []
_lock = threading.Lock()


@contextlib.contextmanager
def borrowed(document: str | None = None, fresh: bool = False) -> Iterator[Renderer]:
    """A renderer, the calling thread's own until the block is left. It holds no document, or the one that is named.

    Args:
        document: checksum of the one to be drawn, as `Renderer.open` takes it.
        fresh: a renderer that has not drawn before.

    Raises:
        OSError: no process can be started.
        Broken: it ended before it could be told anything.
    """
    renderer = Renderer() if fresh else _take(document) or Renderer()
    try:
        yield renderer
    finally:
        _give_back(renderer)


def _give_back(renderer: Renderer) -> None:
    # What becomes of it now is no matter of the page, which is done.
    with contextlib.suppress(OutOfTime, Broken):
        if renderer.can_go_on():
            if renderer.document is None:
                renderer.close()
            with _lock:
                _idle.append(renderer)
            return
    renderer.end()


def _take(document: str | None = None) -> Renderer | None:
    """An idle renderer: the one that holds the document, else one that holds none, else the one that has been idle
    longest, which lets its own go. So no more documents are held than were ever drawn at the same time."""
    with _lock:
        _idle[:] = [renderer for renderer in _idle if renderer.owner == os.getpid()]
        for renderer in sorted(_idle, key=lambda idle: (not idle.holds(document), idle.document is not None)):
            _idle.remove(renderer)
            if _let_go(renderer, document):
                return renderer
            renderer.end()
    return None


def _let_go(renderer: Renderer, document: str | None) -> bool:
    """Close what an idle renderer holds, if that is another document; whether it can go on."""
    with contextlib.suppress(OutOfTime, Broken):
        if renderer.can_go_on() and renderer.document not in (None, document):
            renderer.close()
    return renderer.can_go_on()
