"""Names of the pictures of pages."""

from __future__ import annotations

import re

ENDING = ".jpg"


def picture_name(name: str, sha256: str, rotation: int) -> str:
    """Name of the picture of a page. Another scan of the page, or another way up, has another name, so that a
    correction keeps the picture on which it was made.

    Args:
        name: of the page (`transcripts.Transcript`).
        sha256, rotation: as in `transcripts.Source`.
    """
    turn = f"-{rotation}" if rotation else ""
    return f"{name}-{sha256[:6]}{turn}{ENDING}"


_PICTURE = re.compile(r"(.+)-[0-9a-f]{6}(?:-\d+)?\.jpg")


def page_of(picture: str) -> str | None:
    """Name of the page that a file's name is the picture of, as `picture_name` makes it; None for other files."""
    named = _PICTURE.fullmatch(picture)
    return named and named[1]
