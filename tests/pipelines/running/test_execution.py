"""How a job ends, and what it tells of its failures."""

import json

import pytest

from tests import broken_files
from tests.pipelines.conftest import write_letter
from tests.pipelines.jobs import inkbeam


@pytest.fixture
def digitize(tmp_path, tiny_bundle):
    """Runs a job over the scans that a test has put there."""
    (tmp_path / "scans").mkdir()

    def run(*arguments):
        command = ("digitize", "--input", tmp_path / "scans", "--output", tmp_path / "tables")
        return inkbeam(*command, "--model", tiny_bundle, *arguments)

    return run


@pytest.mark.parametrize(("allowed", "code"), [("0.5", 0), ("0.49", 1)])
def test_as_many_failures_as_are_allowed_are_not_too_many(digitize, tmp_path, allowed, code):
    write_letter(tmp_path / "scans" / "good.png", ())
    (tmp_path / "scans" / "bad.png").write_bytes(b"no picture")
    done = digitize("--max-failure-rate", allowed)
    assert (done.code, "1 page, 0 words, 1 failure " in done.out) == (code, True), done.err


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")  # Pillow's
def test_people_are_told_which_page_failed_counted_from_one(digitize, tmp_path):
    scans = tmp_path / "scans"
    (scans / "lost.tif").write_bytes(broken_files.tiff_with_lost_frames())
    (scans / "bad.png").write_bytes(b"no picture")
    bad, lost = sorted(line for line in digitize().out.splitlines() if line.startswith("failed ("))
    assert bad.startswith(f"failed (list): {scans}/bad.png: ") and bad.count("bad.png") == 1
    assert lost.startswith(f"failed (read): {scans}/lost.tif, page 3: ") and lost.count("lost.tif") == 1


def test_machines_are_told_of_every_failure(digitize, tmp_path):
    names = {f"{i:02}.png" for i in range(25)}
    for name in names:
        (tmp_path / "scans" / name).write_bytes(b"no picture")
    events = [json.loads(line) for line in digitize("--log-format", "json").err.splitlines()]
    failed = [event for event in events if event["event"] == "page_failed"]
    assert len(failed) == 25 and {event["uri"].rsplit("/", 1)[1] for event in failed} == names
    assert "more_failed" not in {event["event"] for event in events}
