"""Drawn pages whose lines and words are known."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from segmentation.geometry import Box, union

PRINT = -1
"""Pillow's own font; other fonts are OpenCV's, by number."""
SCRIPT = cv2.FONT_HERSHEY_SCRIPT_SIMPLEX
PLAIN = cv2.FONT_HERSHEY_SIMPLEX
PAPER, INK = 240, 40
TEXT = (
    "The quick brown fox jumps over",
    "a lazy dog, which did not mind.",
    "In spring it will visit us again,",
    "bringing six jars of dry figs",
    "and my sister's quiet black cat.",
    "Nobody knew why the pigs ran off;",
    "just ask him in the evening.",
    "Yours truly, by hand and pen.",
)


@dataclass(frozen=True)
class DrawnPage:
    """A page with its true boxes.

    Attributes:
        gray: uint8 (height, width).
        words: boxes around the ink of each line's words.
    """

    gray: np.ndarray
    words: list[list[Box]]

    @property
    def lines(self) -> list[Box]:
        return [union(words) for words in self.words]

    @property
    def ink(self) -> np.ndarray:
        """Bool (height, width): pixels that are surely ink."""
        return dark(self.gray)


def dark(gray: np.ndarray) -> np.ndarray:
    return gray < (PAPER + INK) // 2


def grown(mask: np.ndarray, pixels: int) -> np.ndarray:
    """A mask, bool (height, width), grown by so many pixels on all sides."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8)) > 0


def paper(height: int, width: int) -> np.ndarray:
    return np.full((height, width), PAPER, np.uint8)


def noisy(gray: np.ndarray, deviation: float, seed: int = 0) -> np.ndarray:
    """With normal noise, cut off at black and white."""
    return np.clip(gray + np.random.default_rng(seed).normal(0, deviation, gray.shape), 0, 255).astype(np.uint8)


def draw_word(gray: np.ndarray, text: str, x: int, baseline: int, size: int, font: int = PRINT) -> Box:
    """Box around the ink of ``text``, drawn into ``gray`` from column ``x`` on; ``size`` is about two x-heights."""
    top, left = max(0, baseline - 2 * size), max(0, x - size)
    part = gray[top : baseline + size, left : x + size * (len(text) + 1)]
    drawn, place = paper(*part.shape), (x - left, baseline - top)
    if font == PRINT:
        canvas = Image.fromarray(drawn)
        ImageDraw.Draw(canvas).text(place, text, INK, ImageFont.load_default(size=size), anchor="ls")
        drawn = np.asarray(canvas)
    else:
        cv2.putText(drawn, text, place, font, size / 28, INK, max(1, round(size / 16)), cv2.LINE_AA)
    np.minimum(part, drawn, out=part)
    box = around(dark(drawn))
    return Box(box.left + left, box.top + top, box.right + left, box.bottom + top)


def around(ink: np.ndarray) -> Box:
    ys, xs = np.nonzero(ink)
    return Box(int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1)


def draw_line(gray: np.ndarray, text: str, x: int, baseline: int, size: int, font: int = PRINT) -> list[Box]:
    """Boxes of the words of ``text``, drawn into ``gray`` one after another."""
    boxes = []
    for word in text.split():
        boxes.append(draw_word(gray, word, x, baseline, size, font))
        x = boxes[-1].right + round(0.55 * size)
    return boxes


def draw_page(texts=TEXT, size: int = 40, font: int = PRINT, pitch: float = 1.9, margin: int = 60) -> DrawnPage:
    """A page of ``texts``, a line each, ``pitch`` sizes apart."""
    step = round(pitch * size)
    gray = paper(2 * margin + step * len(texts), 2 * margin + round(0.68 * size * max(map(len, texts))))
    words = [draw_line(gray, t, margin, margin + round(step * (i + 0.7)), size, font) for i, t in enumerate(texts)]
    return DrawnPage(gray, words)


def resized(gray: np.ndarray, factor: float) -> np.ndarray:
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(gray, None, fx=factor, fy=factor, interpolation=method)


def turned(gray: np.ndarray, degrees: float) -> np.ndarray:
    """The page turned counter-clockwise about its middle, so that its lines climb; same size."""
    h, w = gray.shape
    matrix = cv2.getRotationMatrix2D((w / 2, h / 2), degrees, 1.0)
    return cv2.warpAffine(gray, matrix, (w, h), flags=cv2.INTER_LINEAR, borderValue=PAPER)


def ruled(page: DrawnPage, size: int = 40, thickness: int = 2, shade: int = 110) -> np.ndarray:
    """The page on ruled paper: a rule a little below each baseline, from edge to edge."""
    gray = page.gray.copy()
    rules = paper(*gray.shape)
    for line in page.lines:
        cv2.line(rules, (10, line.bottom + size // 8), (gray.shape[1] - 10, line.bottom + size // 8), shade, thickness)
    return np.minimum(gray, rules)


def on_ruled_lines(page: DrawnPage, slant: int = 4) -> np.ndarray:
    """The page with a rule in ink under each line, on which its letters stand; it falls by ``slant`` rows."""
    gray = page.gray.copy()
    for words in page.words:
        foot = int(np.median([word.bottom for word in words]))
        cv2.line(gray, (10, foot - slant // 2), (gray.shape[1] - 10, foot + slant // 2), INK, 2)
    return gray
