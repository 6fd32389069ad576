"""What the user sees of the logs: inkbeam's own lines; the libraries' noise only when it is asked for."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from collections.abc import Iterator

OURS = ("pipelines", "htr_model", "segmentation")


def configure_logging(verbose: bool) -> None:
    """Log to stderr: inkbeam's progress, and of the libraries only errors; with ``verbose`` everything of note."""
    logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", force=True)
    logging.getLogger().setLevel(logging.WARNING if verbose else logging.ERROR)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)


@contextlib.contextmanager
def hold_back_native_output() -> Iterator[None]:
    """Keep from the screen what native code writes to file descriptor 2, and show it only if an exception leaves.

    TensorFlow reports missing GPUs and processor features there while it loads, whatever the log level.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        screen = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(screen, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
