"""Documents as PDF, read back by another program's code: pictures as scanned, words where they stand."""

import hashlib

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from tests.pipelines import made_tables
from tests.pipelines.drawing import LETTER, page
from tests.pipelines.jobs import inkbeam
from tests.pipelines.made_tables import write_run


def word(uri, index, line, number, text, box, turn=0, levels=(None, None)):
    place = {"document_uri": uri, "page_index": index, "line_index": line, "word_index": number}
    sides = dict(zip(("left", "top", "right", "bottom"), box, strict=True))
    baseline = dict(zip(("baseline_start", "baseline_end"), levels, strict=True))
    return {**place, "text": text, "confidence": 0.5, "turn_degrees": turn, **baseline, **sides}


@pytest.fixture
def volume(tmp_path):
    """A TIFF of two pages and the tables of it: words along, up and down the first page, none on the second."""
    scan = tmp_path / "volume.tif"
    first, second = (Image.fromarray(page(lines)) for lines in (LETTER, LETTER[:2]))
    first.save(scan, save_all=True, append_images=[second])
    uri = str(scan)
    words = [
        word(uri, 0, 0, 0, "Dear", (40, 30, 140, 62), levels=(60, 62)),
        word(uri, 0, 0, 1, "gray", (150, 33, 250, 76), levels=(62, 66)),  # a descender and a slope
        word(uri, 0, 0, 2, "œuf", (260, 38, 330, 72), levels=(66, 70)),
        word(uri, 0, 1, 0, "upwards", (10, 100, 34, 250), 90),
        word(uri, 0, 2, 0, "downwards", (600, 100, 630, 250), 270),
    ]
    sha256 = hashlib.sha256(scan.read_bytes()).hexdigest()
    pages = [
        {
            **made_tables.page(uri, index, 2, words=count),
            "width": picture.width,
            "height": picture.height,
            "dpi": dpi,
            "source_sha256": sha256,
            "model_id": "model",
        }
        for index, (picture, count, dpi) in enumerate(((first, 5, 100.0), (second, 0, 72.0)))
    ]
    write_run(tmp_path / "tables", "night-1", 1, pages, (), words)
    return tmp_path


def exported(folder, name="out"):
    done = inkbeam("export", folder / "tables", "--to", "pdf", "--output", folder / name)
    assert (done.code, done.err) == (0, "")
    (path,) = (folder / name).iterdir()
    return path


def test_pages_of_a_document_are_one_file_that_looks_as_it_was_scanned(volume):
    path = exported(volume)
    assert path.name.startswith("volume.tif-") and path.suffix == ".pdf"
    document = pypdfium2.PdfDocument(path)
    assert len(document) == 2 and document.get_metadata_value("Title") == "volume.tif"
    assert document.get_metadata_value("Subject") == str(volume / "volume.tif")
    assert document.get_metadata_value("Author") == "" and b"ASCII85" not in path.read_bytes()
    for sheet, lines, dpi in zip(document, (LETTER, LETTER[:2]), (100, 200), strict=True):
        scan = page(lines)
        assert sheet.get_size() == pytest.approx((scan.shape[1] * 72 / dpi, scan.shape[0] * 72 / dpi), abs=0.01)
        seen = sheet.render(scale=dpi / 72).to_numpy()[: scan.shape[0], : scan.shape[1], 0]  # sizes are rounded up
        assert np.abs(seen.astype(int) - scan).mean() < 3  # no word is drawn over it


def test_colours_are_kept(tmp_path):
    scan = tmp_path / "letter.png"
    sheet = Image.fromarray(page(LETTER)).convert("RGB")
    sheet.paste((200, 40, 30), (500, 150, 600, 250))
    sheet.save(scan)
    facts = {
        **made_tables.page(str(scan), 0, 1),
        "width": sheet.width,
        "height": sheet.height,
        "dpi": 200.0,
        "source_sha256": hashlib.sha256(scan.read_bytes()).hexdigest(),
        "model_id": "model",
    }
    write_run(tmp_path / "tables", "night-1", 1, [facts], (), [])
    (shown,) = pypdfium2.PdfDocument(exported(tmp_path))
    seen = shown.render(scale=200 / 72, rev_byteorder=True).to_numpy()
    assert seen[200, 550, :3].tolist() == pytest.approx((200, 40, 30), abs=12)
    assert np.abs(seen[: sheet.height, : sheet.width, :3].astype(int) - np.asarray(sheet)).mean() < 3


def test_words_can_be_found_where_they_stand(volume):
    sheet = pypdfium2.PdfDocument(exported(volume))[0]
    text = sheet.get_textpage()
    assert text.get_text_bounded().splitlines()[0].split() == ["Dear", "gray", "œuf"]
    scale, height = 72 / 100, page(LETTER).shape[0]
    for wanted, (left, top, right, bottom) in {
        "Dear": (40, 30, 140, 62),
        "œuf": (260, 38, 330, 72),
        "upwards": (10, 100, 34, 250),
        "downwards": (600, 100, 630, 250),
    }.items():
        start, count = text.search(wanted).get_next()
        letters = np.array([text.get_charbox(start + i) for i in range(count)]) / scale
        x0, y0, x1, y1 = letters[:, 0].min(), letters[:, 1].min(), letters[:, 2].max(), letters[:, 3].max()
        found = np.array([x0, height - y1, x1, height - y0])
        # Within the box, lower than it, and over nearly all of its length.
        inside = np.clip(found, [left, top, left, top], [right, bottom, right, bottom])
        assert np.abs(found - inside).max() < 12, wanted
        along, length = (x1 - x0, right - left) if right - left > bottom - top else (y1 - y0, bottom - top)
        assert along > 0.85 * length, wanted


def test_writing_that_runs_up_or_down_is_told_in_its_direction(volume):
    text = pypdfium2.PdfDocument(exported(volume))[0].get_textpage()
    for wanted, rising in (("upwards", True), ("downwards", False)):
        start, count = text.search(wanted).get_next()
        first, last = (text.get_charbox(start + i) for i in (0, count - 1))
        assert (last[1] > first[1]) == rising


def test_same_pages_give_the_same_file(volume):
    assert exported(volume, "one").read_bytes() == exported(volume, "two").read_bytes()


def test_document_that_cannot_be_shown_is_told_and_left_out(volume):
    (volume / "volume.tif").write_bytes(b"no longer a picture")
    done = inkbeam("export", volume / "tables", "--to", "pdf", "--output", volume / "out")
    assert done.code == 1 and done.err.count("volume.tif") == 2
    assert not (volume / "out").exists() and done.out == "nothing was written: no document can be shown\n"


def test_pictures_beside_a_pdf_are_wrong_usage(volume):
    done = inkbeam("export", volume / "tables", "--to", "pdf", "--pictures", "--output", volume / "out")
    assert done.code == 2 and "--to pdf holds the pictures" in done.err
