"""Words found in an archive though they were misread.

A word is found where its text, a part of it between apostrophes and hyphens, or another reading that the recogniser
kept, is within a few edits of what is looked for. Case, accents and the punctuation around a word make no difference.
A word that is divided at the end of a line is looked at whole.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz.distance import Levenshtein

from pipelines.archive import tables
from pipelines.archive.reading import Archive
from pipelines.archive.transcripts import Transcript
from pipelines.corrections import Corrections
from pipelines.page_text import Word, line_text

_LETTERS_AN_EDIT = 4
"""Letters of a word for each edit that is allowed unless the caller says: a word of three must fit exactly."""
_COST_OF_EDIT = 0.1
"""What an edit takes from a hit's score: as much as a reading of nine tenths against one of full confidence."""


@dataclass(frozen=True)
class Term:
    """A word that is looked for.

    Attributes:
        text: as `plain` gives it.
        edits: letters that may be changed, left out or put in.
    """

    text: str
    edits: int

    def distance(self, text: str) -> int | None:
        """Edits between the term and a text as it was read, or a part of that (`été` of `l'été`).

        None where there are more than allowed.
        """
        found = min(Levenshtein.distance(self.text, part, score_cutoff=self.edits) for part in _parts(text))
        return found if found <= self.edits else None

    def may_begin(self, text: str) -> bool:
        """Whether a text with a hyphen behind it may be the beginning of the term, divided at the end of a line."""
        if not text.endswith(tuple(_HYPHENS)):
            return False
        return any(
            Levenshtein.distance(self.text[: max(0, n)], part, score_cutoff=self.edits) <= self.edits
            for part in _parts(text)
            for n in range(len(part) - self.edits, len(part) + self.edits + 1)
        )


@dataclass(frozen=True)
class Hit:
    """Where the words that were looked for stand, one behind another.

    Attributes:
        page: the page.
        words: the words that were found.
        lines: the lines in which they stand.
        reading: the texts that fitted, which may be alternatives of what was read.
        edits: letters by which they differ from what was looked for.
        score: 0–1, falling with edits and with the recogniser's doubt.
    """

    page: Transcript
    words: tuple[Word, ...]
    lines: tuple[tuple[Word, ...], ...]
    reading: str
    edits: int
    score: float

    @property
    def line(self) -> int | None:
        """Number of the line of the first of the words, from 0, as the tables count; None of a line that was drawn."""
        return self.words[0].line

    @property
    def context(self) -> str:
        """What the lines say."""
        return " ".join(map(line_text, self.lines))


_JOINT = re.compile("['-]")
_HYPHENS = "-‐‑–—¬="
"""Signs at the end of a line behind which a word goes on in the next one."""
_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_ALIKE = str.maketrans({"œ": "oe", "æ": "ae", **dict.fromkeys("’ʼ‘`´", "'"), **dict.fromkeys("‐‑‒–—", "-")})


def plain(text: str) -> str:
    """A word without case, accents, ligatures and the punctuation around it; a word of punctuation alone stays."""
    folded = unicodedata.normalize("NFKD", text.casefold().translate(_ALIKE)).casefold()
    letters = "".join(c for c in folded if not unicodedata.combining(c))
    return _AROUND.sub("", letters) or letters


def _parts(text: str) -> set[str]:
    """A word as `plain` gives it, and what stands between its apostrophes and hyphens."""
    whole = plain(text)
    return {whole, *filter(None, _JOINT.split(whole))}


