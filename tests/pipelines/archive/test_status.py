import json
import os
import shutil

import pytest

from htr_model.bundle import load
from pipelines.archive import runs
from pipelines.archive.rows import timestamp
from pipelines.archive.status import ReadPage, failing, status
from tests.pipelines.jobs import files, inkbeam
from tests.pipelines.made_tables import failure, page, word, write_run


@pytest.fixture
def output(tmp_path):
    return tmp_path / "tables"


def of(output, lowest=3, max_attempts=3):
    return status(str(output), runs.committed(str(output)), lowest, max_attempts)


def test_figures_of_runs_are_exact(output):
    write_run(
        output, "night-1", 1, [page("/s/a.png", confidence=0.5, words=1), page("/s/b.png", confidence=1.0, words=3)],
        [failure("/s/c.png"), failure("/s/d.tif", 1), failure("/s/d.tif", 1, stage="segment")],
        [word("/s/a.png", 0, ""), *(word("/s/b.png", i, "") for i in range(3))],
    )  # fmt: skip
    write_run(output, "night-2", 2, [page("/s/blank.png")], [failure("/s/a.png", 0, stage="draw")])
    first, second = of(output).runs
    assert (first.pages, first.words, first.lost, first.seconds, first.pages_per_second) == (2, 4, 2, 10.0, 0.2)
    assert first.confidence == pytest.approx((0.5 + 3) / 4)
    assert (second.run_id, second.pages, second.lost, second.confidence, second.dropped) == (
        "night-2",
        1,
        0,
        None,
        False,
    )


def test_page_that_was_read_twice_counts_once_as_it_was_read_last(output):
    write_run(
        output, "night-1", 1, [page("/s/a.png", confidence=0.2, words=5), page("/s/b.png", confidence=0.4, words=2)]
    )
    write_run(output, "night-2", 2, [page("/s/a.png", confidence=0.9, words=6)])
    found = of(output, lowest=1)
    assert (found.pages, found.words) == (2, 8)
    assert found.lowest == (ReadPage("/s/b.png", 0, pytest.approx(0.4), 2, "night-1"),)


def test_pages_with_the_lowest_confidence_are_named_the_lowest_first(output):
    pages = [page(f"/s/{i}.png", confidence=0.1 * i, words=1) for i in (5, 3, 1, 4, 2)]
    write_run(output, "night-1", 1, [*pages, page("/s/blank.png")])
    assert [p.document_uri for p in of(output).lowest] == ["/s/1.png", "/s/2.png", "/s/3.png"]
    assert len(of(output, lowest=10).lowest) == 5
    assert of(output, lowest=0).lowest == ()


def test_page_fails_until_it_is_read(output):
    write_run(
        output, "night-1", 1, [page("/s/ok.tif", 0, 2)],
        [failure("/s/a.png"), failure("/s/b.png", 0), failure("/s/ok.tif", 1), failure("/s/late.png", 0, stage="draw")],
    )  # fmt: skip
    write_run(output, "night-2", 2, [page("/s/a.png")], [failure("/s/b.png", 0, 2)])
    found = failing(str(output), runs.committed(str(output)))
    failed = [(row["document_uri"], row["page_index"], row["attempts"]) for row in found]
    assert failed == [("/s/b.png", 0, 2), ("/s/ok.tif", 1, 1)]


def test_page_that_was_read_and_fails_since_its_file_changed_fails(output):
    write_run(output, "night-1", 1, [page("/s/a.png")])
    write_run(output, "night-2", 2, failures=[failure("/s/a.png", size=9)])
    assert [f.document_uri for f in of(output).failing] == ["/s/a.png"]


def test_document_that_could_be_opened_since_fails_by_its_pages_only(output):
    write_run(output, "night-1", 1, failures=[failure("/s/a.pdf")])
    write_run(output, "night-2", 2, failures=[failure("/s/a.pdf", 1, pages=2)])
    assert [(f.document_uri, f.page_index) for f in of(output).failing] == [("/s/a.pdf", 1)]


def test_pages_that_a_document_no_longer_has_are_neither_read_nor_failing(output):
    pages = [page("/s/a.tif", i, 4, words=1, confidence=0.5) for i in range(3)]
    write_run(output, "night-1", 1, pages, [failure("/s/a.tif", 3, pages=4), failure("/s/b.tif", 2, pages=3)])
    write_run(
        output, "night-2", 2, [page("/s/a.tif", 0, 1, words=1, confidence=0.5)], [failure("/s/b.tif", 0, pages=1)]
    )
    found = of(output)
    assert (found.pages, found.words) == (1, 1)
    assert [(f.document_uri, f.page_index) for f in found.failing] == [("/s/b.tif", 0)]


@pytest.mark.parametrize("command", [("status",), ("export", "--to", "text"), ("compact",)])
@pytest.mark.parametrize("table", ["pages", "failures"])
def test_run_whose_files_are_gone_is_named_and_nothing_is_made_of_the_rest(output, tmp_path, command, table):
    for day in (1, 2):
        write_run(output, f"night-{day}", day, [page(f"/s/{day}.png")], [failure("/s/c.png")])
    shutil.rmtree(output / table / "run=night-2")
    before, out = files(output), ("--output", tmp_path / "out")
    done = inkbeam(command[0], output, *command[1:], *(out if "--to" in command else ()))
    if "--to" in command and table == "failures":
        assert done.code == 0  # it does not look at failures
        return
    assert done.code == 2 and "lacks 1 row of the committed run night-2" in done.err
    assert files(output) == before and not (tmp_path / "out").exists()


