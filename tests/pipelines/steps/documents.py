"""Files as the steps of a job are given them."""

from pathlib import Path

from pipelines.inputs import Document


def document(path: Path, content: bytes, done=()) -> Document:
    """A document that holds some bytes, of whose pages some are done."""
    path.write_bytes(content)
    return Document(str(path), len(content), 1.0, frozenset(done))
