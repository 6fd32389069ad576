"""Pages of an archive for other programs: made-up tables in, files out."""

import pyarrow as pa
import pytest

from htr_model.readers.alto import parse_alto
from htr_model.readers.page_xml import parse_page
from htr_model.readers.safe_xml import parse_xml
from pipelines.archive.reading import open_archive
from pipelines.archive.transcripts import Transcript
from pipelines.files import page_stem
from pipelines.formats.alto import to_alto
from pipelines.formats.page_xml import to_page
from pipelines.formats.text import to_csv, to_text
from pipelines.records import WORDS
from segmentation.geometry import Box
from tests.pipelines import made_tables
from tests.pipelines.jobs import inkbeam
from tests.pipelines.made_tables import write_run, write_table


def page(uri, words, index=0, pages=1):
    facts = {"width": 400, "height": 300, "source_sha256": "abcdef0123456789", "model_id": "model"}
    return {**made_tables.page(uri, index, pages, words=words), **facts}


def word(uri, line, number, text, index=0, run_id="", confidence=0.5):
    sides = {"left": 10 + 50 * number, "top": 20 + 40 * line, "right": 50 + 50 * number, "bottom": 50 + 40 * line}
    place = {"document_uri": uri, "page_index": index, "line_index": line, "word_index": number}
    return {**place, "text": text, "confidence": confidence, "run_id": run_id, **sides}


def words(uri, *lines, index=0):
    return [word(uri, i, j, text, index) for i, line in enumerate(lines) for j, text in enumerate(line.split())]


def of(output) -> dict[str, Transcript]:
    found = list(open_archive(str(output)).transcripts())
    assert len({page.name for page in found}) == len(found)
    return {page.name: page for page in found}


def text(page: Transcript) -> str:
    return to_text(page).decode()


def test_every_page_is_there_once_in_reading_order(tmp_path):
    rows = words("/s/a.png", "a fair copy", "of it") + words("/s/b.tif", "second", index=1)
    write_run(
        tmp_path, "night-1", 1, [page("/s/a.png", 5), page("/s/b.tif", 1, 1, 2), page("/s/c.png", 0)], (), rows[::-1]
    )
    found = of(tmp_path)
    assert {name: text(page) for name, page in found.items()} == {
        page_stem("/s/a.png", 0, 1): "a fair copy\nof it\n",
        page_stem("/s/b.tif", 1, 2): "second\n",
        page_stem("/s/c.png", 0, 1): "",
    }
    assert found[page_stem("/s/a.png", 0, 1)].lines[1][1].box == Box(60, 60, 100, 90)


def test_page_read_again_is_as_its_latest_run_read_it(tmp_path):
    before = words("/s/a.png", "tbe old") + words("/s/b.png", "b")
    write_run(tmp_path, "night-1", 1, [page("/s/a.png", 2), page("/s/b.png", 1)], (), before)
    write_run(tmp_path, "night-2", 2, [page("/s/a.png", 3)], (), words("/s/a.png", "the new one"))
    assert {text(page) for page in of(tmp_path).values()} == {"the new one\n", "b\n"}


def test_words_of_a_page_may_lie_in_two_files(tmp_path):
    rows = words("/s/a.png", "one two", "three")
    write_run(tmp_path, "night-1", 1, [page("/s/a.png", 3)], (), rows[:2])
    write_table(tmp_path, "words", "night-1", [{**row, "run_id": "night-1"} for row in rows[2:]])
    assert text(of(tmp_path)[page_stem("/s/a.png", 0, 1)]) == "one two\nthree\n"


@pytest.fixture
def transcript(tmp_path):
    rows = words("/s/ledger & co \x01.png", 'Müller "& Söhne" <1871>', "œuvre")
    write_run(tmp_path, "20261121T181226Z-abc", 1, [page("/s/ledger & co \x01.png", 5)], (), rows)
    (made,) = of(tmp_path).values()
    return made


def test_text_is_utf8(transcript):
    assert to_text(transcript).decode() == 'Müller "& Söhne" <1871>\nœuvre\n'


def test_scraps_are_no_part_of_the_text_unless_in_a_table(tmp_path):
    rows = words("/s/a.png", "some text", "I", "4")
    rows[2]["confidence"] = 0.4
    rows[3].update(confidence=0.4, region_index=1, table_row=0, table_column=0)
    write_run(tmp_path, "night-1", 1, [page("/s/a.png", 4)], (), rows)
    (made,) = of(tmp_path).values()
    assert text(made) == "some text\n\n4\n" and len(made.lines) == 3


