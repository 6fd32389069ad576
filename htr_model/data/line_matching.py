"""Which of a page's known lines each line is that was read there.

Transcriptions often say what a page says and not where. What a recogniser reads in the lines that were found tells
which is which, even where a third of its letters are wrong.
"""

from __future__ import annotations

import re

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

_ALIKE = 0.45
"""Share of letters that differ (edits over the longer text) up to which a line is taken for one of those known."""
_BETWEEN = 0.75
"""The same where its neighbours are known, and it is about as long."""
_UNMATCHED = 0.42
"""Cost of a line without partner, where two that differ in all letters cost 1."""
_OUT_OF_ORDER = 0.35
"""Share of letters that differ up to which a line may stand elsewhere: in another column, or beside the text."""
_SHORTEST = 6
"""Letters that such a line must have: a date or a number may stand anywhere."""
_LONGEST_END = 2
"""Letters at either end that only one of both may have: more, and the picture shows another stretch of text."""
_OF_EDITORS = re.compile(r"[\[\]{}<>|]")
"""What transcribers add: lines with doubtful, deleted or inserted words are left alone."""


def match_lines(known: list[str], read: list[str]) -> dict[int, int]:
    """For lines that were read the known line that they are, by their numbers; the doubtful ones are not there.

    In order first (Needleman and Wunsch 1970, on the lines' edit distances), then single lines that stand elsewhere.

    Args:
        known: a page's lines as transcribed, in reading order.
        read: the lines that were found, in reading order.
    """
    if not known or not read:
        return {}
    plain_known, plain_read = [_plain(line) for line in known], [_plain(line) for line in read]
    differing = cdist(plain_read, plain_known, scorer=Levenshtein.normalized_distance, dtype=np.float32)
    pairs = _in_order(differing)
    free_read, free_known = set(range(len(read))) - pairs.keys(), set(range(len(known))) - set(pairs.values())
    alike = np.argwhere(differing <= _OUT_OF_ORDER).tolist()
    for i, j in sorted(alike, key=lambda pair: differing[pair[0], pair[1]]):
        if i in free_read and j in free_known and len(plain_known[j]) >= _SHORTEST:
            pairs[i] = j
            free_read.remove(i)
            free_known.remove(j)
    sure = {i for i, j in pairs.items() if differing[i, j] <= _ALIKE}
    return {
        i: j
        for i, j in sorted(pairs.items())
        if (i in sure or _held_by_neighbours(i, pairs, sure, plain_read, plain_known, differing))
        and _ends_agree(plain_read[i], plain_known[j])
        and not _OF_EDITORS.search(known[j])
    }


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _in_order(differing: np.ndarray) -> dict[int, int]:
    """The pairs of least cost that do not cross: row to column."""
    rows, columns = differing.shape
    cost = np.zeros((rows + 1, columns + 1))
    cost[:, 0] = _UNMATCHED * np.arange(rows + 1)
    cost[0] = _UNMATCHED * np.arange(columns + 1)
    for i in range(rows):
        for j in range(columns):
            alone = min(cost[i, j + 1], cost[i + 1, j]) + _UNMATCHED
            cost[i + 1, j + 1] = min(cost[i, j] + differing[i, j], alone)
    pairs = {}
    i, j = rows, columns
    while i and j:
        if cost[i, j] == cost[i - 1, j - 1] + differing[i - 1, j - 1]:
            i, j = i - 1, j - 1
            pairs[i] = j
        elif cost[i, j] == cost[i - 1, j] + _UNMATCHED:
            i -= 1
        else:
            j -= 1
    return pairs


def _held_by_neighbours(
    i: int, pairs: dict[int, int], sure: set[int], read: list[str], known: list[str], differing: np.ndarray
) -> bool:
    """Whether a line stands between two that are sure, on both sides, and may be read badly itself."""
    j = pairs[i]
    beside = all(n in sure and pairs[n] == j + n - i for n in (i - 1, i + 1))
    as_long = 0.7 < len(read[i]) / max(1, len(known[j])) < 1.4
    return beside and as_long and differing[i, j] <= _BETWEEN


def _ends_agree(read: str, known: str) -> bool:
    """Whether both begin and end at the same place of the page: no word more, and none broken at the line's end that
    the transcriber made whole."""
    if read.endswith(("-", "=")) and not known.endswith(("-", "=", "—", "–")):
        return False
    changes = Levenshtein.opcodes(read, known)
    if not changes:  # blank lines, which tell nothing
        return False
    return all(
        change.tag in ("equal", "replace")
        or max(change.src_end - change.src_start, change.dest_end - change.dest_start) <= _LONGEST_END
        for change in (changes[0], changes[-1])
    )
