"""``inkbeam evaluate-pages`` as a user runs it."""

import csv
import json
import shutil
from pathlib import Path

import cv2
import pytest

from pipelines.evaluation.page_results import PageResult
from pipelines.evaluation.report import write_report
from tests.pipelines.jobs import inkbeam
from tests.segmentation.drawing import TEXT, draw_page

TEXTS = ("The quick brown fox", "a lazy dog which slept", "and nobody knew why")


def write_pages(folder, *splits, texts=TEXTS):
    """A folder with a drawn page and its truth for each split."""
    folder.mkdir(parents=True)
    drawn = draw_page(texts)
    rows = []
    for i, split in enumerate(splits):
        cv2.imwrite(str(folder / f"{i}.png"), drawn.gray)
        lines = [
            {"text": text, "bbox": [b.left, b.top, b.width, b.height], "words": words}
            for text, b, words in zip(texts, drawn.lines, _words(drawn, texts), strict=True)
        ]
        rows.append(json.dumps({"image": f"{i}.png", "split": split, "lines": lines}))
    (folder / "pages.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def _words(drawn, texts):
    return [
        [{"text": t, "bbox": [b.left, b.top, b.width, b.height]} for t, b in zip(text.split(), boxes, strict=True)]
        for text, boxes in zip(texts, drawn.words, strict=True)
    ]


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    return write_pages(tmp_path_factory.mktemp("data") / "letters", "train", "validation", "validation", "validation")


def figures(path):
    return json.loads(path.read_text())["by_collection"]


def test_collections_are_measured_and_reported(letters, tmp_path, tiny_bundle):
    other = write_pages(tmp_path / "notes", None)
    # The truth has a line more than the page: it is missed.
    page = json.loads((other / "pages.jsonl").read_text())
    page["lines"].append({"text": "gone", "bbox": [5, 5, 30, 30]})
    (other / "pages.jsonl").write_text(json.dumps(page))
    done = inkbeam(
        "evaluate-pages", "--pages", letters, "--pages", other / "pages.jsonl", "--model", tiny_bundle,
        "--limit", 2, "--json", tmp_path / "figures.json", "--report", tmp_path / "report",
    )  # fmt: skip
    assert done.code == 0, done.err
    rows = figures(tmp_path / "figures.json")
    assert list(rows) == ["letters", "notes"]
    assert (rows["letters"]["pages"], rows["letters"]["line_f1_50"], rows["letters"]["coverage"]) == (2, 1, 1)
    assert rows["letters"]["word_recall_50"] is not None
    assert (rows["notes"]["true_lines"], rows["notes"]["line_recall_50"]) == (4, 0.75)
    assert rows["notes"]["line_f1_50"] == pytest.approx(6 / 7)
    assert rows["notes"]["word_f1_50"] is None
    assert all(row["cer"] > 0 and row["wer"] > 0 and row["read_seconds"] > 0 for row in rows.values())
    printed = [line for line in done.out.splitlines() if "notes" in line]
    assert "0.857" in printed[0]
    assert "| notes | 1 | 4 | 0.857 |" in (tmp_path / "report" / "figures.md").read_text()
    with open(tmp_path / "report" / "pages.csv", newline="") as file:
        pages = list(csv.DictReader(file))
    assert [(p["collection"], p["line_recall_50"]) for p in pages] == [
        ("letters", "1.0"), ("letters", "1.0"), ("notes", "0.75")
    ]  # fmt: skip
    assert cv2.imread(str(tmp_path / "report" / "worst-notes.png")) is not None
    # All lines of the letters were found, but the tiny network reads them badly.
    assert cv2.imread(str(tmp_path / "report" / "worst-letters.png")) is not None


def test_pages_of_which_only_the_text_is_known_are_shown_worst_first(tiny_bundle, tmp_path):
    pages = tmp_path / "pages"
    pages.mkdir()
    for name in ("first", "second"):
        cv2.imwrite(str(pages / f"{name}.png"), draw_page().gray)
        (pages / f"{name}.txt").write_text("\n".join(TEXT), encoding="utf-8")
    report = tmp_path / "report"
    done = inkbeam("evaluate-pages", "--pages", pages, "--model", tiny_bundle, "--report", report)
    assert done.code == 0, done.err
    sheet = cv2.imread(str(report / "worst-pages.png"))
    assert sheet is not None and sheet.shape[1] > 2 * 300
    perfect = PageResult("pages", pages / "first.png", None, None, None, None, 0.0, 20.0, 0.0, 0.0, 0.0)
    assert write_report(tmp_path, [perfect], []) == [tmp_path / "figures.md", tmp_path / "pages.csv"]


@pytest.mark.parametrize(("split", "pages"), [("train", 1), ("validation", 3), ("all", 4)])
def test_splits(letters, tmp_path, split, pages):
    path = tmp_path / "figures.json"
    done = inkbeam("evaluate-pages", "--pages", letters, "--layout-only", "--split", split, "--json", path)
    assert done.code == 0, done.err
    row = figures(path)["letters"]
    assert (row["pages"], row["true_lines"], row["line_f1_75"]) == (pages, 3 * pages, 1)
    assert row["cer"] is None
    assert "CER" not in done.out


def test_pages_of_a_collection_are_evenly_chosen(tmp_path):
    folder = write_pages(tmp_path / "letters", *[None] * 5)
    done = inkbeam("evaluate-pages", "--pages", folder, "--layout-only", "--limit", 2, "--report", tmp_path / "report")
    assert done.code == 0, done.err
    with open(tmp_path / "report" / "pages.csv", newline="") as file:
        assert [page["picture"] for page in csv.DictReader(file)] == [str(folder / f"{i}.png") for i in (0, 2)]


def test_a_true_line_that_was_found_together_with_another_is_not_covered(tmp_path):
    """The truth parts the third line: the longer half matches what was found, and yet is not read alone."""
    folder = write_pages(tmp_path / "notes", None)
    page = json.loads((folder / "pages.jsonl").read_text())
    *lines, parted = page["lines"]
    _, top, _, height = parted["bbox"]
    for words in (parted["words"][:2], parted["words"][2:]):
        (left, *_), (last, _, width, _) = words[0]["bbox"], words[-1]["bbox"]
        text = " ".join(word["text"] for word in words)
        lines.append({"text": text, "bbox": [left, top, last + width - left, height]})
    (folder / "pages.jsonl").write_text(json.dumps({**page, "lines": lines}))
    done = inkbeam(
        *("evaluate-pages", "--pages", folder, "--layout-only"),
        *("--json", tmp_path / "figures.json", "--report", tmp_path / "report"),
    )
    assert done.code == 0, done.err
    row = figures(tmp_path / "figures.json")["notes"]
    assert (row["coverage"], row["line_recall_50"], row["line_recall_75"]) == (0.5, 0.75, 0.5)
    heading, _, figures_of = (tmp_path / "report" / "figures.md").read_text().splitlines()[2:5]
    printed = dict(zip(heading.split(" | "), figures_of.split(" | "), strict=True))
    assert (printed["coverage"], printed["recall"]) == ("0.500", "0.750")


def test_splits_go_by_other_names_and_unknown_ones_are_told_of(tmp_path):
    folder = write_pages(tmp_path / "letters", "Dev", "training", "fold 1")
    done = inkbeam("evaluate-pages", "--pages", folder, "--layout-only", "--json", tmp_path / "figures.json")
    assert figures(tmp_path / "figures.json")["letters"]["pages"] == 1
    assert done.code == 1
    assert "left out: pages.jsonl:3: split 'fold 1' is none of train, validation, test" in done.err


def test_several_processes_find_the_same(letters, tmp_path):
    path = tmp_path / "figures.json"
    done = inkbeam("evaluate-pages", "--pages", letters, "--layout-only", "--workers", 2, "--json", path)
    assert done.code == 0, done.err
    assert (figures(path)["letters"]["pages"], figures(path)["letters"]["line_f1_75"]) == (3, 1)


def test_of_pages_with_their_text_beside_them_text_alone_is_measured(letters, tmp_path):
    folder = tmp_path / "typed"
    folder.mkdir()
    for i in (1, 2):
        shutil.copy(letters / f"{i}.png", folder)
    (folder / "1.txt").write_text("\n".join(TEXTS))
    (folder / "2.gt.txt").write_text("\n\n".join(TEXTS[:2]))
    known = ("evaluate-pages", "--pages", letters, "--limit", 1, "--json", tmp_path / "known.json")
    done = inkbeam(
        "evaluate-pages", "--pages", folder, "--json", tmp_path / "figures.json", "--report", tmp_path / "out"
    )
    assert done.code == inkbeam(*known).code == 0, done.err
    row, known = figures(tmp_path / "figures.json")["typed"], figures(tmp_path / "known.json")["letters"]
    assert row["pages"] == 2 and row["true_lines"] is row["line_f1_50"] is row["cer_in_true_order"] is None
    pages = {Path(r["picture"]).name: r for r in csv.DictReader((tmp_path / "out" / "pages.csv").open())}
    assert float(pages["1.png"]["cer"]) == known["cer"] < 0.1
    assert float(pages["2.png"]["cer"]) > 0.3 and pages["1.png"]["coverage"] == ""
    assert "Lines by ink" not in done.out
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["worst-typed.png"]
    refused = inkbeam("evaluate-pages", "--pages", folder, "--layout-only")
    assert refused.code == 2 and "no page says where its lines stand" in refused.err


def test_what_cannot_be_used_is_named_and_the_rest_is_measured(tmp_path):
    folder = write_pages(tmp_path / "letters", "validation", "validation")
    (folder / "0.png").write_bytes(b"no picture")
    with open(folder / "pages.jsonl", "a") as file:
        file.write("{\n")
    done = inkbeam("evaluate-pages", "--pages", folder, "--layout-only", "--json", tmp_path / "figures.json")
    assert done.code == 1
    assert f"failed, left out: {folder / '0.png'}: " in done.err
    assert "\nleft out: pages.jsonl:3: not a page" in f"\n{done.err}"
    assert done.err.endswith("2 pages left out of these figures; mend or remove what is named above\n")
    assert figures(tmp_path / "figures.json")["letters"]["pages"] == 1


def test_a_set_of_which_nothing_can_be_measured_is_wrong_usage(tmp_path):
    folder = write_pages(tmp_path / "letters", "validation")
    (folder / "0.png").unlink()
    done = inkbeam("evaluate-pages", "--pages", folder, "--layout-only")
    assert done.code == 2
    assert "none of 1 page " in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--split", "train"), "no usable page in split 'train'"),
        (("--limit", "0"), "--limit must be at least 1"),
        (("--workers", "0"), "--workers must be at least 1"),
        (("--pages", "nowhere"), "nowhere: no such file"),
        (("--model", "nowhere"), "nowhere"),
    ],
)
def test_wrong_usage(tmp_path, arguments, message):
    folder = write_pages(tmp_path / "letters", "validation")
    done = inkbeam("evaluate-pages", "--pages", folder, *arguments)
    assert done.code == 2
    assert message in done.err


def test_page_pictures_alone_are_told_from_a_folder_that_is_not_there(tmp_path):
    cv2.imwrite(str(tmp_path / "page.png"), draw_page().gray)
    done = inkbeam("evaluate-pages", "--pages", tmp_path)
    assert done.code == 2
    assert f"{tmp_path}: holds no pages.jsonl, PAGE or ALTO files, nor .txt files beside page pictures" in done.err


def test_a_report_that_cannot_be_written_is_wrong_usage(tmp_path):
    folder = write_pages(tmp_path / "letters", "validation")
    (tmp_path / "file").write_text("precious")
    done = inkbeam("evaluate-pages", "--pages", folder, "--layout-only", "--report", tmp_path / "file")
    assert done.code == 2
    assert "is a file; name a folder" in done.err
