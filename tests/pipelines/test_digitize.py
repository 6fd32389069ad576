"""The whole graph, run as a user runs it."""

import hashlib
import json
import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from htr_model.bundle import load
from htr_model.recognizer import Recognizer
from pipelines.archive import runs
from pipelines.archive.rows import TABLES, VERSION
from pipelines.files import page_stem
from pipelines.page_text import is_scrap
from pipelines.running import launch, plans
from pipelines.steps import layouts, reading, recognising
from pipelines.volumes import RecentVolumes, upright_page
from segmentation.decoding import DecodingError, DecodingSettings, PageRef, count_pages, decode_page
from segmentation.page import segment, segment_upright, ways_up
from tests import broken_files
from tests.pipelines.conftest import write_broken, write_letter, write_scans
from tests.pipelines.drawing import LETTER
from tests.pipelines.jobs import files, inkbeam, page_of, rows, run_ids, table

pytestmark = pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")  # Pillow's, on broken files

SETTINGS = DecodingSettings()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Folders of good and of broken scans."""
    folder = tmp_path_factory.mktemp("archive")
    write_scans(folder / "good")
    write_broken(folder / "broken")
    return folder


@pytest.fixture(scope="module")
def good_pages(tmp_path_factory):
    """Pages of the good scans, with width and height."""
    return write_scans(tmp_path_factory.mktemp("again") / "good")


@pytest.fixture(scope="module")
def output(archive):
    return archive / "my tables"


@pytest.fixture(scope="module")
def digitize(archive, output, tiny_bundle):
    """Runs a job over parts of the archive."""

    def run(*arguments, inputs=("good",)):
        given = [a for name in inputs for a in ("--input", archive / name)]
        return inkbeam("digitize", *given, "--output", output, "--model", tiny_bundle, *arguments)

    return run


@pytest.fixture(scope="module")
def night_1(digitize, archive):
    """The first run, over everything."""
    return digitize("--run-id", "night-1", "--overlays", archive / "overlays", inputs=("good", "broken"))


def stages_of_failure() -> dict[str, tuple[str, int | None, str]]:
    """Stage, page index and error of each broken file."""
    expected = {"lost_frame.tif": ("read", 2, "TruncatedImage")}
    for name, make in broken_files.BROKEN.items():
        try:
            count_pages(make(), name, SETTINGS)
            expected[name] = ("read", 0, broken_files.ERROR_TYPES[name])
        except DecodingError:
            expected[name] = ("list", None, broken_files.ERROR_TYPES[name])
    return expected


def test_every_good_page_has_one_row(night_1, output, good_pages):
    good_pages = good_pages | {("lost_frame.tif", 0): (6, 4), ("lost_frame.tif", 1): (6, 4)}
    found = rows(output, "pages")
    assert Counter(map(page_of, found)) == Counter(good_pages.keys())
    for row in found:
        # A rendered PDF page may be a pixel larger: its size in points is a fraction.
        assert (row["width"], row["height"]) == pytest.approx(good_pages[page_of(row)], abs=1)


def test_each_broken_file_has_one_failure_row_with_its_stage(night_1, output):
    found = rows(output, "failures")
    expected = stages_of_failure()
    assert {stage for stage, _, _ in expected.values()} == {"list", "read"}
    assert {page_of(r)[0]: (r["stage"], r["page_index"], r["error_type"]) for r in found} == expected
    assert len(found) == len(expected)
    for row in found:
        assert Path(row["document_uri"]).name in row["message"]
        assert row["error_type"] in row["traceback"]
        assert (row["attempts"], row["run_id"]) == (1, "night-1")


def test_pages_tell_where_they_come_from(night_1, output):
    for row in rows(output, "pages"):
        path = Path(row["document_uri"])
        assert path.is_absolute()
        assert row["source_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert row["source_size"] == path.stat().st_size
        assert row["source_modified"].timestamp() == pytest.approx(path.stat().st_mtime, abs=2e-6)
        assert row["document_pages"] == {"ledger.tif": 2, "diary.pdf": 2, "lost_frame.tif": 3}.get(path.name, 1)
        assert row["rotation_degrees"] == (90 if path.name == "phone.jpg" else 0)
        assert row["dpi"] == (300 if path.name == "diary.pdf" else None)
        assert 0 <= row["discarded_ink"] <= 1


def test_text_is_what_the_recogniser_reads_in_each_line_without_beam(night_1, output, tiny_bundle):
    recognizer = Recognizer(load(tiny_bundle))
    texts = []
    for row in rows(output, "pages"):
        ref = PageRef(row["document_uri"], row["page_index"])
        segmented = segment(decode_page(Path(ref.uri).read_bytes(), ref, SETTINGS).gray)
        pictures = [segmented.line_picture(line.index) for line in segmented.layout.lines]
        read = [" ".join(r.text.split()) for r in recognizer.read_gray(pictures)]
        assert [x["text"] for x in row["lines"]] == read
        kept = [x["text"] for x in row["lines"] if x["text"] and not is_scrap(x["text"], x["confidence"])]
        assert row["text"] == "\n".join(kept)
        texts += read
    assert len(set(texts)) > 8, "the comparison would show nothing"


def test_words_are_those_of_the_pages_in_reading_order(night_1, output):
    words = rows(output, "words")
    pages = {page_of(r): r for r in rows(output, "pages")}
    assert len(words) == sum(p["word_count"] for p in pages.values()) > 10
    for page, row in pages.items():
        own = [w for w in words if page_of(w) == page]
        lines = [" ".join(w["text"] for w in own if w["line_index"] == i) for i in range(len(row["lines"]))]
        assert lines == [x["text"] for x in row["lines"]]
        order = [(w["line_index"], w["word_index"]) for w in own]
        assert order == sorted(set(order))
        for line in range(len(lines)):
            indices = [i for number, i in order if number == line]
            assert indices == list(range(len(indices)))
    places = [page_of(w) for w in words]
    changes = sum(a != b for a, b in zip(places, places[1:], strict=False))
    assert changes == len(set(places)) - 1, "the words of a page stand together"


def test_words_lie_in_their_lines_and_lines_on_their_pages(night_1, output):
    pages = {page_of(r): r for r in rows(output, "pages")}
    for word in rows(output, "words"):
        page = pages[page_of(word)]
        line = page["lines"][word["line_index"]]
        assert 0 <= line["left"] <= word["left"] < word["right"] <= line["right"] <= page["width"]
        assert 0 <= line["top"] <= word["top"] < word["bottom"] <= line["bottom"] <= page["height"]
        # Without calibration the confidence is the product of the letters' probabilities.
        assert 0 <= word["confidence"] <= word["min_char_confidence"] * (1 + 1e-6) <= 1 + 1e-6
        assert word["text"] == word["text"].strip() != ""


def test_empty_page_is_no_failure(night_1, output):
    (row,) = [r for r in rows(output, "pages") if page_of(r)[0] == "blank.png"]
    assert (row["text"], row["lines"], row["word_count"], row["mean_confidence"]) == ("", [], 0, None)


def test_every_row_names_its_run_and_its_model(night_1, output, tiny_bundle):
    assert {r["run_id"] for name in TABLES for r in rows(output, name, "night-1")} == {"night-1"}
    models = {r["model_id"] for name in ("words", "pages") for r in rows(output, name)}
    assert models == {load(tiny_bundle).id}


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_their_schemas(night_1, output, name):
    schema = table(output, name, "night-1").schema
    assert schema.equals(TABLES[name], check_metadata=False)
    assert schema.metadata[b"inkbeam_schema_version"] == VERSION.encode()


def test_commit_tells_the_run(night_1, output, tiny_bundle):
    record = json.loads((output / "runs" / "night-1.json").read_bytes())
    assert record["counts"] == {name: len(rows(output, name, "night-1")) for name in ("words", "pages", "failures")}
    assert record["model_id"] == load(tiny_bundle).id
    assert record["started_at"] < record["finished_at"]
    assert record["options"]["unit"] == "line"
    assert record["versions"]["apache-beam"].startswith("2.")


def test_output_holds_nothing_else(night_1, output):
    runs_of = {path.split("/")[0] for path in files(output)}
    assert runs_of == {"words", "pages", "failures", "runs"}
    left_over = [p for p in files(output) if not p.endswith((".parquet", "runs/night-1.json"))]
    assert [p for p in left_over if "night-1" in p] == []


def test_failed_pages_give_exit_code_1_and_the_summary_names_them(night_1, output):
    counts = json.loads((output / "runs" / "night-1.json").read_bytes())["counts"]
    assert night_1.code == 1
    summary = f"Run night-1: {counts['pages']:,} pages, {counts['words']:,} words, {counts['failures']:,} failures"
    assert summary in night_1.out
    assert "pages/s" in night_1.out
    assert str(output) in night_1.out
    assert "failed (list): " in night_1.out
    shown = [line for line in night_1.out.splitlines() if line.startswith("failed (")]
    assert len(shown) == 20
    assert f"… and {counts['failures'] - 20} more" in night_1.out
    assert f"pages (inkbeam status {output} tells which, inkbeam retry {output} tries again)" in night_1.out


def test_every_page_has_an_overlay(night_1, archive, output):
    overlays = {p.name: cv2.imread(str(p)) for p in (archive / "overlays").iterdir()}
    assert len(overlays) == len(rows(output, "pages", "night-1"))
    (first,) = [picture for name, picture in overlays.items() if name.startswith("diary.pdf-") and "page1" in name]
    assert first.shape[0] >= 280
    assert first.shape[1] >= 1280


# ------------------------------------------------------------------------------------------------ the nights after


@pytest.fixture(scope="module")
def nights(night_1, digitize, archive, output):
    """Jobs one after the other on the same output: how each ended, and the output's files after it."""
    history = [("night-1", night_1, files(output))]

    def job(name, *arguments, **options):
        history.append((name, digitize("--run-id", name, *arguments, **options), files(output)))

    job("again")
    job("dry", "--dry-run", inputs=("good", "broken"))
    job("abort", "--existing", "abort")
    job("retry", "--max-failure-rate", "1", inputs=("good", "broken"))
    write_letter(archive / "good" / "letter.png", (*LETTER, "and a postscript"))
    job("changed")
    job("redo", "--existing", "redo", inputs=("good/letter.png",))
    job("words", "--unit", "word", inputs=("good/letter.png", "good/blank.png"))
    job("words-again", "--unit", "word", inputs=("good/letter.png", "good/blank.png"))
    job("night-1", "--existing", "redo")
    return {name if i == 0 or name != "night-1" else "same name": (d, f) for i, (name, d, f) in enumerate(history)}


