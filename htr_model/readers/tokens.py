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