def parsed(tmp_path, data):
    (tmp_path / "page.xml").write_bytes(data)
    return parse_xml(tmp_path / "page.xml")


@pytest.mark.parametrize(("write", "parse"), [(to_alto, parse_alto), (to_page, parse_page)])
def test_what_is_written_as_xml_can_be_read_again(tmp_path, transcript, write, parse):
    read = parse(parsed(tmp_path, write(transcript)))
    assert read.picture == "ledger & co \ufffd.png"
    assert read.size == (400, 300)
    assert [line.text for line in read.lines] == ['Müller "& Söhne" <1871>', "œuvre"]
    # The corners of an outline are pixels of the line.
    assert read.lines[0].box.tolist() == [10, 20, 189, 29]
    assert not any(len(line.baseline) for line in read.lines)


@pytest.mark.parametrize(("write", "parse"), [(to_alto, parse_alto), (to_page, parse_page)])
@pytest.mark.parametrize(
    ("turn", "boxes", "levels", "baseline", "outline"),
    [
        (
            0,
            [(10, 20, 30, 40), (35, 24, 60, 50)],
            [(38, 39), (40, 42)],
            [[10, 38], [29, 39], [35, 40], [59, 42]],
            [[10, 20], [29, 20], [35, 24], [59, 24], [59, 49], [35, 49], [29, 39], [10, 39]],
        ),
        (  # read upwards: the page must be turned clockwise
            90,
            [(10, 70, 30, 90), (12, 40, 34, 65)],
            [(28, 28), (28, 30)],
            [[28, 89], [28, 70], [28, 64], [30, 40]],
            [[10, 89], [10, 70], [12, 64], [12, 40], [33, 40], [33, 64], [29, 70], [29, 89]],
        ),
        (  # boxes that overlap
            0,
            [(10, 20, 40, 40), (30, 24, 60, 50)],
            [(38, 38), (40, 40)],
            [[10, 38], [39, 38], [59, 40]],
            [[10, 20], [39, 20], [40, 24], [59, 24], [59, 49], [40, 49], [39, 39], [10, 39]],
        ),
        (  # read downwards; the second word lies within the length of the first
            270,
            [(10, 40, 30, 80), (6, 50, 30, 70)],
            [(12, 12), (11, 11)],
            [[12, 40], [12, 79]],
            [[29, 40], [29, 79], [6, 79], [6, 40]],
        ),
    ],
)
def test_lines_have_outlines_and_baselines(tmp_path, write, parse, turn, boxes, levels, baseline, outline):
    rows = words("/s/a.png", "two words")
    for row, box, (start, end) in zip(rows, boxes, levels, strict=True):
        row.update(zip(("left", "top", "right", "bottom"), box, strict=True))
        row.update(turn_degrees=turn, baseline_start=start, baseline_end=end)
    write_run(tmp_path, "night-1", 1, [page("/s/a.png", 2)], (), rows)
    (made,) = of(tmp_path).values()
    (line,) = parse(parsed(tmp_path, write(made))).lines
    assert line.baseline.tolist() == baseline and line.polygon.tolist() == outline


def test_xml_holds_words_with_their_confidence(tmp_path, transcript):
    alto, page_xml = parsed(tmp_path, to_alto(transcript)), parsed(tmp_path, to_page(transcript))
    strings = list(alto.iter("String"))
    assert [s.get("CONTENT") for s in strings] == ["Müller", '"&', 'Söhne"', "<1871>", "œuvre"]
    assert {s.get("WC") for s in strings} == {"0.5000"}
    assert [w.find("TextEquiv").get("conf") for w in page_xml.iter("Word")] == ["0.5000"] * 5
    assert page_xml.findtext("Metadata/Created") == "2026-01-01T01:00:00Z"
    uri = "/s/ledger & co \ufffd.png"
    assert page_xml.find("Metadata").get("externalRef") == alto.findtext(".//fileIdentifier") == uri