def test_nothing_already_written_is_ever_changed_or_lost(nights):
    snapshots = [snapshot for _, snapshot in nights.values()]
    for before, after in zip(snapshots, snapshots[1:], strict=False):
        assert before.items() <= after.items()


def test_second_run_does_nothing(nights, good_pages):
    done, snapshot = nights["again"]
    assert done.code == 0
    assert f"{len(good_pages)} pages done already" in done.out
    assert "Nothing to do." in done.out
    assert snapshot == nights["night-1"][1]


def test_dry_run_lists_what_is_left_and_writes_nothing(nights, good_pages):
    done, snapshot = nights["dry"]
    assert done.code == 0
    told, *lines = done.out.splitlines()
    assert told == "1 file passed over, no scans by name: 1 .txt"
    assert [Path(line.split("  (")[0]).name for line in lines[:-1]] == sorted((*broken_files.BROKEN, "lost_frame.tif"))
    assert [line for line in lines if "2 pages of it done" in line] == [x for x in lines if "lost_frame" in x]
    count = len(broken_files.BROKEN) + 1
    assert lines[-1] == f"{count} documents would be read; {len(good_pages) + 2} pages done and left out"
    assert snapshot == nights["night-1"][1]


def test_abort_refuses_pages_that_are_done(nights):
    done, snapshot = nights["abort"]
    assert done.code == 2
    assert "--existing abort" in done.err
    assert snapshot == nights["night-1"][1]


