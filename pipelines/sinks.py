"""Where rows go: Parquet by Beam's sink, and the commit file after all of them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.io.parquetio import WriteToParquet

from pipelines import runs
from pipelines.files import join
from pipelines.records import TABLES


class WriteTable(beam.PTransform):
    """Rows (dicts) of one table → Parquet files of this run; gives the files' names."""

    def __init__(self, output: str, table: str, run_id: str):
        super().__init__()
        self._prefix = join(runs.table_folder(output, table, run_id), "part")
        self._schema = TABLES[table]

    def expand(self, rows):
        return rows | WriteToParquet(self._prefix, self._schema, codec="zstd", file_name_suffix=".parquet")


@dataclass(frozen=True)
class CommitRun(beam.PTransform):
    """The commit: written when every table is.

    Attributes:
        record: the run, its counts and end still open.
    """

    output: str
    record: runs.RunRecord

    def expand(self, tables: dict[str, tuple]):
        """``tables``: name → (rows, names of the files written)."""
        pipeline = next(iter(tables.values()))[0].pipeline
        counts = {
            f"{name}_count": beam.pvalue.AsSingleton(rows | f"Count{name.title()}" >> beam.combiners.Count.Globally())
            for name, (rows, _) in tables.items()
        }
        # Side inputs are whole before the step that takes them runs: that is what makes the commit the last step.
        written = {f"{name}_files": beam.pvalue.AsList(files) for name, (_, files) in tables.items()}
        return (
            pipeline
            | "CommitOnce" >> beam.Create([self.record])
            | "Commit" >> beam.Map(_commit, self.output, **counts, **written)
        )


def _commit(record: runs.RunRecord, output: str, **side) -> str:
    from dataclasses import replace

    counts = {name: int(side[f"{name}_count"]) for name in TABLES}
    finished = datetime.datetime.now(datetime.timezone.utc).isoformat()
    runs.commit(output, replace(record, counts=counts, finished_at=finished))
    return record.run_id
