"""Names of files as text."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text, as a path, that tables and terminals can hold: bytes of a name that are not UTF-8 become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()