def test_failed_pages_are_tried_again_and_good_ones_are_not(nights, output):
    assert rows(output, "pages", "retry") == rows(output, "words", "retry") == []
    found = {page_of(r)[0]: (r["stage"], r["page_index"], r["error_type"]) for r in rows(output, "failures", "retry")}
    assert found == stages_of_failure()


def test_allowed_failures_give_exit_code_0(nights):
    assert nights["retry"][0].code == 0


def test_changed_file_is_read_again_and_no_other(nights, output):
    done, _ = nights["changed"]
    assert (done.code, done.err.count("Traceback")) == (0, 0)
    (row,) = rows(output, "pages", "changed")
    (old,) = [r for r in rows(output, "pages", "night-1") if page_of(r) == ("letter.png", 0)]
    assert page_of(row) == ("letter.png", 0)
    assert row["height"] == old["height"] + 70
    assert row["source_sha256"] != old["source_sha256"]


def test_redo_reads_again_and_finds_the_same(nights, output):
    assert nights["redo"][0].code == 0
    assert without_run(rows(output, "pages", "redo")) == without_run(rows(output, "pages", "changed"))
    assert without_run(rows(output, "words", "redo")) == without_run(rows(output, "words", "changed"))


def test_other_options_read_again(nights, output):
    assert nights["words"][0].code == 0
    assert sorted(page_of(r)[0] for r in rows(output, "pages", "words")) == ["blank.png", "letter.png"]
    assert "Nothing to do." in nights["words-again"][0].out