@pytest.mark.parametrize(("limit", "count"), [(3, 1), (2, 2), (0, 0)])
def test_set_aside_pages_are_counted(output, tmp_path, limit, count):
    scans = [tmp_path / f"{i}.png" for i in (1, 2, 3)]
    for scan in scans:
        scan.touch()
    failures = [failure(str(scan), attempts=i) for i, scan in enumerate(scans, 1)]
    write_run(output, "night-1", 1, failures=failures)
    assert of(output, max_attempts=limit).set_aside == count


def test_failing_files_that_are_gone_are_told_apart(output, tmp_path):
    (tmp_path / "there.png").touch()
    (tmp_path / "link.png").symlink_to("nowhere.png")  # the next run finds it, and fails
    names = ("there.png", "link.png", "gone.tif", "there.png/gone.png")
    there, link, gone, below = (str(tmp_path / name) for name in names)
    unusable = {**failure(str(tmp_path / r"\xff.png"), attempts=3), "error_type": "UnusableName"}
    failures = [failure(uri, attempts=3) for uri in (there, link, gone, below)]
    options = {"max_attempts": 3}
    write_run(output, "night-1", 1, failures=[*failures, failure(gone, 1, pages=2), unusable], options=options)
    found = of(output)
    assert (found.gone, found.set_aside) == ((gone, below), 3)
    lines = inkbeam("status", output).out.splitlines()
    assert "3 of the failed are set aside until their files change, or inkbeam retry --all" in lines
    assert "2 of the failed are of files that are gone" in lines
    assert [line.partition(": ")[2] for line in lines if line.endswith("(gone)")] == [
        f"{gone}, page 2  (gone)",
        f"{below}  (gone)",
    ]


def nights(output, confidences, models=None, words=500):
    for day, confidence in enumerate(confidences, 1):
        model = models[day - 1] if models else "model"
        pages = [page(f"/s/{day}.png", confidence=confidence, words=words)]
        write_run(output, f"night-{day}", day, pages, model_id=model)
    return [run.dropped for run in of(output).runs]


def test_runs_of_a_few_words_are_not_compared(output):
    assert nights(output, [0.9, 0.5, 0.9], words=20) == [False, False, False]


def test_run_that_reads_worse_than_those_before_is_marked(output):
    assert nights(output, [0.9, 0.88, 0.91, 0.8, 0.89]) == [False, False, False, True, False]


@pytest.mark.parametrize(("last", "dropped"), [(0.585, False), (0.575, True)])
def test_run_is_compared_with_the_median_of_the_ten_before(output, last, dropped):
    """Recognition gets better and better: the median of these ten is 0.63, that of all is 0.62, the mean is 0.65."""
    better = [0.52, 0.54, 0.56, 0.58, 0.60, 0.62, 0.64, 0.66, 0.68, 0.70, 0.90]
    assert nights(output, [*better, last]) == [False] * 11 + [dropped]


def test_runs_of_different_models_are_not_compared(output):
    assert nights(output, [0.9, 0.7, 0.72], ["old", "new", "new"]) == [False, False, False]


def test_command_prints_what_it_finds(output):
    write_run(output, "night-1", 1, [page("/s/a.png", confidence=0.5, words=4)], [failure("/s/c.png", attempts=3)])
    done = inkbeam("status", output)
    assert done.code == 0, done.err
    assert "1 page done, 4 words; 1 failed" in done.out
    assert "failed in 3 runs (read, TruncatedImage): /s/c.png  (gone)" in done.out
    assert "0.500  /s/a.png, page 1, 4 words" in done.out


def test_command_counts_what_waits(output, tmp_path, tiny_bundle):
    for name in ("done.png", "new.png", "hopeless.png"):
        (tmp_path / "scans").mkdir(exist_ok=True)
        (tmp_path / "scans" / name).write_bytes(b"1234567")
    modified = {"source_modified": None}
    for name in ("done.png", "hopeless.png"):
        modified[name] = timestamp(round(os.stat(tmp_path / "scans" / name).st_mtime, 6))
    uri = str(tmp_path / "scans")
    write_run(
        output, "night-1", 1,
        [{**page(f"{uri}/done.png"), "source_modified": modified["done.png"]}],
        [{**failure(f"{uri}/hopeless.png", attempts=3), "source_modified": modified["hopeless.png"]}],
        options={"max_attempts": 3}, model_id=load(tiny_bundle).id,
    )  # fmt: skip
    done = inkbeam("status", output, "--json", "--input", uri)
    found = json.loads(done.out)
    assert (found["waiting"], found["pages"], found["set_aside"]) == (1, 1, 1)
    assert found["runs"][0]["pages_per_second"] == 0.1
    assert json.loads(inkbeam("status", output, "--json").out)["waiting"] is None


@pytest.mark.parametrize("command", ["status", "retry", "compact"])
def test_folder_without_runs_is_wrong_usage(command, tmp_path):
    done = inkbeam(command, tmp_path / "nowhere")
    assert (done.code, done.out) == (2, "")
    assert "no committed run is there" in done.err
    assert not (tmp_path / "nowhere").exists()
