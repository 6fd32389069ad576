"""Files of an export: what has something to show is written, what has not is passed over."""

import hashlib
import json
import re

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


# ------------------------------------------------------------------------------------------------ pages no more


def night(folder, day, uri, pages, sha256="0" * 64):
    """A run that reads a document of some pages."""
    read = [{**page(str(uri), 1, index, pages), "source_sha256": sha256} for index in range(pages)]
    written = [word for index in range(pages) for word in words(str(uri), f"word{day}{index}", index=index)]
    write_run(folder / "tables", f"night-{day}", day, read, (), written)


def numbers(paths):
    """What distinguishes the names of a document's files."""
    return sorted(re.fullmatch(r"\w\.tif-[0-9a-f]{8}(.*)", path.name)[1] for path in paths)


@pytest.mark.parametrize(
    ("before", "now", "left"),
    [
        (4, 2, ["-page1.txt", "-page2.txt"]),
        (3, 1, [".txt"]),
        (1, 2, ["-page1.txt", "-page2.txt"]),
        (2, 3, ["-page1.txt", "-page2.txt", "-page3.txt"]),
    ],
)
def test_files_of_pages_that_are_no_more_are_removed(tmp_path, before, now, left):
    night(tmp_path, 1, "/s/a.tif", before)
    export(tmp_path, "--to", "text")
    night(tmp_path, 2, "/s/a.tif", now)
    assert numbers(export(tmp_path, "--to", "text")[1]) == left


def test_only_what_an_export_wrote_of_pages_that_are_no_more_is_removed(tmp_path):
    for day, uri in enumerate(("/s/a.tif", "/s/b.tif", "/s/c.tif"), 1):
        night(tmp_path, day, uri, 4)
    _, paths = export(tmp_path, "--to", "text")
    third, fourth = sorted(path for path in paths if path.name.startswith("a.tif"))[2:]
    fourth.write_text("what somebody made of it\n")
    names = ("page5", "page03", "page3-copy", "page3x")
    mine = [third.with_name(third.name.replace("page3", name)) for name in names]
    mine += [third.with_suffix(ending) for ending in (".gt.txt", ".md", ".page.xml", ".jpg")]
    for path in mine:
        path.write_bytes(third.read_bytes())
    for day, uri in enumerate(("/s/a.tif", "/s/b.tif"), 4):
        night(tmp_path, day, uri, 2)
    _, left = export(tmp_path, "--to", "text", "--documents", "a.tif")
    assert sorted({*paths, *mine} - set(left)) == [third]
    assert fourth.read_text() == "what somebody made of it\n"


def test_picture_goes_with_the_file_of_its_page_and_stays_beside_one_that_was_corrected(tmp_path):
    scan = tmp_path / "a.tif"
    frame = Image.fromarray(draw(LETTER[:1]))
    for day, count in enumerate((4, 2), 1):
        frame.save(scan, save_all=True, append_images=[frame] * (count - 1))
        night(tmp_path, day, scan, count, hashlib.sha256(scan.read_bytes()).hexdigest())
        done, paths = export(tmp_path, "--to", "page", "--pictures")
        assert (done.code, len(paths)) == (0, 8 if day == 1 else 6)
        if day == 1:
            (third,) = (path for path in paths if path.name.endswith("page3.page.xml"))
            third.write_text(third.read_text().replace("word12", "words"))
    left = [f"-page{number}{ending}" for number in (1, 2, 3) for ending in (".jpg", ".page.xml")]
    assert numbers(paths) == left


def test_pdf_of_a_document_that_has_become_shorter_is_replaced(tmp_path):
    scan, frame = tmp_path / "a.tif", Image.fromarray(draw(LETTER[:1]))
    for day, count in enumerate((3, 2), 1):
        frame.save(scan, save_all=True, append_images=[frame] * (count - 1))
        night(tmp_path, day, scan, count, hashlib.sha256(scan.read_bytes()).hexdigest())
        _, (path,) = export(tmp_path, "--to", "pdf")
        assert len(pypdfium2.PdfDocument(path)) == count