def test_words_read_one_by_one_have_the_boxes_of_the_layout(nights, output, archive):
    path = archive / "good" / "letter.png"
    (page,) = [p for p in rows(output, "pages", "words") if p["document_uri"] == str(path)]
    # A recogniser that has learned nothing may find that a page of three lines reads better head down.
    upright = upright_page(PageRef(str(path), 0), 1, page["rotation_degrees"], SETTINGS, RecentVolumes())
    layout = segment(upright.gray).layout
    boxes = [(b.left, b.top, b.right, b.bottom) for line in layout.lines for b in line.word_boxes()]
    found = [tuple(w[side] for side in ("left", "top", "right", "bottom")) for w in rows(output, "words", "words")]
    assert set(found) <= set(boxes)
    assert found == [b for b in boxes if b in found]
    assert len(found) > len(boxes) / 2


def test_name_of_an_earlier_run_is_refused(nights):
    done, snapshot = nights["same name"]
    assert done.code == 2
    assert "choose another --run-id" in done.err
    assert snapshot == nights["words-again"][1]


def test_runs_are_committed_in_the_order_of_the_nights(nights, output):
    assert run_ids(output) == ["night-1", "retry", "changed", "redo", "words"]


# ------------------------------------------------------------------------------------------------ same rows


def without_run(found: list[dict]) -> list[dict]:
    """Rows in order, without what is the run's own; confidences so that they can be compared."""
    plain = []
    for row in found:
        row = {k: v for k, v in row.items() if k not in ("run_id", "processed_at", "failed_at", "traceback")}
        for name in ("confidence", "min_char_confidence", "mean_confidence"):
            if row.get(name) is not None:
                row[name] = pytest.approx(row[name], abs=1e-4)
        if "lines" in row:
            row["lines"] = [{**x, "confidence": pytest.approx(x["confidence"], abs=1e-4)} for x in row["lines"]]
        plain.append(row)
    return sorted(plain, key=lambda r: [r.get(k) or 0 for k in ("page_index", "line_index", "word_index")])


