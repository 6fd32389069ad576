"""How well lines were found, by the ink that they share with true ones.

Outlines are no good measure of lines: one transcriber draws them close to the letters, another generously, and both
mean the same ink. So ink is compared: one mask of the page's ink for both sides, on which

- a *found line's* ink is what the segmentation gave to it;
- a *true line's* ink is what lies inside its outlines;
- ink in the outlines of several true lines counts for none of them, and against no found line. Only where a true line
  would lose half of its ink in this way (a word squeezed in between two lines whose outlines go around it) does it
  keep all of it, and the others lose it;
- ink *near* true lines but in none, at most half a line height away (tails that stick out of a close outline), counts
  for nobody;
- a found line with less than a fifth of its ink in true lines lies in a place that the ground truth leaves out: it is
  not counted. Of a counted line, ink that lies elsewhere on the page counts as ink of no true line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from segmentation.ink.binarisation import binarise
from segmentation.ink.cleaning import remove_border_and_bars, remove_long_strokes
from segmentation.ink.paper import flat_sheet
from segmentation.ink.scale import stroke_width
from segmentation.ink.skew import estimate_skew
from segmentation.scores.metrics import Scores, best_pairs, kendall_tau

Outline = np.ndarray
"""Float (n, 2): corners (x, y) of a polygon, pixels of the page."""

THRESHOLDS = (0.5, 0.75)
"""Intersections over union from which a found and a true line match."""
_COVERED, _MOST_FOREIGN = 0.75, 0.25
"""A true line is covered if one found line holds at least this share of its ink, and at most that share of the found
line is foreign ink."""
_NEAR = 0.5
"""Ink in no true line counts for nobody within so many line heights of one."""
_OUTWEIGHED = 0.5
"""A true line keeps all its ink if at least this share of that lies in other lines' outlines too."""
_LEAST_IN_TRUTH = 0.2
"""A found line is counted if at least this share of its ink lies in true lines."""
_NOBODY = -1


def writing_ink(gray: np.ndarray) -> np.ndarray:
    """Ink by which lines are compared, bool (height, width): without border, bars and rulings.

    Args:
        gray: uint8 (height, width), the page as it is displayed.
    """
    ink = binarise(flat_sheet(gray))
    if not ink.any():
        return ink
    ink = remove_border_and_bars(ink, stroke_width(ink))
    h, w = ink.shape
    # Rulings lie in one row only where the page is level.
    turn = cv2.getRotationMatrix2D((w / 2, h / 2), -estimate_skew(ink), 1.0)
    level = cv2.warpAffine(ink.astype(np.uint8), turn, (w, h), flags=cv2.INTER_NEAREST)
    _, rulings = remove_long_strokes(level > 0)
    if not rulings.any():
        return ink
    method = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return ink & (cv2.warpAffine(rulings.astype(np.uint8), turn, (w, h), flags=method) == 0)


@dataclass(frozen=True)
class TrueInk:
    """A page's ink, divided among its true lines.

    Attributes:
        ink: bool (height, width).
        owners: int32 (height, width): i + 1 for ink of true line i, 0 for ink elsewhere, −1 for ink that counts for
            nobody.
        lines: number of true lines.
    """

    ink: np.ndarray
    owners: np.ndarray
    lines: int


def divide_ink(
    ink: np.ndarray,
    lines: Sequence[Sequence[Outline]],
    line_height: float,
    unread: Sequence[Sequence[Outline]] = (),
) -> TrueInk:
    """The ink of a page divided among its true lines.

    Args:
        ink: bool (height, width).
        lines: outlines of each true line.
        line_height: usual height of a line, pixels.
        unread: outlines of lines that are marked but not read: what is found there is not counted, and yet another
            line that swallows them has foreign ink.
    """
    members = [_ink_inside(outlines, ink) for outlines in lines]
    holders = np.zeros(ink.size, np.int32)
    for pixels in members:
        holders[pixels] += 1
    owners = np.zeros(ink.size, np.int32)
    inside = _inside([o for outlines in lines for o in outlines], ink.shape)
    away = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5)
    near = (away <= _NEAR * line_height) & ~_inside([o for outlines in unread for o in outlines], ink.shape)
    owners[(near | inside).ravel()] = _NOBODY
    overlaid = []
    for i, pixels in enumerate(members):
        alone = pixels[holders[pixels] == 1]
        owners[alone] = i + 1
        if len(pixels) - len(alone) >= _OUTWEIGHED * len(pixels):
            overlaid.append(i)
    for i in sorted(overlaid, key=lambda k: -len(members[k])):
        owners[members[i]] = i + 1
    owners[~ink.ravel()] = 0
    return TrueInk(ink, owners.reshape(ink.shape), len(lines))


