"""Pages and jobs that the tests of the pipeline share."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from PIL import Image

from tests import broken_files
from tests.pipelines.drawing import LETTER, page


def write_letter(path: Path, lines: tuple[str, ...] = LETTER) -> Path:
    """A page of drawn lines as a PNG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(broken_files.encoded(page(lines), "PNG"))
    return path


@pytest.fixture
def letter(tmp_path) -> Path:
    """One page of three lines."""
    return write_letter(tmp_path / "scans" / "letter.png")


def write_scans(folder: Path) -> dict[tuple[str, int], tuple[int, int]]:
    """A folder of good scans of many kinds; their pages by file name and page index, with width and height.

    Names with spaces, brackets and accents, a subfolder, a hidden file and a note that is no scan are part of it.
    """
    folder.mkdir(parents=True)
    write_letter(folder / "letter.png")
    write_letter(folder / "box 2" / "müller [1].png", ("Come before Easter", "if the roads allow", "Harriet Lowe"))
    write_letter(folder / "blank.png", ())
    write_letter(folder / ".hidden.png")
    (folder / "notes.txt").write_text("not a scan")
    first, second = (Image.fromarray(page(lines)) for lines in (LETTER[:1], ("nine boxes", "of old papers", "and ink")))
    first.save(folder / "ledger.tif", save_all=True, append_images=[second], compression="tiff_lzw")
    first.save(folder / "diary.pdf", save_all=True, append_images=[second], resolution=150)
    turned = Image.fromarray(page(LETTER)).rotate(90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    turned.save(buffer, "JPEG", quality=95, exif=exif)
    (folder / "phone.jpg").write_bytes(buffer.getvalue())
    return {
        ("letter.png", 0): (640, 280),
        ("müller [1].png", 0): (640, 280),
        ("blank.png", 0): (640, 70),
        ("ledger.tif", 0): (640, 140),
        ("ledger.tif", 1): (640, 280),
        ("diary.pdf", 0): (1280, 280),
        ("diary.pdf", 1): (1280, 560),
        ("phone.jpg", 0): (640, 280),
    }


def write_broken(folder: Path) -> None:
    """Every broken file there is, and a TIFF of two good frames and a lost one."""
    folder.mkdir(parents=True)
    for name, make in broken_files.BROKEN.items():
        (folder / name).write_bytes(make())
    (folder / "lost_frame.tif").write_bytes(broken_files.tiff_with_lost_frames())


@pytest.fixture(scope="session")
def speaking_bundle(tiny_bundle, tmp_path_factory):
    """The tiny bundle with a language model."""
    from htr_model import bundle
    from htr_model.decoding.counting import count_ngrams
    from htr_model.decoding.ngram_file import to_bytes

    folder = tmp_path_factory.mktemp("bundles") / "speaking"
    shutil.copytree(tiny_bundle, folder)
    text = "the letters of the archive lie in the boxes of the archive and no other letters lie there " * 20
    known = to_bytes(count_ngrams(text, bundle.load(folder).charset.symbols, 4))
    (folder / bundle.LANGUAGE_MODEL_FILE).write_bytes(known)
    return folder
