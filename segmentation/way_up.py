"""Which way up a page lies: decided by how sure the line network is of its lines, and by its tall letters.

Both are measured in `segmentation.lines.orientation`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from segmentation.ink.preparation import Prepared
from segmentation.lines import orientation
from segmentation.lines.curves import Curve
from segmentation.scaling import turned


@dataclass(frozen=True)
class Found:
    """A page, one way up, and the curves of its lines.

    Attributes:
        doubt, lean: which way up it seems to be (`segmentation.lines.orientation`); 0 where nothing is known of that.
    """

    page: Prepared
    curves: list[Curve]
    doubt: float = 0.0

    @functools.cached_property
    def lean(self) -> float:
        return orientation.lean(self.page.ink, self.curves, self.page.scale) if self.curves else 0.0


_DOUBTFUL = 0.6
"""Doubt of the line network above which a page may lie on its side: upright pages have .25 to .6, others .7 to 2."""
_MUCH_SURER = 0.75
"""A page is turned from its side if less than this share of the network's doubt is left then."""
_CLEAR_LEAN = 1.0
"""Lean from which a page surely does not stand on its head, and is not looked at the other way up."""
_LEAST_EVIDENCE = 2.0
"""Evidence for turning, the logarithm of odds, above which a page is turned head down: scans are seldom that. One that
was turned from its side stands on either end equally often; there any evidence will do."""
_SURE = 1.0
"""Evidence for leaving a page as it is from which it need not be read the other way up. Of 177 training pages and parts
with five lines or more 175 had it upright; on their head the other two."""


def likely_ways_up(gray: np.ndarray, find: Callable[[np.ndarray], Found]) -> list[tuple[int, Found]]:
    """The ways up in which a page may be upright, the likeliest first: one, or two where it may stand on its head.

    Each is the turn, 0, 90, 180 or 270 degrees clockwise, and what was found on the page turned so.

    Args:
        gray: uint8 (height, width).
        find: looks at a page one way up.
    """
    found, turn = find(gray), 0
    if found.doubt > _DOUBTFUL:
        on_its_side = find(turned(gray, 90))
        if 0 < on_its_side.doubt < min(_DOUBTFUL, _MUCH_SURER * found.doubt):
            found, turn = on_its_side, 90
    ways = [(turn, found)]
    if 0 < found.doubt <= _DOUBTFUL and found.lean < _CLEAR_LEAN:
        on_its_head = find(turned(gray, turn + 180))
        wrong = _evidence_for_turning(found, on_its_head) > (_LEAST_EVIDENCE if turn == 0 else 0.0)
        if wrong or (on_its_head.curves and _evidence_for_leaving(found, on_its_head) < _SURE):
            ways.append(((turn + 180) % 360, on_its_head))
        if wrong:
            ways.reverse()
    return ways


_MOST_CONTRARY = 1.08
"""The network's doubt of the page as turned, over that as it is, up to which a page may be turned: so much the letters
outweigh."""
_LEAST_GAIN = 0.5
"""Gain in lean that it takes to turn a page, however sure the network is."""
_TURNING_WEIGHT = 10.0
"""Logarithm of odds that a page's doubt, e times as large, adds to the evidence for turning it."""


def _evidence_for_turning(found: Found, other: Found) -> float:
    """How likely a page is upright as in ``other`` and not, the other way up, as in ``found``: logarithm of odds.

    It decides what is taken for upright without reading: −∞ where the letters or the network speak against it.
    """
    gain = other.lean - found.lean
    if other.doubt <= 0 or other.doubt > _MOST_CONTRARY * found.doubt or gain < _LEAST_GAIN:
        return -np.inf
    return gain / 2 + _TURNING_WEIGHT * float(np.log(found.doubt / other.doubt))


_LEAVING_WEIGHT = 5.0
"""Logarithm of odds that the doubt of the other way up, e times as large, adds to the evidence for leaving a page."""


def _evidence_for_leaving(found: Found, other: Found) -> float:
    """How likely a page is upright as in ``found`` and not, the other way up, as in ``other``: logarithm of odds.

    It decides whether reading both ways is saved: ∞ where nothing can be made of ``other``. Letters and network may
    speak against each other here.
    """
    if not 0 < other.doubt < np.inf:
        return np.inf
    return found.lean - other.lean + _LEAVING_WEIGHT * float(np.log(other.doubt / found.doubt))
