"""Texts of whole pages: what is the same in two of them, and how many words they share whatever their order."""

from __future__ import annotations

import re
from collections import Counter

from htr_model.charset import canonical_text


def comparable(text: str) -> str:
    """Text with single spaces, look-alike marks made one, and no space before punctuation (IAM's tokens have one)."""
    text = canonical_text(text)
    text = re.sub(r" ([.,;:!?)'])", r"\1", text)
    return re.sub(r"([(]) ", r"\1", text)


def shared_words(truth: str, prediction: str) -> int:
    """Number of words, divided at spaces, that both texts hold, whatever their order; each as often as in both."""
    return (Counter(truth.split()) & Counter(prediction.split())).total()
