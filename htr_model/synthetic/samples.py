"""Synthetic samples one after another, and the Parquet file that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from htr_model.data.parquet_file import in_chunks, write_chunks
from htr_model.synthetic.drawing import draw_line
from htr_model.synthetic.fonts import LOOKS, Font
from htr_model.synthetic.texts import RunningText, piece

_SHARES = {"hand": 0.45, "typed": 0.30, "printed": 0.25}
"""Of the pictures, where there are fonts of every look: archives of the last 150 years hold all three."""
_NEIGHBOURS = 0.35
"""Share of the pictures into which the ink of the lines above and below reaches."""
_ATTEMPTS = 200
"""Texts tried for a font; each must hold only characters that the font has."""

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string()), ("writer", pa.string()), ("image", pa.binary())])
"""Of the file; `htr_model.readers` reads it. The writer is the font, so that no font is in two splits."""


@dataclass(frozen=True)
class Drawn:
    """A drawn picture: an encoded JPEG, its text, and the name of its font."""

    id: str
    text: str
    writer: str
    image: bytes


def synthesize(fonts: list[Font], text: RunningText, count: int, seed: int) -> Iterator[Drawn]:
    """``count`` pictures, the same for the same fonts, texts and seed.

    Raises:
        ValueError: no text can be drawn with a font.
    """
    looks = [look for look in LOOKS if any(f.look == look for f in fonts)]
    shares = np.array([_SHARES[look] for look in looks])
    by_look = {look: [f for f in fonts if f.look == look] for look in looks}
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        candidates = by_look[looks[int(rng.choice(len(looks), p=shares / shares.sum()))]]
        font = candidates[int(rng.integers(len(candidates)))]
        written = _text_for(font, text, rng)
        around = rng.random() < _NEIGHBOURS
        neighbours = (_text_for(font, text, rng), _text_for(font, text, rng)) if around else ("", "")
        gray = draw_line(written, font, rng, neighbours)
        quality = int(rng.integers(60, 96))
        image = cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
        yield Drawn(f"{font.name}-{seed}-{number:06}", written, font.name, image)


def _text_for(font: Font, text: RunningText, rng: np.random.Generator) -> str:
    """A text whose every character the font shows."""
    for _ in range(_ATTEMPTS):
        written = piece(text, rng)
        if font.can_write(written) and any(c.isalnum() for c in written):
            return written
    raise ValueError(f"font {font.name} lacks letters of every text that was tried; remove it")


def write_parquet(path: Path, drawn: Iterable[Drawn]) -> int:
    """Number of pictures written to a Parquet file, which appears when it is whole; for none there is no file."""
    return write_chunks(path, SCHEMA, ([vars(row) for row in chunk] for chunk in in_chunks(drawn)))
