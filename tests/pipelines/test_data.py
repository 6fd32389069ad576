"""``inkbeam data``: checking and making training data."""

import json
import shutil
from pathlib import Path

import cv2
import matplotlib
import pytest

from htr_model.readers.parquet import read_parquet
from tests.htr_model.drawing import likeness, png, word
from tests.pipelines.jobs import files, inkbeam
from tests.segmentation.drawing import draw_page


@pytest.fixture
def words(tmp_path):
    root = tmp_path / "words"
    root.mkdir()
    rows = ["filename,label"]
    for text in ("archive", "hands", "quill"):
        (root / f"{text}.png").write_bytes(png(word(text)))
        rows.append(f"{text}.png,{text}")
    (root / "labels.csv").write_text("\n".join(rows) + "\n")
    return root


@pytest.mark.parametrize("command", ["check", "pack", "synthesize"])
def test_help_fits_a_screen(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = inkbeam("data", command, "--help")
    assert done.code == 0
    assert len(done.out.splitlines()) <= 45
    assert max(map(len, done.out.splitlines())) <= 80


def test_clean_data_gives_0(words):
    done = inkbeam("data", "check", words)
    assert done.code == 0
    assert "a CSV file of picture names and labels" in " ".join(done.out.split())
    assert "Left out" not in done.out
    assert "Duplicates" not in done.out


def test_what_would_be_skipped_gives_1_and_its_reason(words):
    shutil.copy(words / "hands.png", words / "copy.png")
    with open(words / "labels.csv", "a", encoding="utf-8") as labels:
        labels.write("gone.png,gone\ncopy.png,[bold]ש\n")
    done = inkbeam("data", "check", words)
    assert done.code == 1
    for expected in ("no such picture", "gone.png", "characters outside the charset", "U+05E9", "same picture"):
        assert expected in done.out


def test_charset_of_a_bundle_counts(words, tiny_bundle):
    (words / "labels.csv").write_text("filename,label\nhands.png,Zz\n")
    assert inkbeam("data", "check", words).code == 0
    done = inkbeam("data", "check", words, "--charset-of", tiny_bundle)
    assert "U+005A" in done.out
    assert done.code == 2  # nothing is left that could be trained on
    assert "no sample can be trained on" in done.err


def test_charset_of_a_bundle_in_the_home_folder_counts(words, tiny_bundle, monkeypatch):
    monkeypatch.setenv("HOME", str(tiny_bundle.parent))
    assert inkbeam("data", "check", words, "--charset-of", f"~/{tiny_bundle.name}").code == 0
    done = inkbeam("data", "check", words, "--charset-of", "~/nowhere")
    assert done.code == 2
    assert f"--charset-of {tiny_bundle.parent / 'nowhere'}: no model bundle" in done.err


def test_contact_sheet_is_drawn(words, tmp_path):
    sheet = tmp_path / "sheets" / "words.png"
    assert inkbeam("data", "check", words, "--contact-sheet", sheet).code == 0
    assert cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE).shape[1] == 1400


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("check", "nowhere"), "nowhere: no such file or folder"),
        (("check", "."), "no known layout; expected IAM's tree"),
        (("check", ".", "--contact-sheet", "a.jpg"), "must end in .png"),
        (("check", ".", "--charset", "x"), "unknown option --charset"),
        (("pack", ".", "--output", "a.csv"), "a.csv: its name must end in .parquet"),
        (("pack", ".", "--output", "a.parquet", "--seed", "-1"), "--seed must not be negative, got -1"),
        (("pack", ".", "--output", "a.parquet", "--lines", "all"), "invalid choice: 'all'"),
        (("pack", "."), "required: --output"),
        (("pack", "nowhere", "--output", "a.parquet"), "nowhere: no such file or folder"),
        (
            ("pack", "nowhere", "--output", "a.parquet", "--lines", "found"),
            "nowhere: no such file or folder",
        ),
        (("pack", ".", "--output", "a.parquet"), "no known layout; expected IAM's tree"),
        (("synthesize", "--fonts", "f", "--text", "t", "--count", "0", "--output", "a.parquet"), "--count"),
        (("synthesize", "--fonts", "f", "--text", "t", "--count", "1", "--output", "a.csv"), ".parquet"),
        (("synthesize", "--fonts", "f", "--text", "t", "--count", "1", "--output", "a.parquet"), "no such folder"),
    ],
)
def test_wrong_usage_gives_2_and_a_reason(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = inkbeam("data", *arguments)
    assert done.code == 2
    assert message in done.err
    assert not list(tmp_path.iterdir())


def test_synthesized_data_passes_the_check(tmp_path):
    fonts = tmp_path / "fonts"
    fonts.mkdir()
    shutil.copy(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", fonts)
    (fonts / "broken.ttf").write_text("no font")
    (tmp_path / "story.txt").write_text("Come before Easter, if the roads allow.")
    output = tmp_path / "lines.parquet"
    made = inkbeam(
        *("data", "synthesize", "--fonts", fonts, "--text", tmp_path / "story.txt"),
        *("--count", "6", "--output", output, "--seed", "3"),
    )
    assert made.code == 0
    assert f"{output}: 6 pictures of 1 fonts" in made.out
    assert "left out: broken: not a font" in made.err
    checked = inkbeam("data", "check", output)
    assert checked.code == 0
    assert "Parquet with columns id, text and image" in checked.out


# --- pack -------------------------------------------------------------------------------------------------------------

LINES = ("The quick brown fox", "a lazy dog which slept", "and nobody knew why")


@pytest.fixture
def pages(tmp_path):
    """A folder with two pages, of which one cannot be read, and their truth."""
    root = tmp_path / "letters"
    root.mkdir()
    drawn = draw_page(LINES)
    (root / "good.png").write_bytes(png(drawn.gray))
    (root / "broken.png").write_bytes(png(drawn.gray)[:300])
    lines = [
        {"text": text, "bbox": [box.left, box.top, box.width, box.height]}
        for text, box in zip(LINES, drawn.lines, strict=True)
    ]
    rows = [json.dumps({"image": name, "split": "train", "lines": lines}) for name in ("good.png", "broken.png")]
    (root / "pages.jsonl").write_text("\n".join([*rows, "no page"]) + "\n")
    return root


@pytest.fixture
def iam(tmp_path):
    """A tree like IAM's: a line of three words and a full stop, one of two of which one is wrongly segmented."""
    root = tmp_path / "iam"
    (root / "ascii").mkdir(parents=True)
    (root / "words" / "a01" / "a01-000u").mkdir(parents=True)
    rows = []
    for name, state, text in (
        ("00-00", "ok", "Come"), ("00-01", "ok", "by"), ("00-02", "ok", "noon"), ("00-03", "ok", "."),
        ("01-00", "err", "If"), ("01-01", "ok", "roads"),
    ):  # fmt: skip
        rows.append(f"a01-000u-{name} {state} 154 1 2 3 4 NN {text}")
        (root / "words" / "a01" / "a01-000u" / f"a01-000u-{name}.png").write_bytes(png(word(text)))
    (root / "ascii" / "words.txt").write_text("\n".join(rows) + "\n")
    return root


def test_packed_words_are_read_back_and_pass_the_check(words, tmp_path):
    (words / "corrupt.png").write_bytes(b"not a picture")
    with open(words / "labels.csv", "a", encoding="utf-8") as labels:
        labels.write("gone.png,gone\ncorrupt.png,corrupt\n")
    output = tmp_path / "packed" / "words.parquet"
    done = inkbeam("data", "pack", words, "--output", output)
    assert done.code == 0, done.err
    first, reasons = done.out.splitlines()
    assert first == f"{output}: 3 samples, 0.0 MiB; 2 left out"
    assert sorted(reasons.removeprefix("left out: ").split("; ")) == [
        "1 × no such picture",
        "1 × not a readable picture",
    ]
    samples = list(read_parquet(output))
    assert [(s.id, s.text) for s in samples] == [(f"{t}.png", t) for t in ("archive", "hands", "quill")]
    assert all(likeness(word(s.text), s.gray) > 0.95 for s in samples)
    assert inkbeam("data", "check", output).code == 0


def test_packed_lines_of_pages_are_those_of_the_truth_or_those_that_are_found(pages, tmp_path):
    for kind, count in (("true", 3), ("found", 3)):
        output = tmp_path / kind / "lines.parquet"
        done = inkbeam("data", "pack", pages, "--output", output, "--lines", kind)
        assert done.code == 0, done.err
        assert f"{count} samples" in done.out and "not a page" in done.out
        assert [(s.text, s.split) for s in read_parquet(output)] == [(text, "train") for text in LINES]
    true, found = (list(read_parquet(tmp_path / kind / "lines.parquet")) for kind in ("true", "found"))
    for one, other in zip(true, found, strict=True):
        assert likeness(one.gray, other.gray) > 0.7


def test_packed_lines_know_where_their_words_part_when_asked(pages, tmp_path):
    done = inkbeam("data", "pack", pages, "--output", tmp_path / "lines.parquet", "--gaps")
    assert done.code == 0, done.err
    lines = list(read_parquet(tmp_path / "lines.parquet"))
    assert [len(line.gaps) for line in lines] == [text.count(" ") for text in LINES]
    assert any(0 < gap < 1 for line in lines for gap in line.gaps)
    done = inkbeam(
        "data", "pack", pages, "--output", tmp_path / "none.parquet", "--gaps", "--reader", tmp_path / "nowhere"
    )
    assert done.code == 2
    assert f"--reader {tmp_path / 'nowhere'}: no model bundle" in done.err


@pytest.fixture
def transcribed(tmp_path):
    """Page pictures and what they say, not where; one of them pale, one has no text, one is broken."""
    root = tmp_path / "diaries"
    root.mkdir()
    drawn = draw_page(LINES)
    (root / "a.png").write_bytes(png(drawn.gray))
    (root / "a.txt").write_text("A heading that is not there\n" + "\n\n".join(LINES) + "\n")
    (root / "b.png").write_bytes(png(255 - (255 - drawn.gray) // 2))
    (root / "b.gt.txt").write_text("\n".join([LINES[0], "another line than that which stands there", LINES[2]]))
    (root / "c.png").write_bytes(png(drawn.gray))
    (root / "d.png").write_bytes(png(drawn.gray)[:200])
    (root / "d.txt").write_text("\n".join(LINES))
    (root / "e.png").write_bytes(png(drawn.gray))
    (root / "e.txt").write_text("\n".join(LINES) * 1000)
    return root


def test_packed_lines_of_pages_get_their_text_from_transcriptions(transcribed, tmp_path):
    output = tmp_path / "lines.parquet"
    done = inkbeam("data", "pack", transcribed, "--output", output, "--lines", "transcribed", "--gaps")
    assert done.code == 0, done.err
    assert "5 samples" in done.out
    for reason in (
        "no text file c.",
        "d.png: ",
        "e.txt holds 2,001 lines, more than a page can",
        "1 × not surely one of the page's transcribed lines",
    ):
        assert reason in done.out
    samples = list(read_parquet(output))
    assert [(s.group, s.text) for s in samples] == [
        *(("a.png", text) for text in LINES),
        ("b.png", LINES[0]),
        ("b.png", LINES[2]),
    ]
    assert likeness(samples[0].gray, samples[3].gray) > 0.9
    assert all(s.gaps for s in samples)


def test_transcribed_lines_need_pages_with_texts(words, tmp_path):
    done = inkbeam("data", "pack", words, "--output", tmp_path / "a.parquet", "--lines", "transcribed")
    assert done.code == 2
    assert "no folder of page pictures with .txt files of the same name" in done.err


def test_packed_words_of_iam_are_joined_when_asked(iam, tmp_path):
    plain, joined, again, other = (tmp_path / f"{name}.parquet" for name in ("plain", "joined", "again", "other"))
    assert inkbeam("data", "pack", iam, "--output", plain).code == 0
    assert [s.text for s in read_parquet(plain)] == ["Come", "by", "noon", ".", "roads"]
    for output, seed in ((joined, 0), (again, 0), (other, 1)):
        done = inkbeam("data", "pack", iam, "--output", output, "--lines", "joined", "--seed", seed)
        assert done.code == 0, done.err
        assert "1 sample," in done.out and "1 × marked as wrongly segmented" in done.out
    (line,) = read_parquet(joined)
    assert (line.id, line.text, line.group) == ("a01-000u-00", "Come by noon.", "a01-000u")
    assert joined.read_bytes() == again.read_bytes() != other.read_bytes()


def test_data_without_a_usable_sample_is_not_packed_in_silence(words, tmp_path):
    done = inkbeam("data", "pack", words, "--output", tmp_path / "a.parquet", "--lines", "joined")
    assert done.code == 2
    assert "no usable sample" in done.err and "no line in its id" in done.err


@pytest.mark.parametrize(
    ("place", "why"), [("labels.csv/a.parquet", "cannot be written"), ("taken.parquet", "is a folder; name a file")]
)
def test_what_cannot_be_written_is_wrong_usage_and_leaves_all_as_it_was(words, place, why):
    (words / "taken.parquet").mkdir()
    before = files(words)
    done = inkbeam("data", "pack", words / "labels.csv", "--output", words / place)
    assert done.code == 2
    assert f"--output {words / place}: {why}" in done.err
    assert files(words) == before
