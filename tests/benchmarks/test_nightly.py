from benchmarks.nightly import make_files, make_runs
from tests.pipelines.jobs import inkbeam


def test_what_is_made_up_as_done_is_not_read_again(tmp_path):
    paths = make_files(tmp_path / "scans", 6)
    make_runs(tmp_path / "tables", paths[:4], nights=2)
    done = inkbeam("digitize", "--dry-run", "--input", tmp_path / "scans", "--output", tmp_path / "tables")
    assert done.out.splitlines()[-1].startswith("2 documents would be read; 4 pages done"), done.err
