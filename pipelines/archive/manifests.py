"""Manifests of compactions: which runs' rows lie in which compacted files.

A manifest, ``compacted/<id>.json``, is one file: the moment it is there, `pipelines.archive.tables` takes the rows of
its runs from the compacted files, and never from both places.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pipelines.archive.places import COMPACTIONS, manifest_path, staged, table_folder
from pipelines.archive.run_names import is_run_name
from pipelines.errors import UsageError
from pipelines.files import join, matching, read_bytes, write_bytes

REPLACED = b"-"
"""What takes the place of a file that a compaction replaces: no Parquet, and not empty, for Beam cannot write an empty
object to S3."""


@dataclass(frozen=True)
class Compaction:
    """Many runs' rows in few files.

    Attributes:
        id: name of the compaction; its rows lie in the folders ``run=<id>``.
        runs: whose rows it holds.
        replaces: ids of the runs and earlier compactions whose folders it stands for.
        files: names of its files by table, as they are called once it is published.
        rows: number of rows by table.
        published: whether plain globs see its files, and no longer those that it replaces.
    """

    id: str
    runs: tuple[str, ...]
    replaces: tuple[str, ...]
    files: dict[str, tuple[str, ...]]
    rows: dict[str, int]
    published: bool

    def paths(self, output: str, table: str) -> list[str]:
        """Where its rows of a table are to be read."""
        folder = table_folder(output, table, self.id)
        return [join(folder, name if self.published else staged(name)) for name in self.files[table]]


def write_manifest(output: str, compaction: Compaction) -> None:
    """Make a compaction count."""
    content = json.dumps(asdict(compaction), indent=1).encode()
    write_bytes(manifest_path(output, compaction.id), content, lasting=True)


def compactions(output: str) -> list[Compaction]:
    """Compactions that count and that no later one replaces.

    Raises:
        UsageError: a manifest is damaged.
    """
    found = []
    for listed in matching(join(output, COMPACTIONS, "*.json")):
        try:
            content = json.loads(read_bytes(listed.path))
            names = {table: tuple(names) for table, names in content["files"].items()}
            lists = {name: tuple(content[name]) for name in ("runs", "replaces")}
            found.append(_checked(Compaction(**{**content, **lists, "files": names})))
        except FileNotFoundError:
            continue  # replaced since it was listed; the caller's own read finds out
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise UsageError(f"{listed.path}: damaged manifest of a compaction ({error}); restore it") from error
    replaced = {name for compaction in found for name in compaction.replaces}
    return [compaction for compaction in found if compaction.id not in replaced]


def _checked(compaction: Compaction) -> Compaction:
    """The compaction, if every name in it stays in its folder.

    Raises:
        ValueError: one would lead elsewhere.
    """
    runs_named = {compaction.id, *compaction.runs, *compaction.replaces}
    files_named = {name for names in compaction.files.values() for name in names}
    odd = sorted(n for n in runs_named if not is_run_name(n)) + sorted(n for n in files_named if set(n) & set("/\\"))
    if odd:
        raise ValueError(f"{odd[0]!r} is no name of a run or a file")
    return compaction
