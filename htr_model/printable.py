"""Texts that tables and terminals can hold."""

from __future__ import annotations


def printable(text: str) -> str:
    """The same text, as of a path, with escapes for bytes of a name that are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()
