"""One line of text drawn with a font, as a pen, a typewriter or a press leaves it on paper and a scanner sees it.

Letters are set (`_set`), bent as a whole (`_bend`), made strokes of ink (`_ink`), cut out and laid on paper
(`_on_paper`). Lengths are pixels of the picture; ``em`` is the font size.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageDraw

from htr_model.synthetic.fonts import Font, at_size
from htr_model.synthetic.noise import smooth_noise

LEAST_HEIGHT, MOST_HEIGHT = 40, 90
"""Of the pictures: about 150 to 300 dpi scans of ordinary writing."""

_SMALLEST_EM, _LARGEST_EM = 22, 72
_INKED = 0.3
"""Share of the darkest ink from which a pixel belongs to the writing when the picture is cut out."""


@dataclass(frozen=True)
class Style:
    """How unsteady and how dark the writing of one look is; standard deviations unless said.

    Attributes:
        slant: shear added to the font's own, columns a row.
        size, spacing: local changes of letter height and of letter places, shares of the height and of the em.
        sway: small bending of strokes, share of the em.
        curve: the baseline's rise and fall along the line, share of the em.
        pressure: widest change of the pen's pressure; 1 doubles thin strokes.
        unevenness: of the ink from letter to letter (typed) or from word to word.
    """

    slant: float
    size: float
    spacing: float
    sway: float
    curve: float
    pressure: float
    unevenness: float


_STYLES = {
    "hand": Style(slant=0.12, size=0.06, spacing=0.06, sway=0.014, curve=0.05, pressure=0.7, unevenness=0.10),
    "typed": Style(slant=0.01, size=0.0, spacing=0.0, sway=0.004, curve=0.01, pressure=0.7, unevenness=0.2),
    "printed": Style(slant=0.02, size=0.0, spacing=0.006, sway=0.004, curve=0.012, pressure=0.5, unevenness=0.04),
}


def draw_line(text: str, font: Font, rng: np.random.Generator, neighbours: tuple[str, str] = ("", "")) -> np.ndarray:
    """Grey picture of ``text``: uint8 (40 … 90, w), dark on light.

    Args:
        text: characters of ``font.characters`` only, some of them visible.
        neighbours: texts of the lines above and below, whose ink reaches into the picture; "" for none.

    Raises:
        ValueError: ``text`` holds a character that the font lacks, or nothing to draw.
    """
    if not font.characters.issuperset(text) or not text.strip():
        raise ValueError(f"font {font.name} cannot draw {text!r}")
    style = _STYLES[font.look]
    em, above, below = _size(text, font, rng)
    layers, strength, baseline = _set(text, neighbours, font, em, (above, below), style, rng)
    layers = _ink(_bend(layers, baseline, em, style, rng), em, style, font.look, rng)
    own = layers[0] * cv2.resize(strength[None, :], (layers[0].shape[1], 1))
    all_ink = np.maximum(own, layers[1]) if len(layers) > 1 else own
    if rng.random() < 0.04:
        stroke = _underline(own, baseline, em, rng)
        own, all_ink = np.maximum(own, stroke), np.maximum(all_ink, stroke)
    rows, columns = _inked(own, 1), _inked(own, 0)
    top, bottom = rows[0] - round(above), rows[-1] + 1 + round(below)
    short = max(0, LEAST_HEIGHT - (bottom - top))
    top, bottom = top - short // 2, bottom + short - short // 2
    left, right = columns[0] - int(rng.integers(2, 14)), columns[-1] + 1 + int(rng.integers(2, 14))
    window = _window(all_ink, top, bottom, left, right)
    if window.shape[0] > MOST_HEIGHT:
        width = max(8, round(window.shape[1] * MOST_HEIGHT / window.shape[0]))
        window = cv2.resize(window, (width, MOST_HEIGHT), interpolation=cv2.INTER_AREA)
    return _on_paper(window, baseline - top, em, font.look, rng)


def _inked(ink: np.ndarray, axis: int) -> np.ndarray:
    """Indices of the columns (``axis`` 0) or rows (1) with writing."""
    darkest = ink.max(axis=axis)
    return np.flatnonzero(darkest > _INKED * darkest.max())


def _size(text: str, font: Font, rng: np.random.Generator) -> tuple[int, float, float]:
    """Font size, and the empty rows above and below the writing, for a picture of 40 to 90 rows.

    Half the pictures are cut along their own ink, half as high as tall letters reach, as layout analysis does.
    """
    height = rng.uniform(LEAST_HEIGHT + 2, MOST_HEIGHT - 2)
    margins = height * rng.uniform(0.02, 0.12, 2)
    box = at_size(font.path, _LARGEST_EM).getbbox(text, anchor="ls")
    up, down = -box[1] / _LARGEST_EM, box[3] / _LARGEST_EM
    spare_up, spare_down = max(0.0, font.ascent - up), max(0.0, font.descent - down)
    if rng.random() < 0.5:
        spare_up = spare_down = 0.0
    em = int(np.clip((height - margins.sum()) / max(0.3, up + down + spare_up + spare_down), _SMALLEST_EM, _LARGEST_EM))
    above, below = margins[0] + spare_up * em, margins[1] + spare_down * em
    lacking = max(0.0, LEAST_HEIGHT + 2 - (up + down) * em - above - below)
    return em, above + lacking / 2, below + lacking / 2


def _set(
    text: str,
    neighbours: tuple[str, str],
    font: Font,
    em: int,
    reach: tuple[float, float],
    style: Style,
    rng: np.random.Generator,
) -> tuple[list[np.ndarray], np.ndarray, float]:
    """Set letters, the ink of each column, float32 (w,), and the baseline's row.

    Letters are uint8 (h, w): the text's and, where there are neighbours, theirs, so placed that they come a little
    nearer than the ``reach`` of the picture above and below the text.
    """
    margin, margin_y = round(0.6 * em), round(0.45 * em)  # room for what `_bend` moves
    places, width = _places(text, font, em, style, rng)
    typeface = at_size(font.path, em)
    box = typeface.getbbox(text, anchor="ls")
    baseline = margin_y + round(reach[0]) - box[1]
    size = (margin * 2 + round(width), baseline + box[3] + round(reach[1]) + margin_y)
    own, beside = Image.new("L", size), Image.new("L", size)
    strength = np.ones(size[0], np.float32)
    pen = ImageDraw.Draw(own)
    for part, x, y, ink in places:
        pen.text((margin + x, baseline + y), part, font=typeface, fill=255, anchor="ls")
        start = max(0, round(margin + x - 0.05 * em))
        strength[start:] = ink
    pen = ImageDraw.Draw(beside)
    intrusion = rng.uniform(0.02, 0.32, 2) * em
    above = baseline + box[1] - reach[0] + intrusion[0] - font.descent * em
    below = baseline + box[3] + reach[1] - intrusion[1] + font.ascent * em
    for line, y in zip(neighbours, (above, below), strict=True):
        if line:
            pen.text((margin + rng.uniform(-0.5, 0.5) * em, y), line, font=typeface, fill=255, anchor="ls")
    layers = [own, beside] if any(neighbours) else [own]
    return [np.asarray(layer) for layer in layers], strength, float(baseline)


def _places(text: str, font: Font, em: int, style: Style, rng: np.random.Generator) -> tuple[list, float]:
    """Where words (or letters, where each is set on its own) begin: (part, x, y, ink 0–1), and the line's width."""
    typeface = at_size(font.path, em)
    alone = font.look == "typed" or (font.look == "printed" and rng.random() < 0.3)
    tracking = em * (rng.uniform(-0.01, 0.08) if alone else 0.0)
    gap = typeface.getlength(" ") * (rng.uniform(0.8, 1.4) if font.look == "hand" else rng.uniform(0.95, 1.2))
    gap = max(gap, 0.2 * em) + tracking
    habits = {letter: rng.normal(0, (0.018, style.unevenness)) for letter in set(text)} if font.look == "typed" else {}
    shift = rng.normal(0, 0.02) * em if font.look == "typed" else 0.0  # capitals of a worn shift key stand off the line
    places, x = [], 0.0
    wetness, words_of_ink = 1.0, int(rng.integers(5, 14))
    for number, word in enumerate(text.split(" ")):
        if font.look == "hand":
            wetness = 1 - 0.35 * ((number % words_of_ink) / words_of_ink) * style.unevenness / 0.1
        for part in word if alone else (word,):
            rise, habit = habits.get(part, (0.0, 0.0))
            ink = wetness + habit + rng.normal(0, style.unevenness / 2)
            y = rise * em + (shift if part.isupper() else 0.0)
            if font.look == "typed":
                y += rng.normal(0, 0.008) * em
            elif font.look == "hand":
                y += rng.normal(0, 0.02) * em
            jitter = rng.normal(0, 0.012) * em if font.look == "typed" else 0.0
            if part.strip():
                places.append((part, x + jitter, y, float(np.clip(ink, 0.45, 1.0))))
            x += typeface.getlength(part) + tracking
        x += gap * (rng.uniform(0.75, 1.3) if font.look == "hand" else 1.0)
    return places, x - gap


