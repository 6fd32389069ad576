"""What the documents say that the code can check."""

import re
from pathlib import Path

import pytest

from pipelines.archive.rows import TABLES

REPOSITORY = Path(__file__).parents[1]


@pytest.mark.parametrize("table", TABLES)
def test_every_column_is_described_in_its_order(table):
    section = (
        (REPOSITORY / "docs" / "tables.md").read_text(encoding="utf-8").split(f"\n## {table}\n")[1].split("\n## ")[0]
    )
    rows = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == TABLES[table].names


def test_documents_link_to_files_that_are_there():
    documents = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
    for document in documents:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
