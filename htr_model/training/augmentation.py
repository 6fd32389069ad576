"""Random changes to pictures of writing that keep their text: other slants, pens, papers, scanners.

All work on grey pictures before normalisation, dark ink on light paper, and draw only from the generator given, so
that a seed repeats a training run.
"""

from __future__ import annotations

import cv2
import numpy as np

_WORKING_HEIGHT = 112
"""Pictures are brought down to this height first: distortions then cost the same whatever the scan's resolution. That
of a picture trimmed for 64 rows (`htr_model.normalization.trim`)."""


def augment(gray: np.ndarray, rng: np.random.Generator, neighbour: np.ndarray | None = None) -> np.ndarray:
    """A changed copy of ``gray``, uint8 (h, w); shape differs from the input's.

    Args:
        gray: uint8 (h, w).
        rng: source of all randomness.
        neighbour: another picture, whose ink may intrude at an edge as a crop's neighbours do.
    """
    if gray.shape[0] > _WORKING_HEIGHT:
        width = max(1, round(gray.shape[1] * _WORKING_HEIGHT / gray.shape[0]))
        gray = cv2.resize(gray, (width, _WORKING_HEIGHT), interpolation=cv2.INTER_AREA)
    picture = gray
    if rng.random() < 0.85:
        picture = slant_and_scale(picture, rng)
    if rng.random() < 0.5:
        picture = warp_elastically(picture, rng)
    if rng.random() < 0.25:
        picture = change_stroke(picture, rng)
    if neighbour is not None and rng.random() < 0.15:
        picture = intrude(picture, neighbour, rng)
    if rng.random() < 0.2:
        picture = draw_ruling(picture, rng)
    if rng.random() < 0.25:
        picture = lower_resolution(picture, rng)
    if rng.random() < 0.5:
        picture = change_ink(picture, rng)
    if rng.random() < 0.35:
        picture = dirty_paper(picture, rng)
    if rng.random() < 0.06:
        picture = binarise(picture, rng)
    if rng.random() < 0.4:
        picture = leave_out(picture, rng)
    return picture


def rearrange(gray: np.ndarray, text: str, gaps: tuple[float, ...], rng: np.random.Generator) -> tuple[np.ndarray, str]:
    """A line's picture and text, its words in another order or some of them alone: no line is met often enough to be
    learned by heart.

    Cut at one to three gaps; the pieces change places, or a run of them is left. As they are where no gap is known.

    Args:
        gray: uint8 (h, w).
        text: canonical text.
        gaps: of `htr_model.data.samples.Sample`, one for each space.
    """
    width = gray.shape[1]
    known: list[tuple[int, int]] = []
    spaces = (i for i, character in enumerate(text) if character == " ")
    for gap, space in zip(gaps, spaces, strict=True):
        # No piece without a picture; nor is there one left of a gap that is not a number.
        if (known[-1][0] if known else 0) < gap * width - 1 < width - 2:
            known.append((int(gap * width), space))
    if not known:
        return gray, text
    count = min(len(known), int(rng.integers(1, 4)))
    cuts = [known[i] for i in sorted(rng.choice(len(known), count, replace=False).tolist())]
    edges = [(0, -1), *cuts, (width, len(text))]
    pieces = [
        (gray[:, left:right], text[before + 1 : after])
        for (left, before), (right, after) in zip(edges, edges[1:], strict=False)
    ]
    if rng.random() < 0.35:
        first, last = sorted(rng.choice(len(pieces) + 1, 2, replace=False).tolist())
        pieces = pieces[first:last]
    else:
        pieces = [pieces[i] for i in rng.permutation(len(pieces)).tolist()]
    return np.hstack([picture for picture, _ in pieces]), " ".join(words for _, words in pieces)


def _paper_level(gray: np.ndarray) -> int:
    return int(np.percentile(gray[::4, ::4], 85))