@pytest.fixture(scope="module")
def tables_of_job(tmp_path_factory, tiny_bundle):
    """Runs a job with some options over the same good and broken scans; its tables, each document's rows in order."""
    scans = tmp_path_factory.mktemp("same") / "scans"
    write_scans(scans)
    (scans / "broken.png").write_bytes(broken_files.cut(broken_files.good_png)())

    def tables(*options):
        output = tmp_path_factory.mktemp("tables")
        done = inkbeam("digitize", "--input", scans, "--output", output, "--model", tiny_bundle, *options)
        assert done.code == 1, done.err
        found = {}
        for name in TABLES:
            all_rows = rows(output, name)
            for uri in {r["document_uri"] for r in all_rows}:
                found[name, uri] = without_run([r for r in all_rows if r["document_uri"] == uri])
        return found

    return tables


@pytest.fixture(scope="module")
def usual_tables(tables_of_job):
    return tables_of_job()


@pytest.mark.parametrize("options", [("--batch-size", "1"), ("--workers", "2")])
def test_rows_do_not_depend_on_batch_size_or_workers(options, tables_of_job, usual_tables):
    assert len(usual_tables) == 6 + 5 + 1, "six documents, one of them without words, and a broken one"
    assert tables_of_job(*options) == usual_tables


# ------------------------------------------------------------------------------------------------ stages that fail


@pytest.fixture
def two_letters(tmp_path):
    write_letter(tmp_path / "scans" / "a.png")
    write_letter(tmp_path / "scans" / "b.png", ("Come before Easter", "if the roads allow", "Harriet Lowe"))
    return tmp_path / "scans"


def test_failures_in_the_middle_of_the_graph_cost_a_page_or_a_line(two_letters, tmp_path, tiny_bundle, monkeypatch):
    write_letter(two_letters / "c.png", ("one", "more", "letter"))
    bad_page = decode_page((two_letters / "a.png").read_bytes(), PageRef("a", 0), SETTINGS).gray
    upright = segment_upright(decode_page((two_letters / "b.png").read_bytes(), PageRef("b", 0), SETTINGS).gray)
    recognizer = Recognizer(load(tiny_bundle))
    images = layouts.text_images(PageRef("b", 0), upright.segmented, "line", recognizer.normalization)
    poison = next(images).pixels
    read = Recognizer.read

    def segment_or_fail(gray, settings=None):
        if np.array_equal(gray, bad_page):
            raise ValueError("no layout today")
        return ways_up(gray, settings)

    def read_or_fail(self, pictures):
        if any(np.array_equal(p, poison) for p in pictures):
            raise RuntimeError("no reading today")
        return read(self, pictures)

    monkeypatch.setattr(reading, "ways_up", segment_or_fail)
    monkeypatch.setattr(Recognizer, "read", read_or_fail)
    for name in ("b.png", "c.png"):  # folders where pictures should be
        (tmp_path / "overlays" / f"{page_stem(str(two_letters / name), 0, 1)}.jpg").mkdir(parents=True)
    output = tmp_path / "tables"
    done = inkbeam(
        *("digitize", "--input", two_letters, "--output", output, "--model", tiny_bundle),
        *("--overlays", tmp_path / "overlays", "--max-failure-rate", "1"),
    )
    assert done.code == 0
    found = sorted((page_of(r)[0], r["stage"], r["error_type"], r["page_index"]) for r in rows(output, "failures"))
    assert found[:2] == [("a.png", "segment", "ValueError", 0), ("b.png", "draw", found[1][2], 0)]
    assert found[2:] == [("b.png", "recognise", "RuntimeError", 0), ("c.png", "draw", found[1][2], 0)]
    (recognise,) = [r for r in rows(output, "failures") if r["stage"] == "recognise"]
    assert recognise["message"].startswith("line 0, word None: no reading today")
    b, c = sorted(rows(output, "pages"), key=page_of)
    assert [bool(x["text"]) for x in b["lines"]] == [False] + [True] * (len(b["lines"]) - 1)
    assert all(x["text"] for x in c["lines"])


