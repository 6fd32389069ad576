"""The process that draws: it opens one document after another and answers what it is asked about it.

A question is a line of JSON on standard input, its answer a line on standard output; ``bytes`` in either says how many
bytes follow the line. Nothing but pdfium is imported: the process starts fast and stays small.
"""

from __future__ import annotations

import errno
import json
import math
import resource
import sys
import time
from contextlib import closing
from typing import BinaryIO

import pypdfium2
import pypdfium2.raw as pdfium


def serve() -> None:
    """Answer until there are no more questions."""
    _limit(resource.RLIMIT_CORE, 0)  # Where a limit ends the process the system would write its memory to the disk.
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    opened: list[pypdfium2.PdfDocument] = []
    for line in questions:
        answer, pixels = _answer(json.loads(line), questions, opened)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.write(pixels)
        answers.flush()


def _answer(question: dict, data: BinaryIO, opened: list[pypdfium2.PdfDocument]) -> tuple[dict, object]:
    """The answer to a question, and the bytes that follow it; ``opened`` holds the document in work, if any."""
    try:
        match question["do"]:
            case "open":
                _close(opened)
                _allow(question["seconds"])
                opened.append(pypdfium2.PdfDocument(_read(data, question["bytes"])))
                return {"pages": len(opened[0])}, b""
            case "go on":
                _allow(question["seconds"])
                return {}, b""
            case "measure":
                with closing(opened[0][question["page"]]) as page:
                    return {"size": page.get_size(), "rotation": page.get_rotation()}, b""
            case "draw":
                with closing(opened[0][question["page"]]) as page:
                    bitmap = page.render(scale=question["scale"], grayscale=question["gray"])
                names = ("width", "height", "stride", "n_channels")
                shape = {name: getattr(bitmap, name) for name in names}
                return {**shape, "bytes": bitmap.stride * bitmap.height}, bitmap.buffer
            case _:
                _close(opened)
                return {}, b""
    except MemoryError:
        return {"memory": True}, b""
    except Exception as error:
        locked = getattr(error, "err_code", None) in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
        return {"error": str(error) or type(error).__name__, "locked": locked}, b""


def _read(data: BinaryIO, count: int) -> bytes:
    """The bytes that follow a question. Without memory for them the process ends, and its exit code says so."""
    try:
        return data.read(count)
    except MemoryError:
        sys.exit(errno.ENOMEM)  # Those that are not read would be taken for the next question.


def _close(opened: list[pypdfium2.PdfDocument]) -> None:
    while opened:
        opened.pop().close()


def _allow(seconds: int) -> None:
    """So much more processor time."""
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time() + seconds))


def _limit(what: int, wanted: int) -> None:
    """Set a limit of this process, as far as those who started it leave room."""
    hard = resource.getrlimit(what)[1]
    resource.setrlimit(what, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


if __name__ == "__main__":
    serve()