def _ink_inside(outlines: Sequence[Outline], ink: np.ndarray) -> np.ndarray:
    """Flat indices of the ink inside any of some outlines."""
    if not outlines:
        return np.zeros(0, np.int64)
    points = np.vstack(outlines)
    left, top = np.clip(np.floor(points.min(axis=0)).astype(int), 0, None).tolist()
    right, bottom = (np.ceil(points.max(axis=0)).astype(int) + 1).tolist()
    part = ink[top:bottom, left:right]
    if not part.size:
        return np.zeros(0, np.int64)
    ys, xs = np.nonzero(_inside([o - (left, top) for o in outlines], part.shape) & part)
    return (ys + top) * ink.shape[1] + xs + left


def _inside(outlines: Sequence[Outline], shape: tuple[int, int]) -> np.ndarray:
    """Pixels inside any of some outlines, bool (height, width)."""
    mask = np.zeros(shape, np.uint8)
    for outline in outlines:
        cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    return mask > 0


@dataclass(frozen=True)
class InkOverlap:
    """How much ink found and true lines share.

    Attributes:
        shared: int (found, true), pixels in both.
        elsewhere: int (found,), pixels of a found line that are in no true line and not near one.
        all_found: int (found,), all pixels of a found line, also those that count for nobody.
        true: int (true,), pixels of a true line.
    """

    shared: np.ndarray
    elsewhere: np.ndarray
    all_found: np.ndarray
    true: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Int (found,): pixels of each found line that count."""
        return self.shared.sum(axis=1) + self.elsewhere

    @property
    def counted(self) -> np.ndarray:
        """Bool (found,): whether a found line lies where the ground truth tells what is there."""
        in_truth = self.shared.sum(axis=1)
        return (in_truth > 0) & (in_truth >= _LEAST_IN_TRUTH * self.all_found)

    @property
    def ious(self) -> np.ndarray:
        """Float (found, true): intersection over union of ink; 0 for found lines that are not counted."""
        union = self.found[:, None] + self.true[None, :] - self.shared
        return np.where(self.counted[:, None], self.shared / np.maximum(union, 1), 0.0)


def overlap(found: np.ndarray, count: int, truth: TrueInk) -> InkOverlap:
    """How the ink of found lines lies in true ones.

    Args:
        found: integer (height, width), i + 1 where ink belongs to found line i.
        count: number of found lines.
    """
    mine, owner = found[truth.ink].astype(np.int64), truth.owners[truth.ink]
    columns = truth.lines + 2
    table = np.bincount(mine * columns + owner + 1, minlength=(count + 1) * columns).reshape(count + 1, columns)
    return InkOverlap(
        shared=table[1:, 2:], elsewhere=table[1:, 1], all_found=table[1:].sum(axis=1), true=table[:, 2:].sum(axis=0)
    )


@dataclass(frozen=True)
class LineScores:
    """How well a page's lines were found.

    Attributes:
        by_threshold: scores of matched lines at each of `THRESHOLDS`.
        pairs: (found, true) lines that match at 0.5.
        covered: true lines with at least 75 % of their ink in one found line that holds at most 25 % foreign ink.
        left_out: found lines in places that the ground truth leaves out; they are not counted.
        true_ink: pixels of the true lines.
        lost_ink: pixels of them in no found line.
        tau: agreement of the matched lines' reading order with the true one, −1 … 1; None for less than two.
    """

    by_threshold: tuple[Scores, ...]
    pairs: tuple[tuple[int, int], ...]
    covered: int
    left_out: int
    true_ink: int
    lost_ink: int
    tau: float | None

    @property
    def true(self) -> int:
        """Number of true lines."""
        return self.by_threshold[0].true


def score_lines(ink: InkOverlap) -> LineScores:
    """Scores of a page's found lines. Found and true lines are numbered in reading order."""
    counted, true = int(ink.counted.sum()), len(ink.true)
    pairs = [best_pairs(ink.ious, threshold) for threshold in THRESHOLDS]
    whole = ink.shared >= _COVERED * ink.true[None, :]
    clean = ink.found[:, None] - ink.shared <= _MOST_FOREIGN * ink.found[:, None]
    covered = (whole & clean & (ink.shared > 0)).any(axis=0)
    return LineScores(
        by_threshold=tuple(Scores(len(p), counted, true) for p in pairs),
        pairs=tuple(sorted(pairs[0])),
        covered=int(covered.sum()),
        left_out=len(ink.all_found) - counted,
        true_ink=int(ink.true.sum()),
        lost_ink=int(ink.true.sum() - ink.shared.sum()),
        tau=kendall_tau([true_line for _, true_line in sorted(pairs[0])]),
    )