def test_file_that_vanishes_after_it_was_listed_is_a_failure(two_letters, tmp_path, tiny_bundle, monkeypatch):
    planned = plans.plan

    def plan_and_lose(job, input_lists):
        plan = planned(job, input_lists)
        (two_letters / "a.png").unlink()
        os.rename(two_letters / "b.png", bytes(two_letters) + b"/caf\xe9.png")
        return plan

    monkeypatch.setattr(plans, "plan", plan_and_lose)
    command = ("digitize", "--input", two_letters, "--output", tmp_path / "tables", "--model", tiny_bundle)
    done = inkbeam(*command)
    assert done.code == 1
    found = sorted((page_of(r)[0], r["stage"], r["error_type"]) for r in rows(tmp_path / "tables", "failures"))
    assert found == [("a.png", "list", "FileNotFoundError"), ("b.png", "list", "FileNotFoundError")]


def test_name_that_is_no_text_costs_only_its_file(two_letters, tmp_path, tiny_bundle):
    """Archives hold names from before UTF-8; no table can."""
    os.rename(two_letters / "a.png", bytes(two_letters) + b"/caf\xe9.png")
    command = ("digitize", "--input", two_letters, "--output", tmp_path / "tables", "--model", tiny_bundle)
    assert r"caf\udce9.png" in inkbeam(*command, "--dry-run").out
    done = inkbeam(*command)
    assert done.code == 1
    (row,) = rows(tmp_path / "tables", "failures")
    assert (page_of(row)[0], row["stage"], row["error_type"]) == (r"caf\udce9.png", "list", "UnusableName")
    assert [page_of(r)[0] for r in rows(tmp_path / "tables", "pages")] == ["b.png"]


def lose_the_bundle(monkeypatch, folder):
    build = launch.digitize.build

    def build_and_lose(*arguments):
        build(*arguments)
        for path in folder.iterdir():
            path.unlink()

    monkeypatch.setattr(launch.digitize, "build", build_and_lose)


def break_a_sink(monkeypatch, folder):
    monkeypatch.setattr("pipelines.digitize.page_row", lambda *_: {"document_uri": 5, "page_index": "a page"})


def break_the_commit(monkeypatch, folder):
    def fail(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(runs, "commit", fail)


@pytest.mark.parametrize("damage", [lose_the_bundle, break_a_sink, break_the_commit])
def test_job_that_fails_gives_exit_code_3_and_leaves_no_rows(damage, two_letters, tmp_path, tiny_bundle, monkeypatch):
    model = tmp_path / "model"
    model.mkdir()
    for path in tiny_bundle.iterdir():
        (model / path.name).write_bytes(path.read_bytes())
    damage(monkeypatch, model)
    output = tmp_path / "tables"
    done = inkbeam("digitize", "--input", two_letters, "--output", output, "--model", model)
    assert done.code == 3
    assert "the job failed: nothing of the run was kept" in done.err
    assert files(output) == {}


def test_model_is_loaded_once_and_reads_many_pictures_a_call(two_letters, tmp_path, tiny_bundle, monkeypatch):
    loads, calls = [], []
    load_bundle, read = recognising.load_bundle, Recognizer.read

    def counted_read(self, pictures):
        calls.append(len(pictures))
        return read(self, pictures)

    monkeypatch.setattr(recognising, "load_bundle", lambda model: loads.append(model) or load_bundle(model))
    monkeypatch.setattr(Recognizer, "read", counted_read)
    command = ("digitize", "--input", two_letters, "--output", tmp_path / "tables", "--model", tiny_bundle)
    assert inkbeam(*command).code == 0
    assert len(loads) == 1
    assert len(calls) < sum(calls)
