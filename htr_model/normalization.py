"""The one way from a picture of writing to the network's input.

Training, evaluation and the pipeline all call `normalize`; nothing else may prepare pixels for the recogniser. What is
cut from a page that was made even is made even once more: training pictures come from no page, and all go one way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from segmentation.ink.grain import grain_and_contrast, smoothed
from segmentation.scaling import scaled

_MOST_ROWS, _LARGEST_STEP, _MOST_PIXELS = 256, 1_024, 2**22
"""Of the network's input: a bundle comes from strangers too, and must not exhaust memory. The default's has 64 rows and
at most 139,264 pixels."""


@dataclass(frozen=True)
class Normalization:
    """How pictures are made alike. Part of every model bundle.

    Attributes:
        height: rows of the network's input, pixels.
        max_width: widest input, pixels; a wider picture is scaled down further, never cut or squeezed.
        width_step: inputs are padded on the right to a multiple of this, so that few shapes exist.
        max_upscale: a picture is enlarged at most so much. A comma stays smaller than an M.
        line_reach: rows of a line that are kept above and below its middle, in mean distances of its ink from there;
            0 keeps all. What neighbouring lines leave at the edges then no longer makes the line small.
    """

    height: int = 64
    max_width: int = 2176
    width_step: int = 64
    max_upscale: float = 2.67
    line_reach: float = 4.0

    @classmethod
    def of_height(cls, height: int) -> Normalization:
        """The usual one, its lengths in proportion: what fits into the default's 64 rows fits into these, smaller."""
        usual = cls()
        share = height / usual.height
        steps = round(usual.max_width * share / usual.width_step)
        upscale = round(usual.max_upscale * share, 2)
        return cls(height=height, max_width=max(1, steps) * usual.width_step, max_upscale=upscale)

    def __post_init__(self) -> None:
        most_columns = _MOST_PIXELS // max(16, self.height) if type(self.height) is int else 0
        for name, most in (("height", _MOST_ROWS), ("width_step", _LARGEST_STEP), ("max_width", most_columns)):
            value = getattr(self, name)
            if type(value) is not int or value > most:
                raise ValueError(f"{name} must be a whole number of at most {most}, got {value!r}")
        if self.height < 16 or self.height % 16:
            raise ValueError(f"height must be a multiple of 16, got {self.height!r}")
        divides = self.width_step >= 16 and self.width_step % 16 == 0 and self.max_width % self.width_step == 0
        if not divides or self.max_width < self.width_step:
            raise ValueError(
                "width_step must be a multiple of 16 that divides max_width, "
                f"got {self.width_step!r} and {self.max_width!r}"
            )
        if not 0 < self.max_upscale < math.inf:
            raise ValueError(f"max_upscale must be positive, got {self.max_upscale!r}")
        if self.line_reach and not 2 <= self.line_reach <= 100:
            raise ValueError(f"line_reach must be 0 or 2 to 100, got {self.line_reach!r}")

    def padded_width(self, width: int) -> int:
        """The input width that a normalised picture of ``width`` pixels is padded to."""
        return max(1, -(-width // self.width_step)) * self.width_step


@dataclass(frozen=True)
class Normalized:
    """A picture ready for the network, and where it came from.

    Attributes:
        pixels: uint8 (height, width), 0 paper … 255 ink.
        left: column of the source picture at ``pixels``' first column (may be negative: padding).
        scale: pixels of ``pixels`` per pixel of the source, the same in both directions.
    """

    pixels: np.ndarray
    left: float
    scale: float


_SIDE_PADDING = 4
"""Empty columns left and right of the ink, so that the first letter has context for the convolutions."""
_VERTICAL_PADDING = 2
_ROW_TAIL = 0.004
"""Share of the ink above and below which rows may be cut: one long stroke must not shrink a whole line."""
_LINE_ASPECT = 5.0
"""Width over height from which a picture is taken for a line, whose ink tells where its middle is; words keep all."""
_INK = 96
"""Level of a normalised picture from which a pixel counts as ink when margins are trimmed."""
_DARK = 90
"""Level under which more than half of a negative's pixels lie."""
_GRAIN = 0.05
"""Grain, as a share of the contrast, from which a picture is smoothed. Of 20 pictures of `iam_words` 19 have less, of
lines of the other collections all; a standard deviation of 30 grey levels makes 0.09 to 0.3."""
_LEAST_CONTRAST = 0.06
"""Darkness (share of the paper's brightness) below which a picture is taken for empty paper, not amplified."""


def with_less_grain(gray: np.ndarray) -> np.ndarray:
    """The same picture, uint8 (h, w), or if its grain is strong beside its contrast, one with less of it.

    It is smoothed the wider the larger the writing is.
    """
    # Ink covers a fiftieth of any word or line.
    grain, contrast = grain_and_contrast(gray, 2)
    if grain <= _GRAIN * contrast:
        return gray
    return smoothed(gray, grain, min(1.6, 0.7 + gray.shape[0] / 120))


def ink_of(gray: np.ndarray) -> np.ndarray:
    """Ink of a picture on an even ground: uint8 (h, w), 0 paper … 255 full ink.

    The paper's brightness is estimated by a grey closing wider than strokes, divided out, and the darkness that
    remains is stretched so that typical ink is 255.

    Args:
        gray: uint8 (h, w), 0 black … 255 white; a negative is inverted.
    """
    if _is_negative(gray):
        gray = 255 - gray
    h, w = gray.shape
    reach = int(np.clip(min(h, 96) // 3, 9, 31)) | 1
    border = reach // 2
    padded = cv2.copyMakeBorder(gray, border, border, border, border, cv2.BORDER_REPLICATE)
    paper = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    paper = cv2.blur(paper, (reach, reach))[border : border + h, border : border + w]
    darkness = 255 - cv2.divide(gray, np.maximum(paper, 1), scale=255)
    _, strong = cv2.threshold(darkness, 0, 255, cv2.THRESH_OTSU)
    full = cv2.mean(darkness, strong)[0] * 1.15
    if full < _LEAST_CONTRAST * 255:
        full = 255.0
    none = 0.15 * full
    return cv2.convertScaleAbs(cv2.subtract(darkness, none), alpha=255.0 / (full - none))


def _is_negative(gray: np.ndarray) -> bool:
    """Whether a picture is mostly dark, as light writing on dark ground is."""
    return 2 * np.count_nonzero(gray < _DARK) > gray.size


def _ink_extent(ink: np.ndarray, line_reach: float) -> tuple[int, int, int, int] | None:
    """Rows and columns (top, bottom, left, right; exclusive ends) that hold the ink; None for an empty picture."""
    solid = ink > _INK
    by_row = np.count_nonzero(solid, axis=1)
    rows = np.cumsum(by_row)
    if rows[-1] == 0:
        return None
    tail = _ROW_TAIL * rows[-1]
    top = int(np.searchsorted(rows, tail, side="right"))
    bottom = int(np.searchsorted(rows, rows[-1] - tail, side="left")) + 1
    columns = np.flatnonzero(solid[top:bottom].any(axis=0))
    if columns.size == 0:
        return None
    if line_reach and columns[-1] + 1 - columns[0] >= _LINE_ASPECT * (bottom - top):
        top, bottom = _line_rows(by_row, top, bottom, line_reach)
        columns = np.flatnonzero(solid[top:bottom].any(axis=0))
    return top, bottom, int(columns[0]), int(columns[-1]) + 1


def _line_rows(by_row: np.ndarray, top: int, bottom: int, reach: float) -> tuple[int, int]:
    """First and last row (exclusive) of a line, cut ``reach`` mean distances of the ink from its middle.

    The middle and the mean distance are taken twice, the second time without what the first would cut. After the
    normalizer of OCRopus (Breuel et al. 2013), which measures the spread of the ink around a line's middle likewise.

    Args:
        by_row: number of ink pixels in each row.
    """
    y = np.arange(len(by_row)) + 0.5
    for _ in range(2):
        weights = np.where((y > top) & (y < bottom), by_row, 0)
        middle = np.average(y, weights=weights)
        spread = np.average(abs(y - middle), weights=weights)
        top = max(top, int(np.floor(middle - reach * spread)))
        bottom = min(bottom, int(np.ceil(middle + reach * spread)))
    return top, bottom


def normalize(gray: np.ndarray, settings: Normalization) -> Normalized:
    """Network input of one picture of a word or a line: paper flattened, margins trimmed, height fixed.

    The picture keeps its proportions. Its ink is scaled to fill the height unless that would enlarge it more than
    ``max_upscale`` or make it wider than ``max_width``; then it stands centred between empty rows.

    Args:
        gray: uint8 (h, w), h and w at least 1.

    Raises:
        ValueError: ``gray`` is not a two-dimensional uint8 array with at least one pixel.
    """
    located = _located(gray, settings)
    if located.extent is None:
        return Normalized(np.zeros((settings.height, 2 * _SIDE_PADDING), np.uint8), 0.0, 1.0)
    top, bottom, left, right = located.extent
    ink = located.ink[top:bottom, left:right]
    room = settings.height - 2 * _VERTICAL_PADDING
    room_across = settings.max_width - 2 * _SIDE_PADDING
    scale = min(room / ink.shape[0], settings.max_upscale, room_across / ink.shape[1])
    size = (max(1, round(ink.shape[1] * scale)), max(1, min(room, round(ink.shape[0] * scale))))
    ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    pixels = np.zeros((settings.height, ink.shape[1] + 2 * _SIDE_PADDING), np.uint8)
    above = (settings.height - ink.shape[0]) // 2
    pixels[above : above + ink.shape[0], _SIDE_PADDING:-_SIDE_PADDING] = ink
    total_scale = scale / located.reduction
    return Normalized(pixels, located.sides()[2] - _SIDE_PADDING / total_scale, total_scale)


@dataclass(frozen=True)
class _Located:
    """The ink of a picture, and where in the picture it is.

    Attributes:
        ink: uint8 (h, w), 0 paper … 255 full ink, of a part of the picture.
        extent: rows and columns of ``ink`` that are kept (`_ink_extent`); None for an empty picture.
        reduction: pixels of the picture to a pixel of ``ink``.
        first_row, first_column: of the picture, where ``ink`` begins.
    """

    ink: np.ndarray
    extent: tuple[int, int, int, int] | None
    reduction: float
    first_row: int = 0
    first_column: int = 0

    def sides(self) -> tuple[float, float, float, float]:
        """Top, bottom, left and right (exclusive ends) of what is kept, pixels of the picture."""
        top, bottom, left, right = (side * self.reduction for side in self.extent)
        return top + self.first_row, bottom + self.first_row, left + self.first_column, right + self.first_column

    def surroundings(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that hold what is kept, and some paper around it."""
        top, bottom, left, right = self.sides()
        spare = max(_SPARE * (bottom - top), 2 * self.reduction)  # a pixel of `ink` is many of a large picture
        return (
            slice(max(0, int(top - spare)), int(np.ceil(bottom + spare))),
            slice(max(0, int(left - spare)), int(np.ceil(right + spare))),
        )


_SPARE = 0.3
"""Share of the ink's height that is left above and below it."""


def _located(gray: np.ndarray, settings: Normalization) -> _Located:
    """The ink of a picture, scaled down where it is far larger than the network's input."""
    if gray.ndim != 2 or gray.dtype != np.uint8 or gray.size == 0:
        raise ValueError(f"expected uint8 pixels of shape (h, w), got {gray.dtype} {gray.shape}")
    height = gray.shape[0]
    reduction = max(1.0, height / (3.0 * settings.height))
    ink = ink_of(with_less_grain(scaled(gray, 1 / reduction)))
    found = _Located(ink, _ink_extent(ink, settings.line_reach), reduction)
    if reduction == 1 or found.extent is None:
        return found
    rows, columns = found.surroundings()
    if 2 * (rows.stop - rows.start) > height:
        return found
    # Small writing on a large sheet, which scaled down like that could not be read.
    inner = _located(gray[rows, columns], settings)
    return replace(inner, first_row=rows.start + inner.first_row, first_column=columns.start + inner.first_column)


_SURPLUS = 1.1
"""How much finer than the network's input a trimmed picture is at most."""


def trim(gray: np.ndarray, settings: Normalization) -> np.ndarray:
    """A smaller picture of the same writing: about what `normalize` keeps of ``gray``, and some paper around it.

    For training, which alters pictures again and again: it need not carry margins and pixels that never reach the
    network. Nothing is trimmed from an empty picture.

    Args:
        gray: uint8 (h, w), h and w at least 1.
    """
    located = _located(gray, settings)
    if located.extent is None:
        return gray
    top, bottom, *_ = located.sides()
    gray = gray[located.surroundings()]
    scale = _SURPLUS * settings.height / (bottom - top)
    return gray.copy() if scale >= 1 else scaled(gray, scale)


def stack(
    pictures: list[np.ndarray], settings: Normalization, width: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A batch of the network: pixels uint8 (n, height, width, 1) and true widths int32 (n,).

    Args:
        width: None: the padded width of the widest picture.
    """
    n = len(pictures)
    width = width or settings.padded_width(max(p.shape[1] for p in pictures))
    batch = np.zeros((n, settings.height, width, 1), np.uint8)
    widths = np.zeros(n, np.int32)
    for i, picture in enumerate(pictures):
        batch[i, :, : picture.shape[1], 0] = picture
        widths[i] = picture.shape[1]
    return batch, widths