def terms(query: str, edits: int | None = None) -> list[Term]:
    """The words of a query.

    Args:
        edits: allowed in each word, but fewer than it has letters; None: one for four of its letters.
    """
    words = list(filter(None, (plain(word) for word in query.split())))
    return [Term(word, len(word) // _LETTERS_AN_EDIT if edits is None else min(edits, len(word) - 1)) for word in words]


def search(
    archive: Archive, wanted: Sequence[Term], most: int, corrections: Corrections | None = None
) -> tuple[int, list[Hit]]:
    """Places where the terms stand one behind another, across the ends of lines too.

    Args:
        most: places to give.
        corrections: pages that were saved there count as they were corrected.

    Returns:
        How many there are, and the surest of them, the surest first.

    Raises:
        UsageError: a table is damaged, or lacks rows.
    """
    candidates = _pages_with_all(archive, wanted)
    if corrections:
        candidates |= _pages_saved(archive, corrections)
    count, surest = 0, []
    for page in replace(archive, pages=archive.pages.take(pa.array(sorted(candidates), pa.int64()))).transcripts():
        hits = list(_in(corrections.applied(page) if corrections else page, wanted))
        count += len(hits)
        # A common word has more places than fit into memory.
        surest = sorted([*surest, *hits], key=_rank)[:most]
    return count, surest


def _rank(hit: Hit) -> tuple[float, str, int, int]:
    ref = hit.page.source.ref
    return -hit.score, ref.uri, ref.page_index, -1 if hit.line is None else hit.line


def _pages_saved(archive: Archive, corrections: Corrections) -> set[int]:
    """Rows of the archive's pages of which there are corrections."""
    return {i for i, name in enumerate(archive.names()) if corrections.holds(name)}


def _pages_with_all(archive: Archive, wanted: Sequence[Term]) -> set[int]:
    """Rows of the pages that hold each of the terms somewhere; so most pages' words need not be put together.

    Raises:
        UsageError: the table is damaged, or lacks rows.
    """
    columns = ["document_uri", "page_index", "run_id", "text", "alternatives"]
    places = {key: i for i, key in enumerate(zip(*(archive.pages[c].to_pylist() for c in columns[:3]), strict=True))}
    found: list[set[int]] = [set() for _ in wanted]
    run_ids, rows = set(archive.pages["run_id"].to_pylist()), Counter()
    for part in tables.parts(archive.output, "words", run_ids, columns):
        rows += tables.rows_of_runs(part)
        for term, pages in zip(wanted, found, strict=True):
            for row in part.filter(_may_say(part, term)).select(columns[:3]).to_pylist():
                place = places.get(tuple(row.values()))
                if place is not None:  # not of a page that was read again later
                    pages.add(place)
    tables.check_whole(archive.output, "words", [r for r in archive.records if r.run_id in run_ids], rows)
    return set.intersection(*found)


def _may_say(words: pa.Table, term: Term) -> pa.ChunkedArray:
    """For each row whether the text or an alternative fits or may begin what does; every different text is compared
    once."""

    def fits(texts) -> pa.Array:
        different = filter(None, texts.unique().to_pylist())
        fitting = [text for text in different if term.distance(text) is not None or term.may_begin(text)]
        return pc.is_in(texts, pa.array(fitting, pa.string()))

    others = words["alternatives"].combine_chunks()
    rows = pc.list_parent_indices(others).filter(fits(pc.struct_field(pc.list_flatten(others), "text")))
    return pc.or_(fits(words["text"]), pc.is_in(pa.array(range(len(words)), rows.type), rows))


@dataclass(frozen=True)
class _Fit:
    """A term in a page: the word that fits it, or the two halves of one; its text, edits and score."""

    words: tuple[Word, ...]
    text: str
    edits: int
    score: float


def _in(page: Transcript, wanted: Sequence[Term]) -> Iterator[Hit]:
    words = [word for line in page.lines for word in line]
    numbers = [i for i, line in enumerate(page.lines) for _ in line]
    for first in range(len(words)):
        fits: list[_Fit] = []
        at = first
        for term in wanted:
            fit = _best(words[at : at + 1], term) or _best(_divided(words, numbers, at), term)
            if fit is None:
                break
            fits.append(fit)
            at += len(fit.words)
        found = words[first:at]
        # Texts of one region: two columns that stand side by side say nothing together.
        if len(fits) < len(wanted) or len({word.region for word in found}) > 1:
            continue
        yield Hit(
            page,
            tuple(found),
            page.lines[numbers[first] : numbers[at - 1] + 1],
            " ".join(fit.text for fit in fits),
            sum(fit.edits for fit in fits),
            round(math.prod(fit.score for fit in fits), 4),
        )


def _divided(words: Sequence[Word], numbers: Sequence[int], at: int) -> Sequence[Word]:
    """The halves of a word that goes on in the next line; none where it does not."""
    halves = words[at : at + 2]
    goes_on = len(halves) == 2 and numbers[at] < numbers[at + 1] and halves[0].text.endswith(tuple(_HYPHENS))
    return halves if goes_on else ()


def _best(halves: Sequence[Word], term: Term) -> _Fit | None:
    """The reading of a word that fits a term best."""
    readings = [("", 1.0)]
    for word in halves:
        others = [(word.text, word.confidence), *((other.text, other.confidence) for other in word.alternatives)]
        readings = [(f"{said.rstrip(_HYPHENS)}{text}", sure * own) for said, sure in readings for text, own in others]
    fits = [(text, edits, sure) for text, sure in readings if (edits := term.distance(text)) is not None]
    scored = [_Fit(tuple(halves), text, n, max(0.0, sure * (1 - _COST_OF_EDIT * n))) for text, n, sure in fits]
    return max(scored, key=lambda fit: fit.score, default=None)
