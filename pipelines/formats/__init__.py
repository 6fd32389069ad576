"""Pages that were read, in the formats of other programs. One page a file."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.archive.transcripts import Transcript
from pipelines.formats.alto import to_alto
from pipelines.formats.page_xml import to_page
from pipelines.formats.text import to_csv, to_text

FORMATS: dict[str, tuple[str, Callable[[Transcript], bytes | None]]] = {
    "text": (".txt", to_text),
    "alto": (".alto.xml", to_alto),
    "page": (".page.xml", to_page),
    "csv": (".csv", to_csv),
}
"""Ending of the files, and what writes one, by name of the format; None for a page that the format has nothing of."""
