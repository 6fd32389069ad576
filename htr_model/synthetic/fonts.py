"""Fonts to draw with, and which characters each can really show."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import ImageFont

from htr_model.data.samples import DatasetError, Skipped

LOOKS = ("hand", "typed", "printed")
"""How a font is drawn. Sub-folders with these names say it; other fonts are taken for handwriting."""

_SUFFIXES = (".ttf", ".otf", ".woff")
_MAX_BYTES = 64 * 2**20
_PROBE_SIZE = 64
"""Size in pixels at which glyphs are compared: small letters and small capitals differ by several pixels."""
_NO_CHARACTER = "\U0010fffe"
"""A code point that Unicode gives to no character ever: a font answers it with its mark for what it lacks."""
_LEAST = f"{string.ascii_uppercase}.,"
"""A font that lacks one of these is no font for text."""
_CAPITALS_TOGETHER = re.compile(r"[^\W\d_a-zß-öø-ÿœ]{2}")
_SWASH = 1.12
"""Mean width of the capitals' ink, in their advance widths, from which words in capitals cannot be read."""


@dataclass(frozen=True)
class Font:
    """A font file that can be drawn with.

    Attributes:
        name: its path below the folder of fonts, without suffix: unique there.
        look: one of `LOOKS`.
        characters: those of the charset that it shows, each as a picture of its own case.
        block_capitals: whether capitals can stand next to each other; those of copperplate hands run into one another.
        ascent, descent: reach of tall letters above and below the baseline, as shares of the font size.
    """

    name: str
    path: Path
    look: str
    characters: frozenset[str]
    block_capitals: bool
    ascent: float
    descent: float

    def can_write(self, text: str) -> bool:
        """Whether the font shows every character of ``text``, readably."""
        return self.characters.issuperset(text) and (self.block_capitals or not _CAPITALS_TOGETHER.search(text))


@lru_cache(maxsize=128)
def at_size(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """The font of a file at ``size`` pixels an em.

    Raises:
        OSError: not a font that Pillow reads.
    """
    return ImageFont.truetype(str(path), size)


def find(folder: Path, symbols: str) -> tuple[list[Font], list[Skipped]]:
    """Fonts (TTF, OTF, WOFF) below ``folder`` in the order of their names, and those that cannot be used.

    Args:
        symbols: characters that are wanted of them.

    Raises:
        DatasetError: the folder does not exist or holds no usable font.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder of fonts")
    fonts, skipped = [], []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES and p.is_file()):
        name = path.relative_to(folder).with_suffix("").as_posix()
        look = next((look for look in LOOKS if look in path.relative_to(folder).parts[:-1]), LOOKS[0])
        try:
            fonts.append(_inspect(path, name, look, symbols))
        except ValueError as error:
            skipped.append(Skipped(name, str(error)))
    if not fonts:
        reasons = "".join(f"; {s.id}: {s.reason}" for s in skipped[:3])
        raise DatasetError(f"{folder}: holds no usable font (TTF, OTF or WOFF){reasons}")
    return fonts, skipped


def _inspect(path: Path, name: str, look: str, symbols: str) -> Font:
    """What is known of a font before it is drawn with.

    Raises:
        ValueError: it is not readable or lacks capital letters.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"larger than {_MAX_BYTES // 2**20} MB")
    try:
        font = at_size(path, _PROBE_SIZE)
        characters = _shown(font, symbols)
        tall, deep = font.getbbox("Ahdlf", anchor="ls"), font.getbbox("gjpqy", anchor="ls")
    except (OSError, ValueError) as error:
        raise ValueError(f"not a font that can be read ({error})") from error
    missing = [c for c in _LEAST if c in symbols and c not in characters]
    if missing:
        raise ValueError(f"lacks {''.join(missing)}")
    ascent, descent = -tall[1] / _PROBE_SIZE, max(0.0, deep[3] / _PROBE_SIZE)
    return Font(name, path, look, characters, _capitals_stand_apart(font), ascent, descent)


def _capitals_stand_apart(font: ImageFont.FreeTypeFont) -> bool:
    boxes = [(font.getbbox(c), font.getlength(c)) for c in string.ascii_uppercase]
    return float(np.mean([(box[2] - box[0]) / max(1.0, advance) for box, advance in boxes])) < _SWASH


def _shown(font: ImageFont.FreeTypeFont, symbols: str) -> frozenset[str]:
    """Characters of ``symbols`` that the font shows.

    Told by their pictures and not by the font's own table, which may promise glyphs that are empty or the box for
    missing ones. A small letter that looks exactly like its capital is left out: its picture would be labelled wrong.
    """
    pictures = {symbol: _picture(font, symbol) for symbol in (*symbols, _NO_CHARACTER)}
    shown = {" "} & set(symbols)
    for symbol in symbols:
        capital = symbol.upper()
        capital_picture = pictures.get(capital) if capital != symbol else None
        if pictures[symbol] not in (None, pictures[_NO_CHARACTER], capital_picture):
            shown.add(symbol)
    return frozenset(shown)


def _picture(font: ImageFont.FreeTypeFont, character: str) -> tuple | None:
    """The pixels of a character, comparable with others'; None where it has no ink."""
    mask, offset = font.getmask2(character, mode="L")
    pixels = np.asarray(mask, np.uint8)
    return (mask.size, offset, pixels.tobytes()) if pixels.any() else None
