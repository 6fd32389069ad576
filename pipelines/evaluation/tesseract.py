"""Tesseract, where it is installed, on the pictures that the recogniser is measured on."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np

from htr_model.cores import usable_cores
from pipelines.errors import UsageError

LINE, WORD = 7, 8
"""Page segmentation modes: a picture is one line of text, or one word."""

_CHUNK = 32
"""Pictures a process: loading the language takes longer than reading a word."""
_SECONDS = 20
"""Time for one picture; Tesseract needs a fraction of it unless it hangs."""
_MARGIN = 10
"""Paper around the writing, pixels, which Tesseract's manual asks for and pictures of words do not have."""


def require(language: str) -> None:
    """Nothing, where Tesseract and the language are installed.

    Raises:
        UsageError: they are not; the message says what to install.
    """
    if shutil.which("tesseract") is None:
        raise UsageError(
            "--against tesseract: the program tesseract is not installed (Debian: apt install tesseract-ocr; "
            "macOS: brew install tesseract)"
        )
    listed = _run(["--list-langs"], _SECONDS).splitlines()
    missing = [name for name in language.split("+") if name not in listed[1:]]
    if missing:
        raise UsageError(
            f"--tesseract-language {language}: Tesseract has no {' and no '.join(missing)} "
            f"(Debian: apt install tesseract-ocr-{missing[0]}); it has {', '.join(listed[1:])}"
        )


def read_file(
    path: str | Path,
    language: str,
    mode: int | None = None,
    seconds: float | None = None,
    threads: int | None = None,
) -> str:
    """Text of an image file, or of every picture that a text file lists, a form feed behind each.

    Args:
        mode: page segmentation mode; None: Tesseract's own choice, for whole pages.
        seconds: time that it may take; None: any.
        threads: that it may use; None: Tesseract's own choice.

    Raises:
        subprocess.SubprocessError: Tesseract failed or took longer than ``seconds``.
    """
    modes = [] if mode is None else ["--psm", str(mode)]
    return _run([str(path), "-", "-l", language, *modes], seconds, threads)


def read_pictures(pictures: list[np.ndarray], modes: list[int], language: str) -> list[str]:
    """Texts of grey pictures, uint8 (h, w) each, spaces and line breaks made single spaces.

    One process a core, with one thread, reads many pictures, which is Tesseract's fastest way. A picture that it
    cannot read or on which it hangs has no text.

    Args:
        modes: page segmentation mode of each picture.
    """
    order = sorted(range(len(pictures)), key=lambda i: modes[i])
    chunks = [
        [i for i in order[start : start + _CHUNK] if modes[i] == mode]
        for start in range(0, len(order), _CHUNK)
        for mode in sorted({modes[i] for i in order[start : start + _CHUNK]})
    ]
    texts = [""] * len(pictures)

    def read(chunk: list[int]) -> None:
        for index, text in zip(
            chunk, _read_chunk([pictures[i] for i in chunk], modes[chunk[0]], language), strict=True
        ):
            texts[index] = " ".join(text.split())

    with ThreadPoolExecutor(usable_cores()) as pool:
        list(pool.map(read, chunks))
    return texts


def _read_chunk(pictures: list[np.ndarray], mode: int, language: str) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="inkbeam-tesseract-") as name:
        folder = Path(name)
        files = [folder / f"{i}.png" for i in range(len(pictures))]
        for file, gray in zip(files, pictures, strict=True):
            paper = int(np.percentile(gray, 90))
            around = (_MARGIN,) * 4
            file.write_bytes(
                cv2.imencode(".png", cv2.copyMakeBorder(gray, *around, cv2.BORDER_CONSTANT, value=paper))[1]
            )
        listing = folder / "list.txt"
        listing.write_text("".join(f"{file}\n" for file in files))
        try:
            pages = read_file(listing, language, mode, _SECONDS * len(files), threads=1).split("\f")
            if len(pages) - 1 == len(files):
                return pages[:-1]
        except subprocess.SubprocessError:
            pass
        # One of them is to blame: each alone, so that only that one is lost.
        return list(map(_read_alone, files, repeat(mode), repeat(language)))


def _read_alone(file: Path, mode: int, language: str) -> str:
    try:
        return read_file(file, language, mode, _SECONDS, threads=1)
    except subprocess.SubprocessError:
        return ""


def _run(arguments: list[str], seconds: float | None, threads: int | None = None) -> str:
    environment = {**os.environ, **({"OMP_THREAD_LIMIT": str(threads)} if threads else {})}
    command = ["tesseract", *arguments]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, errors="replace", timeout=seconds, env=environment
    )
    return done.stdout
