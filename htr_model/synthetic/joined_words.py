"""Lines put together from pictures of single words, where those name their form and line, as IAM's do.

IAM shows more hands in words than any set of lines does; but a recogniser that has read words alone neither writes
spaces nor expects neighbours. Where a word stands in its line is not known, only the box of its ink: which of its
letters rise above the others or hang below them tells how the box lies on the baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

import cv2
import numpy as np

from htr_model.data.samples import Item, Sample, Skipped
from htr_model.readers.tokens import join_tokens, token_groups

_EXTENTS = {
    **dict.fromkeys("bdfhklABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!?#&%£$/", (0.0, 1.9)),
    **dict.fromkeys("tiéèêà", (0.0, 1.6)),
    **dict.fromkeys("gpqy", (-0.9, 1.0)),
    "j": (-0.9, 1.6),
    ".": (0.0, 0.25),
    ",": (-0.4, 0.25),
    ":": (0.0, 0.9),
    ";": (-0.4, 0.9),
    "-": (0.4, 0.6),
    **dict.fromkeys("'\"*", (1.2, 1.9)),
    **dict.fromkeys("()", (-0.5, 1.9)),
}
"""How far characters reach from the baseline, in x-heights, down and up; others stand between 0 and 1."""
_TELLING = 0.8
"""X-heights that a word must be high for its picture to tell how large the writing is."""
_GAP, _CLOSE = (0.7, 1.8), (0.1, 0.5)
"""Between words, and between a word and its punctuation, in x-heights."""
_JITTER = 0.12
"""Of a word's height over the line, in x-heights (standard deviation)."""
_FEWEST, _MOST = 2, 12
"""Words of a line; longer ones become several."""


def joined_lines(items: Iterable[Item], seed: int) -> Iterator[Item]:
    """Lines of the words of each form and line, in the order of their ids; what is `Skipped` stays so, and words that
    stand alone are.

    A word's id ends in its number, and what stands before the last hyphen names its line (``a01-000u-00-03``).

    Args:
        seed: of the gaps and heights.
    """
    words = []
    for item in items:
        if isinstance(item, Skipped):
            yield item
        else:
            words.append(item)
    words.sort(key=lambda word: word.id)
    for number, (line, members) in enumerate(groupby(words, key=lambda word: word.id.rpartition("-")[0])):
        members = list(members)
        for first in range(0, len(members), _MOST):
            part = members[first : first + _MOST]
            if line and len(part) >= _FEWEST:
                yield _joined(f"{line}+{first}" if first else line, part, np.random.default_rng([seed, number, first]))
            else:
                yield from (
                    Skipped(word.id, "no other word of its line" if line else "no line in its id") for word in part
                )


def _joined(name: str, words: list[Sample], rng: np.random.Generator) -> Sample:
    extents = [_extent(word.text) for word in words]
    heights = [word.gray.shape[0] / (up - down) for word, (down, up) in zip(words, extents, strict=True)]
    telling = [h for h, (down, up) in zip(heights, extents, strict=True) if up - down >= _TELLING]
    x_height = float(np.median(telling or heights))
    texts = [word.text for word in words]
    last_of_group = {group[-1] for group in token_groups(texts)}
    placed, left = [], 0
    for i, (word, (down, up)) in enumerate(zip(words, extents, strict=True)):
        middle = -x_height * (0.5 * (down + up) + rng.normal(0, _JITTER))
        placed.append((left, round(middle - word.gray.shape[0] / 2), word.gray))
        gap = rng.uniform(*(_GAP if i in last_of_group else _CLOSE))
        left += word.gray.shape[1] + max(1, round(gap * x_height))
    top = min(y for _, y, _ in placed)
    bottom = max(y + gray.shape[0] for _, y, gray in placed)
    width = placed[-1][0] + placed[-1][2].shape[1]
    line = np.full((bottom - top, width), 255, np.uint8)
    for x, y, gray in placed:
        part = line[y - top : y - top + gray.shape[0], x : x + gray.shape[1]]
        cv2.min(part, gray, dst=part)
    first = words[0]
    return Sample(name, join_tokens(texts), line, first.collection, first.writer, first.group, first.split)


def _extent(text: str) -> tuple[float, float]:
    """How far a word reaches from its baseline, down and up, in x-heights."""
    downs, ups = zip(*(_EXTENTS.get(character, (0.0, 1.0)) for character in text), strict=True)
    return min(downs), max(ups)