def _bend(
    layers: list[np.ndarray], baseline: float, em: int, style: Style, rng: np.random.Generator
) -> list[np.ndarray]:
    """Letters leaning, of varying size and spacing, along a baseline that rises and falls: float32 0–1, wider."""
    height, width = layers[0].shape
    slant = float(np.clip(rng.normal(0, style.slant), -0.35, 0.35))
    lean = abs(slant) * max(baseline, height - baseline)
    stretch = float(np.exp(rng.normal(0, 0.09)))
    columns, pad = round(width * stretch + 2 * lean), lean
    x = np.arange(columns, dtype=np.float32)[None, :]
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(baseline)
    along = rng.normal(0, 0.008) * (x - columns / 2) * min(1.0, 6 * em / columns)
    along = along + style.curve * em * smooth_noise(rng, (1, columns), (1, 3.5 * em))
    size = np.exp(np.clip(style.size * smooth_noise(rng, (1, columns), (1, 1.2 * em)), -0.25, 0.25))
    map_x = (x - pad) / stretch + slant * y + style.spacing * em * smooth_noise(rng, (1, columns), (1, 1.1 * em))
    map_y = (y + along) / size + np.float32(baseline)
    cell = (0.5 * em, 0.5 * em)
    map_x = map_x + style.sway * em * smooth_noise(rng, (height, columns), cell)
    map_y = map_y + style.sway * em * smooth_noise(rng, (height, columns), cell)
    # Fixed-point maps cost a tenth of the precision that anybody sees and half the time, for two layers even less.
    maps = cv2.convertMaps(map_x.astype(np.float32), map_y.astype(np.float32), cv2.CV_16SC2)
    return [cv2.remap(layer, *maps, cv2.INTER_LINEAR).astype(np.float32) / 255 for layer in layers]