def test_writing_in_the_margin_is_a_region_that_says_how_it_is_turned(tmp_path):
    rows = words("/s/a.png", "Dear sister", "in the margin", "more")
    turned = [{**row, "turn_degrees": 270 if row["line_index"] else 0} for row in rows]
    write_run(tmp_path, "night-1", 1, [page("/s/a.png", 6)], (), turned)
    (made,) = of(tmp_path).values()
    alto, page_xml = parsed(tmp_path, to_alto(made)), parsed(tmp_path, to_page(made))
    assert [(b.get("ROTATION"), len(list(b.iter("TextLine")))) for b in alto.iter("TextBlock")] == [
        (None, 1),
        ("270", 2),
    ]
    regions = [(r.get("type"), r.get("orientation"), r.get("id")) for r in page_xml.iter("TextRegion")]
    assert regions == [(None, None, "region0"), ("marginalia", "-90", "region1")]
    assert [x.get("id") for x in page_xml.iter("TextLine")] == ["line0", "line1", "line2"]
    assert [x.get("ID") for x in alto.iter("TextLine")] == ["line0", "line1", "line2"]


def test_every_region_is_a_block_in_reading_order(tmp_path):
    rows = words("/s/book.png", "left page", "and more", "its margin", "right page")
    regions = [{**row, "region_index": (0, 0, 1, 2)[row["line_index"]]} for row in rows]
    turned = [{**row, "turn_degrees": 90 if row["region_index"] == 1 else 0} for row in regions]
    write_run(tmp_path, "night-1", 1, [page("/s/book.png", 8)], (), turned)
    (made,) = of(tmp_path).values()
    alto, page_xml = parsed(tmp_path, to_alto(made)), parsed(tmp_path, to_page(made))
    blocks = [(b.get("ROTATION"), len(list(b.iter("TextLine")))) for b in alto.iter("TextBlock")]
    assert blocks == [(None, 2), ("90", 1), (None, 1)]
    regions = [(r.get("id"), r.get("type"), len(list(r.iter("TextLine")))) for r in page_xml.iter("TextRegion")]
    assert regions == [("region0", None, 2), ("region1", "marginalia", 1), ("region2", None, 1)]
    order = page_xml.find("Page/ReadingOrder/OrderedGroup")
    assert [(r.get("index"), r.get("regionRef")) for r in order] == [(str(i), f"region{i}") for i in range(3)]
    # The schema wants it before the regions.
    assert [child.tag for child in page_xml.find("Page")] == ["ReadingOrder", *["TextRegion"] * 3]
    assert text(made) == "left page\nand more\n\nits margin\n\nright page\n"


def test_page_of_one_region_needs_no_order(transcript, tmp_path):
    page_xml = parsed(tmp_path, to_page(transcript))
    assert [child.tag for child in page_xml.find("Page")] == ["TextRegion"]


CELLS = [None, (0, 0), (0, 0), (0, 1), (1, 1), None, (0, 0), (1, 0), (1, 2)]
"""Of the lines of a page: a heading, a table with an empty cell, a line below it, the table of the page beside it."""


@pytest.fixture
def register(tmp_path):
    texts = ("Births 1907", "Anna", "Baker", "12 may", '13 "may", late', "carried over", "101", "102", "paid")
    rows = words("/s/register.png", *texts)
    region = [0, 1, 1, 2, 3, 4, 5, 6, 7]
    for row in rows:
        cell = CELLS[row["line_index"]] or (None, None)
        row |= {"region_index": region[row["line_index"]], "table_row": cell[0], "table_column": cell[1]}
    write_run(tmp_path, "night-1", 1, [page("/s/register.png", len(rows))], (), rows)
    (made,) = of(tmp_path).values()
    return made


def test_tables_are_rows_of_csv(register):
    tables = 'Anna Baker,12 may\r\n,"13 ""may"", late"\r\n\r\n101,,\r\n102,,paid\r\n'
    assert to_csv(register).decode() == tables


def test_rows_of_a_table_are_lines_of_the_text(register):
    rows = 'Anna Baker\t12 may\n\t13 "may", late\n'
    assert text(register) == f"Births 1907\n\n{rows}\ncarried over\n\n101\n102\t\tpaid\n"


@pytest.mark.parametrize(
    ("cells", "sizes"),
    [
        ([(0, 0), (0, 1), (1, 0)], [3]),
        ([(0, 0), (1, 1), (0, 2)], [2, 1]),
        ([(0, 0), (0, 1), (0, 0)], [2, 1]),
        ([(0, 0), (0, 0), (1, 0)], [1, 2]),
    ],
)
def test_a_cell_that_does_not_lie_behind_the_last_one_begins_another_table(tmp_path, cells, sizes):
    rows = words("/s/book.png", *"abc")
    for i, (row, (table_row, table_column)) in enumerate(zip(rows, cells, strict=True)):
        row.update(region_index=i, table_row=table_row, table_column=table_column)
    write_run(tmp_path, "night-1", 1, [page("/s/book.png", 3)], (), rows)
    (made,) = of(tmp_path).values()
    assert [len(part) for part in made.parts] == sizes
    assert [block.text for part in made.parts for block in part] == ["a", "b", "c"]


