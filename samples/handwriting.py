"""Ink and paper: words written with a font that a hand bends, on sheets with rules, folds and age."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from htr_model.synthetic.noise import smooth_noise
from samples.page_texts import RIGHT, STOP

OVERSAMPLING = 2  # words are drawn twice as large and shrunk, so that bent strokes keep smooth edges


@dataclass(frozen=True)
class Hand:
    """One writer: a font and how it is held. Lengths are page pixels."""

    font: str
    size: float
    slant: float = 0.0  # shear added to the font's own; positive leans to the right
    pressure: float = 0.0  # -1 thins the strokes, 1 thickens them
    darkness: float = 0.85  # of fresh ink; 1 is black
    gap: float = 0.34  # between words, as a share of the size


@dataclass(frozen=True)
class Block:
    """Where a text stands on its page, in pixels; ``top`` is the first baseline."""

    left: int
    right: int
    top: int
    pitch: int
    stops: tuple[int, ...] = ()


def bend(mask: np.ndarray, pivot: tuple[float, float], em: float, slant: float, rng: np.random.Generator) -> np.ndarray:
    """The drawn word, leaning, turned and resized a little as a whole and stretched unevenly along its length."""
    angle = math.radians(rng.normal(0, 0.7))
    scale_x, scale_y = 1 + rng.normal(0, 0.025), 1 + rng.normal(0, 0.03)
    lean = slant + rng.normal(0, 0.025)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    back = np.linalg.inv(turn @ np.array([[scale_x, -lean * scale_y], [0, scale_y]]))
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    dx, dy = x - pivot[0], y - pivot[1]
    # Bending the whole picture varies letters and the gaps between them without breaking the joins of a cursive hand.
    sway = smooth_noise(rng, mask.shape, (0.9 * em, 0.5 * em)) * 0.028 * em
    bob = smooth_noise(rng, mask.shape, (0.9 * em, 0.5 * em)) * 0.022 * em
    source_x = back[0, 0] * dx + back[0, 1] * dy + pivot[0] + sway
    source_y = back[1, 0] * dx + back[1, 1] * dy + pivot[1] + bob
    return cv2.remap(mask, source_x.astype(np.float32), source_y.astype(np.float32), cv2.INTER_LINEAR)


def word_ink(word: str, font: ImageFont.FreeTypeFont, hand: Hand, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Ink of one word, float32 from 0 to 1, cut to its edges, and how many of its rows stand above the baseline."""
    em = font.size
    margin, baseline = round(em / OVERSAMPLING) * OVERSAMPLING, round(0.9 * em) * OVERSAMPLING
    width = math.ceil(font.getlength(word) / OVERSAMPLING) * OVERSAMPLING + 2 * margin
    picture = Image.new("L", (width, round(1.5 * em) * OVERSAMPLING))
    ImageDraw.Draw(picture).text((margin, baseline), word, font=font, fill=255, anchor="ls")
    mask = bend(np.asarray(picture, np.float32) / 255, (margin, baseline), em, hand.slant, rng)
    # Where the blurred stroke is cut decides how wide it is: that is the pressure of the pen, and it wanders.
    blurred = cv2.GaussianBlur(mask, (0, 0), 0.013 * em)
    cut = 0.45 - 0.2 * hand.pressure + 0.06 * smooth_noise(rng, mask.shape, (0.6 * em, 0.4 * em))
    stroke = np.clip((blurred - np.clip(cut, 0.12, 0.7)) * 4 + 0.5, 0, 1) * np.clip(blurred * 12, 0, 1)
    flow = np.clip(0.92 + 0.1 * smooth_noise(rng, mask.shape, (0.25 * em, 0.25 * em)), 0.55, 1)
    size = (mask.shape[1] // OVERSAMPLING, mask.shape[0] // OVERSAMPLING)
    ink = cv2.resize((stroke * flow).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(ink.max(1) > 0.02)[0], np.nonzero(ink.max(0) > 0.02)[0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], baseline // OVERSAMPLING - rows[0]


def dipped_pen(rng: np.random.Generator) -> Iterator[float]:
    """How much ink the pen gives to each next word: it fades until the pen is dipped again."""
    while True:
        words = int(rng.integers(6, 13))
        yield from (1 - 0.3 * word / words for word in range(words))


def lay(layer: np.ndarray, ink: np.ndarray, left: int, top: int) -> None:
    """Adds the ink of a word to the page's.

    Raises:
        ValueError: ink would fall outside the page.
    """
    under = layer[max(top, 0) : top + ink.shape[0], max(left, 0) : left + ink.shape[1]]
    if under.shape != ink.shape:
        raise ValueError("writing runs over the edge of the page")
    np.maximum(under, ink, out=under)


def write(layer: np.ndarray, text: str, block: Block, hand: Hand, font_path: Path, rng: np.random.Generator) -> None:
    """Writes the lines of a text into the page's ink, ``layer`` (height, width) float32.

    Raises:
        ValueError: a line does not fit into its block.
    """
    font = ImageFont.truetype(str(font_path), hand.size * OVERSAMPLING)
    pen = dipped_pen(rng)
    for number, line in enumerate(text.split("\n")):
        slope, swing, phase = rng.normal(0, 0.004), rng.normal(0, 0.02) * hand.size, rng.uniform(0, 6)
        pieces = line.removeprefix(RIGHT).split(STOP)
        starts = (block.left + abs(rng.normal(0, 5)), *block.stops)[: len(pieces)]
        for piece, start, limit in zip(pieces, starts, (*starts[1:], block.right), strict=True):
            words = [word_ink(word, font, hand, rng) for word in piece.split()]
            # Gaps are measured from ink to ink: the font's own advance lets the last stroke of a word touch the next.
            gaps = hand.gap * hand.size * rng.uniform(0.85, 1.3, len(words))
            length = sum(ink.shape[1] for ink, _ in words) + sum(gaps[1:])
            x = block.right - length if line.startswith(RIGHT) else start + rng.normal(0, 2)
            if x + length > limit + 1:
                raise ValueError(f"{piece!r} is {x + length - limit:.0f} pixels too long")
            for (ink, rise), gap in zip(words, gaps, strict=True):
                drift = slope * (x - block.left) + swing * math.sin(x / 170 + phase) + rng.normal(0, 0.015) * hand.size
                y = block.top + number * block.pitch + drift
                lay(layer, ink * next(pen) * hand.darkness, round(x), round(y) - rise)
                x += ink.shape[1] + gap


def paper(shape: tuple[int, int], rng: np.random.Generator, tone: float = 222, age: float = 1.0) -> np.ndarray:
    """An empty sheet, ``shape`` float32 from 0 to 255: uneven light, cloudy paper, fibres, brown spots."""
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * math.pi)
    light = 9 * (x * math.cos(angle) + y * math.sin(angle)) - 7 * (x**4 + y**4)
    clouds = 3.5 * smooth_noise(rng, shape, (220, 220)) + 1.5 * smooth_noise(rng, shape, (45, 45))
    fibres = 1.1 * smooth_noise(rng, shape, (3, 9)) + 0.8 * smooth_noise(rng, shape, (9, 3))
    spots = np.zeros(shape, np.float32)
    for _ in range(int(40 * age)):
        spot = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(spots, spot, int(rng.integers(1, 6)), float(rng.uniform(5, 26)), -1)
    return tone + age * (light + clouds - cv2.GaussianBlur(spots, (0, 0), 2)) + fibres


def rule(sheet: np.ndarray, block: Block, rng: np.random.Generator) -> None:
    """Prints the lines of ruled paper under the baselines of a block, and its margin."""
    printed = np.zeros_like(sheet)
    for y in range(block.top - block.pitch + 6, sheet.shape[0] - 30, block.pitch):
        cv2.line(printed, (0, y), (sheet.shape[1], y), 1.0, 2)
    cv2.line(printed, (block.left - 24, 0), (block.left - 24, sheet.shape[0]), 0.8, 2)
    sheet -= 52 * printed * np.clip(0.85 + 0.15 * smooth_noise(rng, sheet.shape, (60, 60)), 0.3, 1)


def rule_columns(sheet: np.ndarray, block: Block) -> None:
    """Prints the thin upright rules of an account book, before each tab stop."""
    for stop in block.stops:
        cv2.line(sheet, (stop - 18, block.top - 10), (stop - 18, sheet.shape[0] - 90), 175.0, 1)


def fold(sheet: np.ndarray, y: int) -> None:
    """Marks the crease of a letter that was folded once: a light edge above a dark one."""
    rows = np.arange(sheet.shape[0], dtype=np.float32)[:, None]
    sheet += 7 * np.exp(-(((rows - y + 3) / 3) ** 2)) - 11 * np.exp(-(((rows - y - 2) / 2.5) ** 2))


def scan(sheet: np.ndarray, ink: np.ndarray, rng: np.random.Generator, ink_tone: float = 45) -> np.ndarray:
    """The inked sheet as a scanner sees it: uint8, a little soft, with sensor noise."""
    picture = sheet * (1 - ink) + ink_tone * ink
    picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.6) + rng.normal(0, 1.0, sheet.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)
