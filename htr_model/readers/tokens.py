"""Running text of tokens that stand apart from their punctuation."""

from __future__ import annotations

import re

_ATTACHED = re.compile(r"[.,;:!?)]|'(s|re|ve|ll|d|m|t)\b")
"""Tokens that stand without a space behind the word before them."""


def join_tokens(tokens: list[str]) -> str:
    """Running text of tokens that were split from their punctuation, as IAM's are (``You 're here .``)."""
    return " ".join("".join(tokens[i] for i in word) for word in token_groups(tokens))


def token_groups(tokens: list[str]) -> list[list[int]]:
    """Indices of the tokens of each word, where punctuation and ``'re`` are tokens of their own, as IAM's are."""
    words: list[list[int]] = []
    open_quote = False
    glue = False
    for index, token in enumerate(tokens):
        quote = token == '"'
        if words and (glue or (quote and open_quote) or _ATTACHED.match(token)):
            words[-1].append(index)
        else:
            words.append([index])
        if quote:
            open_quote = not open_quote
        glue = token == "(" or (quote and open_quote)
    return words


def running_text(line: dict) -> str:
    """Text of a line as ``pages.jsonl`` describes it: of its words where they are the whole line, as writing has it."""
    words = whole_words(line)
    return join_tokens([word["text"] for word in words]) if words else str(line.get("text") or "")


def whole_words(line: dict) -> list[dict]:
    """The words that a line's description holds, where they are the whole line, else none. Some ground truths box only
    the words of a line that were squeezed in, or read them in another way than the line.
    """
    text, words = str(line.get("text") or ""), line.get("words") or []
    spelt = "".join("".join(word["text"] for word in words).split())
    return words if not text or spelt == "".join(text.split()) else []