def test_page_without_a_table_has_no_csv(transcript):
    assert to_csv(transcript) is None


def test_cells_are_regions_of_a_table_that_know_their_place(register, tmp_path):
    page_xml = parsed(tmp_path, to_page(register))
    sheet = page_xml.find("Page")
    assert [child.tag for child in sheet] == ["ReadingOrder", "TextRegion", "TableRegion", "TextRegion", "TableRegion"]
    roles = [[r.attrib for r in table.iter("TableCellRole")] for table in sheet.iter("TableRegion")]
    assert [[(r["rowIndex"], r["columnIndex"]) for r in table] for table in roles] == [
        [("0", "0"), ("0", "1"), ("1", "1")],
        [("0", "0"), ("1", "0"), ("1", "2")],
    ]
    assert [region.get("id") for region in sheet.iter("TextRegion")] == [f"region{i}" for i in range(8)]
    # What the schema wants of a region: outline, role, lines.
    cell = sheet.find("TableRegion/TextRegion")
    assert [child.tag for child in cell] == ["Coords", "Roles", "TextLine", "TextLine"]
    assert [line.text for line in parse_page(page_xml).lines] == [
        " ".join(word.text for word in line) for line in register.lines
    ]


@pytest.mark.parametrize("missing", [("region_index",), ("region_index", "turn_degrees")])
def test_tables_of_earlier_versions_have_a_block_for_what_is_read_one_way(tmp_path, missing):
    old = pa.schema([f for f in WORDS if f.name not in missing])
    rows = [
        {**row, "turn_degrees": 90 if row["line_index"] else 0, "run_id": "night-1"}
        for row in words("/s/a.png", "Dear sister", "in the margin")
    ]
    write_run(tmp_path, "night-1", 1, [page("/s/a.png", 5)])
    write_table(tmp_path, "words", "night-1", rows, old)
    newer = [{**row, "region_index": row["line_index"]} for row in words("/s/b.png", "left", "right")]
    write_run(tmp_path, "night-2", 2, [page("/s/b.png", 2)], (), newer)
    found = {name[:5]: [len(block.lines) for block in made.blocks] for name, made in of(tmp_path).items()}
    assert found == {"a.png": [2] if "turn_degrees" in missing else [1, 1], "b.png": [1, 1]}


@pytest.mark.parametrize("write", [to_text, to_alto, to_page])
def test_blank_page_is_written_too(tmp_path, write):
    write_run(tmp_path, "night-1", 1, [page("/s/blank.png", 0)])
    (made,) = of(tmp_path).values()
    data = write(made)
    assert data == b"" if write is to_text else not list(parsed(tmp_path, data).iter("TextLine"))


def test_command_writes_a_file_a_page(tmp_path):
    archive = tmp_path / "archive"
    write_run(
        archive,
        "night-1",
        1,
        [page("/s/a.png", 1), page("/s/b.png", 1)],
        (),
        words("/s/a.png", "a") + words("/s/b.png", "b"),
    )
    for kind, ending in (("text", "txt"), ("alto", "alto.xml"), ("page", "page.xml")):
        done = inkbeam("export", archive, "--to", kind, "--output", tmp_path / kind)
        assert (done.code, done.out) == (0, f"2 pages: {tmp_path / kind}\n")
        assert sorted(p.name for p in (tmp_path / kind).iterdir()) == [
            f"{page_stem(f'/s/{n}.png', 0, 1)}.{ending}" for n in "ab"
        ]
    assert (tmp_path / "text" / f"{page_stem('/s/b.png', 0, 1)}.txt").read_text() == "b\n"


def test_folder_without_runs_and_output_that_cannot_be_written_are_wrong_usage(tmp_path):
    done = inkbeam("export", tmp_path, "--to", "text", "--output", tmp_path / "x")
    assert (done.code, "no committed run" in done.err) == (2, True)
    archive, taken = tmp_path / "archive", tmp_path / "taken"
    write_run(archive, "night-1", 1, [page("/s/a.png", 0)])
    taken.write_text("a file")
    done = inkbeam("export", archive, "--to", "text", "--output", taken)
    assert done.code == 2
    assert f"--output {taken}" in done.err
    assert "cannot be written" in done.err