def _ink(layers: list[np.ndarray], em: int, style: Style, look: str, rng: np.random.Generator) -> list[np.ndarray]:
    """Strokes of a pen, a ribbon or a press from drawn letters: float32 0–1 of the same shape.

    Where the blurred stroke is cut decides how wide it is: that is the pressure, and it wanders.
    """
    shape = layers[0].shape
    sigma = max(0.5, 0.014 * em * (2 if rng.random() < 0.15 else 1))
    blurred = [cv2.GaussianBlur(layer, (0, 0), sigma) for layer in layers]
    inside = blurred[0][blurred[0] > 0.15]
    # Hairlines thinner than a pixel never reach full ink; they are strokes all the same.
    full = max(0.25, float(np.percentile(inside, 80))) if inside.size else 1.0
    pressure, steepness = rng.uniform(-style.pressure, style.pressure), rng.uniform(1.6, 4)
    cut = np.clip(0.45 - 0.22 * pressure + 0.06 * smooth_noise(rng, shape, (0.4 * em, 0.6 * em)), 0.15, 0.62)
    cell = 0.12 * em if look == "typed" else 0.3 * em
    flow = 0.9 + (0.16 if look == "typed" else 0.09) * smooth_noise(rng, shape, (cell, cell))
    flow = np.clip(flow, 0.5, 1)
    strokes = []
    for layer in blurred:
        layer = layer * (1 / full)
        strokes.append(np.clip((layer - cut) * steepness + 0.5, 0, 1) * np.clip(layer * 8, 0, 1) * flow)
    return strokes


