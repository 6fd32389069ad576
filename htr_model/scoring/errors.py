"""What a recogniser gets wrong: which characters it takes for which, in whose writing and in how long words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from htr_model.scoring.metrics import ErrorRates, error_rates


@dataclass(frozen=True)
class Outcome:
    """One picture's true text and what was read; ``writer`` and ``collection`` where known."""

    truth: str
    prediction: str
    writer: str | None = None
    collection: str = ""


Chunk = tuple[str, str]
"""What was written and what was read in its place; either may be empty."""


def align(truth: str, prediction: str) -> list[Chunk]:
    """A shortest alignment, chunk by chunk: equal characters one by one, and errors.

    An error is one character for another, one for two or two for one where such stand alone among right ones
    (``rn`` read as ``m``), a missing character ``(c, "")``, or one too many ``("", c)``.
    """
    chunks: list[Chunk] = []
    for tag, a, b, c, d in _blocks(truth, prediction):
        written, read = truth[a:b], prediction[c:d]
        if tag == "equal":
            chunks += [(character, character) for character in written]
        elif {len(written), len(read)} == {1, 2}:
            chunks.append((written, read))
        else:
            chunks += _singles(written, read)
    return chunks


def _blocks(truth: str, prediction: str) -> list[tuple[str, int, int, int, int]]:
    """Spans of a shortest alignment, equal ones and ``error`` ones by turns."""
    blocks: list[tuple[str, int, int, int, int]] = []
    for operation in Levenshtein.opcodes(truth, prediction):
        tag = "equal" if operation.tag == "equal" else "error"
        a, b, c, d = operation.src_start, operation.src_end, operation.dest_start, operation.dest_end
        if blocks and blocks[-1][0] == tag:
            _, a, _, c, _ = blocks.pop()
        blocks.append((tag, a, b, c, d))
    return blocks


def _singles(written: str, read: str) -> list[Chunk]:
    """An error block character by character, in order; what one side has more stands alone."""
    both = min(len(written), len(read))
    pairs = list(zip(written[:both], read[:both], strict=True))
    return pairs + [(c, "") for c in written[both:]] + [("", c) for c in read[both:]]


def confusions(outcomes: Iterable[Outcome]) -> Counter[Chunk]:
    """How often each error of `align` occurs."""
    return Counter(c for o in outcomes for c in align(o.truth, o.prediction) if c[0] != c[1])


def kind(chunk: Chunk) -> str:
    """``substitution``, ``deletion`` (written, not read) or ``insertion`` (read, not written)."""
    if not chunk[1]:
        return "deletion"
    return "substitution" if chunk[0] else "insertion"


@dataclass(frozen=True)
class CharacterErrors:
    """How one character fares.

    Attributes:
        written: times it stands in the truth.
        read: times it stands in the predictions.
        right: times both agree on it.
    """

    written: int
    read: int
    right: int

    @property
    def error_rate(self) -> float:
        """Share of its true occurrences that were read wrong or not at all, 0–1."""
        return 1 - self.recall

    @property
    def recall(self) -> float:
        return self.right / max(1, self.written)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.read)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, self.written + self.read)


def by_character(outcomes: Iterable[Outcome]) -> dict[str, CharacterErrors]:
    """Errors of every character that was written or read, the most frequently written first."""
    written, read, right = Counter(), Counter(), Counter()
    for outcome in outcomes:
        written.update(outcome.truth)
        read.update(outcome.prediction)
        right.update(a for a, b in align(outcome.truth, outcome.prediction) if a == b)
    order = sorted(written | read, key=lambda c: (-written[c], c))
    return {c: CharacterErrors(written[c], read[c], right[c]) for c in order}


def by_writer(outcomes: Iterable[Outcome]) -> dict[str, ErrorRates]:
    """Error rates of each writer that is named, ``collection/writer``, the worst read first."""
    named = [o for o in outcomes if o.writer]
    rates = _grouped(named, lambda o: f"{o.collection}/{o.writer}" if o.collection else o.writer)
    return dict(sorted(rates.items(), key=lambda item: (-item[1].cer, item[0])))


_SINGLE_LENGTHS = 20
"""Up to so many characters every length is a group of its own; longer texts are grouped by tens."""


def by_collection(outcomes: Iterable[Outcome]) -> dict[str, ErrorRates]:
    """Error rates of each collection, by name."""
    return dict(sorted(_grouped(outcomes, lambda o: o.collection).items()))


def by_length(outcomes: Iterable[Outcome]) -> dict[str, ErrorRates]:
    """Error rates by the number of characters in the truth, shortest first: ``1`` … ``20``, ``21-30``, …"""
    groups = _grouped(outcomes, lambda o: len(o.truth) if len(o.truth) <= _SINGLE_LENGTHS else _tens(len(o.truth)))
    return {(str(n) if n <= _SINGLE_LENGTHS else f"{n}-{n + 9}"): r for n, r in sorted(groups.items())}


def _tens(length: int) -> int:
    """First length of the group of ten."""
    return (length - 1) // 10 * 10 + 1


def _grouped(outcomes: Iterable[Outcome], key: Callable) -> dict:
    groups: dict = defaultdict(list)
    for outcome in outcomes:
        groups[key(outcome)].append(outcome)
    return {name: rates(members) for name, members in groups.items()}


def rates(outcomes: list[Outcome]) -> ErrorRates:
    """Error rates of all outcomes together."""
    return error_rates([o.truth for o in outcomes], [o.prediction for o in outcomes])


def edit_distances(outcomes: Iterable[Outcome]) -> Counter[int]:
    """How many pictures were read with how many character edits."""
    return Counter(Levenshtein.distance(o.truth, o.prediction) for o in outcomes)
