"""What the user sees of the logs: inkbeam's own lines; the libraries' noise only when it is asked for."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from pipelines.running import interruption

OURS = ("pipelines", "htr_model", "segmentation")
FORMATS = ("text", "json")

log = logging.getLogger(__name__)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, logger, event, message, and what `tell` was given beside."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        line = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": getattr(record, "event", "log"),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(verbose: bool, log_format: str = "text") -> None:
    """Log to stderr: inkbeam's progress, and of the libraries only errors; with ``verbose`` everything of note.

    With ``log_format`` ``json`` every line is a JSON object, and what is otherwise printed is logged too.
    """
    handler = logging.StreamHandler(_own_stderr())
    as_text = logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S")
    handler.setFormatter(JsonFormatter() if log_format == "json" else as_text)
    logging.basicConfig(handlers=[handler], force=True)
    logging.captureWarnings(True)
    logging.getLogger().setLevel(logging.WARNING if verbose else logging.ERROR)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    # Said of every job, and nobody can do anything about it.
    handler.addFilter(lambda record: not record.getMessage().startswith(_SAID_ALWAYS))
    # Beam waits minutes for a store that does not answer: not in silence.
    logging.getLogger("apache_beam.utils.retry").setLevel(logging.WARNING)
    logging.getLogger(_WORKERS).setLevel(logging.INFO)
    handler.addFilter(_said_by_workers)
    if not verbose:
        handler.addFilter(_first_line)


_SAID_ALWAYS = ("apitools not found", "Resource module is not available", "Using fallback deterministic coder")
"""How warnings of Beam begin that are of no use; two of them come from the root logger."""

_WORKERS = "apache_beam.runners.portability.local_job_service"
"""The logger by which Beam tells what a job's other processes on this machine logged: protobuf's text of an entry."""


def _said_by_workers(record: logging.LogRecord) -> bool:
    """Makes records of inkbeam's own out of what its code said in other processes; keeps errors alone of the rest."""
    if record.name != _WORKERS:
        return True
    # Beam has written the record, so this is loaded already.
    from apache_beam.portability.api import beam_fn_api_pb2
    from google.protobuf import text_format

    try:
        said = text_format.Parse(record.getMessage().removeprefix("Worker: "), beam_fn_api_pb2.LogEntry())
    except text_format.ParseError:
        said = beam_fn_api_pb2.LogEntry()
    packages = [part for part in Path(said.log_location).parts if part in OURS]
    if packages:
        record.name, record.msg, record.args = packages[-1], said.message, ()
    return bool(packages) or record.levelno >= logging.ERROR


def _first_line(record: logging.LogRecord) -> bool:
    """Cuts a library's record to its first line: the traceback that follows is part of the failure's own message.

    What breaks in a library because the job was asked to stop is left out.
    """
    if record.name.split(".")[0] in OURS:
        return True
    record.msg, record.args, record.exc_info = record.getMessage().split("\n", 1)[0], (), None
    return not interruption.asked()


def logs_json() -> bool:
    """Whether every line is to be a JSON object."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def tell(event: str, text: str, level: int = logging.INFO, **fields) -> None:
    """Print a line for the user, errors to stderr; or log it with its figures, where logs are JSON."""
    if logs_json():
        log.log(level, text.strip(), extra={"event": event, "fields": fields})
    else:
        with _hold.lock:
            if level >= logging.ERROR and _hold.blocks:
                # A worker thread of this process is loading its model: what fails meanwhile must be seen nevertheless.
                os.write(_hold.screen, f"{text}\n".encode())
                return
        print(text, file=sys.stderr if level >= logging.ERROR else sys.stdout)


def _own_stderr() -> TextIO:
    """A way to stderr that `hold_back_native_output` does not close."""
    try:
        return os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8", buffering=1)
    except (OSError, ValueError, AttributeError):
        return sys.stderr


@dataclass
class _Hold:
    """What is held back of file descriptor 2 in this process, by all threads together.

    Attributes:
        blocks: how many blocks hold it back now; 0 where nobody does.
        screen: where it led before the first of them.
        held: what was written since.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    blocks: int = 0
    screen: int = -1
    held: BinaryIO | None = None


_hold = _Hold()


@contextlib.contextmanager
def hold_back_native_output() -> Iterator[None]:
    """Keep from the screen what native code and other processes write to file descriptor 2, and show it only if an
    exception leaves that was not asked for.

    TensorFlow reports missing GPUs and processor features there while it loads, whatever the log level. Blocks of
    several threads may overlap: the first holds the descriptor back, and the last to end gives it back.
    """
    sys.stderr.flush()
    _begin_hold()
    try:
        yield
    except BaseException:
        with _hold.lock:
            _hold.held.seek(0)
            if not interruption.asked():
                os.write(_hold.screen, _hold.held.read())
            _hold.held.seek(0)
            _hold.held.truncate()  # another block that fails does not show it again
        raise
    finally:
        sys.stderr.flush()
        _end_hold()


def _begin_hold() -> None:
    with _hold.lock:
        if not _hold.blocks:
            _hold.held = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed by the last block
            _hold.screen = os.dup(2)
            os.dup2(_hold.held.fileno(), 2)
        _hold.blocks += 1


def _end_hold() -> None:
    with _hold.lock:
        _hold.blocks -= 1
        if not _hold.blocks:
            os.dup2(_hold.screen, 2)
            os.close(_hold.screen)
            _hold.held.close()
