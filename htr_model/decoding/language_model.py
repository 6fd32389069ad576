"""What is known of the language, to be weighed in by the beam search: character n-grams or a word list.

Both are soft: a word that nobody has seen costs some probability and stays possible. Symbols are classes of a bundle's
charset, states are whatever a model wants to know of the text so far, factors are what `beam_search.LanguageModel`
asks for. Line breaks count as spaces, since where a line of writing ends says nothing of the language.
"""

from __future__ import annotations

from htr_model.charset import Charset, canonical_text
from htr_model.decoding.arpa import is_arpa, read_arpa
from htr_model.decoding.counting import count_ngrams
from htr_model.decoding.errors import LanguageModelError
from htr_model.decoding.lexicon import Lexicon
from htr_model.decoding.ngram_file import from_bytes, is_ngram_file
from htr_model.decoding.ngrams import CharacterNgrams

MAX_BYTES = 64_000_000
"""Larger files are refused: counting more text takes minutes on every worker and improves little."""


def parse(data: bytes, charset: Charset, weight: float) -> CharacterNgrams | Lexicon:
    """The language model in a file: counted n-grams (`ngram_file`), an ARPA file, running text, or a word list.

    A text with one word a line is a word list; one whose first lines hold ``\\data\\`` is ARPA.

    Args:
        weight: exponent of the model's probabilities, 0 (no effect) …; usually `settings.LANGUAGE_WEIGHT`.

    Raises:
        LanguageModelError: the file is too large, not UTF-8, empty, or damaged.
    """
    if is_ngram_file(data):
        return CharacterNgrams(charset, from_bytes(data), weight)
    text = decoded_text(data)
    if is_arpa(text):
        return CharacterNgrams(charset, read_arpa(text, charset), weight)
    lines = [line for line in text.splitlines() if line.strip()]
    if not any(canonical_text(line) for line in lines):
        raise LanguageModelError("is empty")
    if all(len(line.split()) == 1 for line in lines):
        return Lexicon(charset, lines, weight)
    return CharacterNgrams(charset, count_ngrams(text, charset.symbols), weight)


def decoded_text(data: bytes) -> str:
    """The text in a file.

    Raises:
        LanguageModelError: it is too large or not UTF-8.
    """
    if len(data) > MAX_BYTES:
        raise LanguageModelError(f"holds {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LanguageModelError(f"is not text in UTF-8 ({error.reason} at byte {error.start})") from error