def _underline(ink: np.ndarray, baseline: float, em: int, rng: np.random.Generator) -> np.ndarray:
    """Ink of a stroke under some of the words, float32 of the same shape."""
    columns = _inked(ink, 0)
    start, end = sorted(rng.integers(columns[0], columns[-1] + 1, 2).tolist())
    level = round(baseline + rng.uniform(0.12, 0.28) * em)
    stroke = np.zeros_like(ink)
    fall = round(rng.normal(0, 0.03) * em)
    cv2.line(stroke, (start, level), (end, level + fall), 0.85, max(1, em // 24), cv2.LINE_AA)
    return stroke


def _window(ink: np.ndarray, top: int, bottom: int, left: int, right: int) -> np.ndarray:
    """A part of the ink; empty where it reaches out of it."""
    height, width = ink.shape
    before, after = (max(0, -top), max(0, -left)), (max(0, bottom - height), max(0, right - width))
    padded = np.pad(ink, ((before[0], after[0]), (before[1], after[1])))
    return padded[top + before[0] : bottom + before[0], left + before[1] : right + before[1]]


def _on_paper(ink: np.ndarray, baseline: float, em: int, look: str, rng: np.random.Generator) -> np.ndarray:
    """The ink on a sheet as a scanner or camera sees it: uint8 (h, w)."""
    height, width = ink.shape
    if rng.random() < 0.05:
        return np.where(ink > rng.uniform(0.15, 0.25), 0, 255).astype(np.uint8)
    tone = rng.uniform(165, 252)
    ink_tone = rng.uniform(5, min(130, tone - 75))
    sheet = np.full((height, width), tone, np.float32)
    if rng.random() < 0.8:
        sheet += rng.uniform(1, 9) * smooth_noise(rng, (height, width), (height, 4 * height))
        sheet += rng.uniform(0, 4) * smooth_noise(rng, (height, width), (12, 12))
        sheet += rng.uniform(0, 3) * smooth_noise(rng, (height, width), (3, 7))
    if rng.random() < {"hand": 0.35, "typed": 0.05, "printed": 0.03}[look]:
        sheet -= _ruling((height, width), baseline, em, rng)
    if rng.random() < 0.12:
        behind = cv2.GaussianBlur(np.roll(ink[:, ::-1], int(rng.integers(height)), axis=0), (0, 0), 1.2)
        sheet -= rng.uniform(10, 45) * behind
    picture = sheet * (1 - ink) + ink_tone * ink
    if rng.random() < 0.5:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0))
    grain = rng.standard_normal((height, width), np.float32) * np.float32(rng.uniform(0.5, 6))
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def _ruling(shape: tuple[int, int], baseline: float, em: int, rng: np.random.Generator) -> np.ndarray:
    """Darkness of printed lines under the writing, one a line of it; rarely squared paper or a margin."""
    height, width = shape
    printed = np.zeros(shape, np.float32)
    pitch = em * rng.uniform(0.9, 1.6)
    if rng.random() < 0.15:
        pitch /= 3
    thickness = int(rng.integers(1, 3))
    tilt = rng.normal(0, 0.003) * width
    for step in range(-6, 3):
        level = baseline + rng.uniform(0, 0.1) * em * (step == 0) + step * pitch
        cv2.line(printed, (0, round(level - tilt)), (width, round(level + tilt)), 1.0, thickness, cv2.LINE_AA)
    if rng.random() < 0.1 or pitch < 0.6 * em:
        for x in np.arange(rng.uniform(0, width), width, pitch if pitch < 0.6 * em else width):
            cv2.line(printed, (round(x), 0), (round(x), height), 1.0, thickness, cv2.LINE_AA)
    return rng.uniform(10, 75) * printed * np.clip(0.85 + 0.15 * smooth_noise(rng, shape, (20, 60)), 0.3, 1)