def slant_and_scale(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One affine map: shear ±0.4 (mostly less), rotation ±1.5°, width × 0.8–1.25, rows added above and below."""
    h, w = gray.shape
    shear = float(np.clip(rng.normal(0, 0.17), -0.4, 0.4))
    angle = float(np.clip(rng.normal(0, 0.6), -1.5, 1.5)) * np.pi / 180
    if w > 6 * h:
        angle *= 6 * h / w
    stretch = float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))
    above, below = (rng.uniform(0, 0.25, 2) * h if rng.random() < 0.4 else rng.uniform(0, 0.05, 2) * h).tolist()
    linear = np.array([[stretch, -shear], [np.sin(angle) * stretch, np.cos(angle)]])
    corners = linear @ np.array([[0, w, 0, w], [0, 0, h, h]], float)
    least = corners.min(axis=1)
    extent = corners.max(axis=1) - least
    matrix = np.column_stack([linear, [-least[0], above - least[1]]])
    size = (max(4, int(np.ceil(extent[0]))), max(4, int(np.ceil(extent[1] + above + below))))
    return cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_LINEAR, borderValue=_paper_level(gray))


_LARGEST_REMAP = 32_000
"""cv2.remap takes at most 32,766 rows or columns."""


def warp_elastically(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smooth random displacement (Simard et al. 2003) from a coarse grid, at most about 4 % of the height."""
    h, w = gray.shape
    if max(h, w) > _LARGEST_REMAP:
        return gray
    cell = max(8.0, h * rng.uniform(0.25, 0.6))
    grid = (max(3, int(h / cell) + 2), max(3, int(w / cell) + 2))
    strength = h * rng.uniform(0.01, 0.04)
    shift = rng.normal(0, strength, (*grid, 2)).astype(np.float32)
    # Smooth on a coarse raster, straight from there: a third of the time of cubic pieces on every pixel.
    coarse = cv2.resize(shift, (max(2, w // 4), max(2, h // 4)), interpolation=cv2.INTER_CUBIC)
    places = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_LINEAR)
    places[..., 0] += np.arange(w, dtype=np.float32)[None, :]
    places[..., 1] += np.arange(h, dtype=np.float32)[:, None]
    return cv2.remap(gray, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def change_stroke(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Thicker or thinner strokes: a blend with a 2 × 2 or 3 × 3 erosion or dilation."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)) if rng.random() < 0.3 else np.ones((2, 2), np.uint8)
    changed = (cv2.erode if rng.random() < 0.6 else cv2.dilate)(gray, kernel)
    amount = rng.uniform(0.3, 1.0)
    return cv2.addWeighted(gray, 1 - amount, changed, amount, 0)


def intrude(gray: np.ndarray, neighbour: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Ink of another line at the top or bottom edge, as the descenders and ascenders of neighbouring lines show."""
    h, w = gray.shape
    depth = int(h * rng.uniform(0.06, 0.2))
    if depth < 2 or neighbour.shape[0] < 4:
        return gray
    scale = h / neighbour.shape[0]
    width = max(4, round(neighbour.shape[1] * scale))
    other = cv2.resize(neighbour, (width, h), interpolation=cv2.INTER_AREA)
    result = gray.copy()
    at = int(rng.integers(0, max(1, w - width // 2)))
    span = min(width, w - at)
    if rng.random() < 0.5:
        strip = other[h - depth :, :span]
        result[:depth, at : at + span] = np.minimum(result[:depth, at : at + span], strip)
    else:
        strip = other[:depth, :span]
        result[h - depth :, at : at + span] = np.minimum(result[h - depth :, at : at + span], strip)
    return result


def draw_ruling(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One to three ruled lines, nearly level, some through the letters; rarely a vertical one."""
    h, w = gray.shape
    ground = _paper_level(gray)
    ink = int(ground - rng.uniform(0.15, 0.6) * max(40, ground - int(gray.min())))
    thickness = 1 if h < 50 else int(rng.integers(1, 3))
    mask = np.full_like(gray, 255)
    y = rng.uniform(0.45, 1.0) * h
    pitch = rng.uniform(0.4, 1.2) * h
    for i in range(int(rng.integers(1, 4))):
        tilt = rng.normal(0, 0.006) * w
        level = y - i * pitch
        cv2.line(mask, (0, int(level)), (w, int(level + tilt)), ink, thickness, cv2.LINE_AA)
    if rng.random() < 0.15:
        x = int(rng.integers(0, w))
        cv2.line(mask, (x, 0), (x + int(rng.normal(0, 2)), h), ink, thickness, cv2.LINE_AA)
    return np.minimum(gray, mask)


def lower_resolution(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A coarser scan or a blurred one: letters may end with an x-height of 5–6 pixels."""
    h, w = gray.shape
    if rng.random() < 0.3:
        return cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.5, 1.4))
    scale = min(1.0, max(24 / h, rng.uniform(0.35, 0.8)))
    return cv2.resize(gray, (max(2, round(w * scale)), max(2, round(h * scale))), interpolation=cv2.INTER_AREA)


def change_ink(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Other ink and exposure: contrast × 0.35–1.2, brightness, gamma 0.7–1.4."""
    ground = _paper_level(gray)
    contrast = rng.uniform(0.35, 1.2)
    paper = rng.uniform(150, 255)
    table = np.clip(paper - (ground - np.arange(256, dtype=np.float32)) * contrast, 0, 255) / 255
    return cv2.LUT(gray, (255 * table ** rng.uniform(0.7, 1.4)).astype(np.uint8))


_DEVIATION = 73.9
"""Standard deviation of bytes drawn at random."""


def dirty_paper(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Uneven light, grain and specks."""
    h, w = gray.shape
    shade = cv2.resize(rng.normal(0, rng.uniform(2, 14), (2, max(2, w // h + 1))).astype(np.float32), (w, h))
    grain = rng.integers(0, 256, (h, w), np.uint8).astype(np.float32)
    grain = (grain - 127.5) * np.float32(rng.uniform(1, 12) / _DEVIATION)
    if rng.random() < 0.5:
        grain = cv2.GaussianBlur(grain, (0, 0), 0.8)
    picture = np.clip(gray + shade + grain, 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        count = int(rng.integers(1, 2 + w // 30))
        xs, ys = rng.integers(0, w, count), rng.integers(0, h, count)
        for x, y in zip(xs.tolist(), ys.tolist(), strict=True):
            cv2.circle(picture, (x, y), int(rng.integers(0, 2)), int(rng.integers(0, 160)), -1)
    return picture


def leave_out(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pieces of letters covered with paper, one for about four heights of width: what is read must not hang on a single
    stroke (cutout, DeVries and Taylor 2017). Each is 0.08–0.3 heights wide and 0.3–1 high."""
    h, w = gray.shape
    picture, ground = gray.copy(), _paper_level(gray)
    for _ in range(int(rng.integers(1, 2 + w // (4 * h)))):
        width, height = max(1, int(h * rng.uniform(0.08, 0.3))), max(1, int(h * rng.uniform(0.3, 1.0)))
        x, y = int(rng.integers(0, max(1, w - width))), int(rng.integers(0, h - height + 1))
        picture[y : y + height, x : x + width] = ground
    return picture


def binarise(gray: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A photocopy or fax: black and white only, threshold around Otsu's."""
    level, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)
    return np.where(gray > level + rng.uniform(-15, 25), 255, 0).astype(np.uint8)
