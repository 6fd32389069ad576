"""Files of an export: what has something to show is written, what has not is passed over."""

import hashlib
import json

import pypdfium2
import pytest
from PIL import Image

from tests.pipelines.archive.test_transcripts import page, words
from tests.pipelines.drawing import LETTER
from tests.pipelines.drawing import page as draw
from tests.pipelines.jobs import inkbeam
from tests.pipelines.made_tables import write_run


@pytest.fixture
def volume(tmp_path):
    """A TIFF of two pages and its tables, as a function of how many of them were read from the file as it is."""
    scan = tmp_path / "volume.tif"
    first, second = (Image.fromarray(draw(lines)) for lines in (LETTER, LETTER[:2]))
    first.save(scan, save_all=True, append_images=[second])
    sha256 = hashlib.sha256(scan.read_bytes()).hexdigest()

    def write(unchanged=(0, 1), in_table=()):
        pages, rows = [], []
        for index, text in enumerate(("first", "second")):
            own = page(str(scan), 1, index, 2)
            pages.append({**own, "source_sha256": sha256 if index in unchanged else "0" * 64})
            (word,) = words(str(scan), text, index=index)
            rows.append({**word, "table_row": 0, "table_column": 0} if index in in_table else word)
        write_run(tmp_path / "tables", "night-1", 1, pages, (), rows)
        return tmp_path

    return write


def export(folder, *arguments):
    done = inkbeam("export", folder / "tables", "--output", folder / "out", *arguments)
    return done, sorted((folder / "out").glob("*"))


@pytest.mark.parametrize(("shown", "word"), [(0, "first"), (1, "second")])
def test_document_of_which_a_page_cannot_be_shown_has_its_other_pages(volume, shown, word):
    done, (path,) = export(volume(unchanged=[shown]), "--to", "pdf")
    assert (done.code, done.out.startswith("1 document:"), done.err.count("has changed since")) == (1, True, 1)
    (sheet,) = pypdfium2.PdfDocument(path)
    assert sheet.get_textpage().get_text_bounded().split() == [word]


def test_pages_of_which_the_format_holds_nothing_have_no_file_and_no_picture(volume):
    done, paths = export(volume(in_table=[1]), "--to", "csv", "--pictures")
    assert (done.code, done.err) == (0, "")
    assert [path.name.partition("-page")[2] for path in paths] == ["2.csv", "2.jpg"]
    assert paths[0].read_bytes() == b"second\r\n"


def test_scans_of_pages_of_which_the_format_holds_nothing_are_left_alone(volume):
    done, paths = export(volume(unchanged=[1], in_table=[1]), "--to", "csv", "--pictures")
    assert (done.code, done.err, len(paths)) == (0, "", 2)


@pytest.mark.parametrize(("decoding", "code"), [({"pdf_dpi": 300, "later": 1}, 0), ({"pdf_dpi": "fine"}, 2)])
def test_run_of_a_later_version_is_drawn_with_what_is_known_of_its_options(volume, decoding, code):
    folder = volume()
    path = folder / "tables" / "runs" / "night-1.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "options": {"decoding": decoding}}))
    done, paths = export(folder, "--to", "pdf")
    assert (done.code, len(paths)) == (code, 1 - code // 2)
    assert code == 0 or "the pages of run night-1 cannot be drawn as it drew them" in done.err
    done, paths = export(folder, "--to", "text")
    assert (done.code, len(paths)) == (0, 3 - code // 2)


def test_archive_of_which_the_format_holds_nothing_is_told_and_leaves_no_folder(volume):
    done, paths = export(volume(), "--to", "csv")
    assert (done.code, done.out) == (0, "nothing was written: no page has a table\n")
    assert paths == []
