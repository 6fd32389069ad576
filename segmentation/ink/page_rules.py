"""The rules of a page: those that part columns, those that part rows, and the lines of ruled paper."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from segmentation.ink.pale_rules import pale_rules
from segmentation.ink.ruled_paper import ruled_ink, ruled_lines
from segmentation.ink.rules import Rule, find_rules, rule_ink


@dataclass(frozen=True)
class Rules:
    """Rules of a level page.

    Attributes:
        upright: from left to right.
        level: those of the page turned on its side, so that a row of the one is a column of the other; from the top.
            Only those that may part the rows of a table.
        ruled: likewise, the lines of ruled paper, on which letters stand.
    """

    upright: tuple[Rule, ...] = ()
    level: tuple[Rule, ...] = ()
    ruled: tuple[Rule, ...] = ()

    def ink(self, on_page: np.ndarray) -> np.ndarray:
        """What they are of the ink on a page: bool (h, w)."""
        on_side = on_page.T
        return rule_ink(on_page, self.upright) | rule_ink(on_side, self.level).T | ruled_ink(on_side, self.ruled).T


_LEVEL_ALONE = 0.5
"""Least share of a level rule's columns with ink that is no thicker than a rule: letters may stand on the others."""
_LEVEL_INKED = 0.75
"""Least share of a level rule that is ink, letters included: the feet of a line of letters have gaps. Ruled lines of a
page have .81 and more, its lines of writing at most .53."""
_BETWEEN_ROWS = 0.85
"""Least share of a level rule that no letter touches, for it to part the rows of a table."""
_FRAMED = 3
"""Least number of upright rules on a sheet whose level rules may part rows; on others letters stand on them."""


def rules_of(flat: np.ndarray, ink: np.ndarray) -> Rules:
    """The rules of a level page: upright ones of its ink, and pale ones; level ones of its ink.

    They may lean, waver, fade or break into short pieces. Level ones are taken on ruled paper and in tables only; what
    else is long and level, such as an underline, `segmentation.ink.cleaning.remove_long_strokes` takes out.

    Args:
        flat: uint8 (h, w), on even paper.
        ink: bool (h, w).
    """
    upright = _upright_rules(flat, ink)
    level = find_rules(ink.T, _LEVEL_ALONE, _LEVEL_INKED)
    between_rows = [r for r in level if r.alone >= _BETWEEN_ROWS] if len(upright) >= _FRAMED else []
    return Rules(tuple(upright), tuple(between_rows), ruled_lines(level, ink.shape))


_MOST_PALE = 12
"""Greatest number of pale rules on a page; more are the threads of coarse paper, and then no pale one is taken."""


def _upright_rules(flat: np.ndarray, ink: np.ndarray) -> list[Rule]:
    found = find_rules(ink | pale_rules(flat, ink))
    rules = [replace(rule, inked=float(np.mean(ink[rule.pixels(ink.shape[1])]))) for rule in found]
    inked = [rule for rule in rules if not rule.is_pale]
    return rules if len(rules) - len(inked) <= _MOST_PALE else inked
