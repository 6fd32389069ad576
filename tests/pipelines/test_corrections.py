"""Lines as they were corrected: which words keep their places, and where new ones go."""

import itertools
import re
from dataclasses import astuple, replace
from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from pipelines.archive.transcripts import Source, Transcript
from pipelines.corrections import Corrections
from pipelines.formats.page_xml import created, to_page
from pipelines.formats.shapes import outline
from pipelines.formats.text import to_csv, to_text
from pipelines.formats.xml import written
from pipelines.page_text import Word, line_text
from segmentation.decoding import PageRef
from segmentation.geometry import Box, Cell

READ = ("Come", "befor", "Easter")
"""The words of the line, each 80 pixels long, one every 100 pixels."""


def of_review(folder) -> Corrections:
    """The corrections in a folder of which all can be used."""
    return Corrections(folder, pytest.fail)


def again(page, lines, **facts) -> Transcript:
    """A page that was read again a day later, with other lines."""
    return replace(page, lines=tuple(lines), read_at=page.read_at + timedelta(days=1), **facts)


def saved(folder, text, turn=0, line="line0") -> Transcript:
    """A page of one line of which somebody saved ``text``."""
    places = [(100 * i, 100 * i + 80) for i in range(len(READ))]
    boxes = [Box(10, 280 - b, 40, 280 - a) if turn == 90 else Box(a, 10, b, 40) for a, b in places]
    words = tuple(Word(t, 0.6, box, turn=turn, baseline=(30, 38)) for t, box in zip(READ, boxes, strict=True))
    source = Source(PageRef("/s/a.png", 0), 1, "0" * 64, 0, "night-1")
    facts = {"name": "a", "source": source, "picture": "a.png", "read_at": datetime.now(timezone.utc)}
    page = Transcript(**facts, width=400, height=300, dpi=None, model_id="model", lines=(words,))
    (folder / "a.page.xml").write_text(
        f"<PcGts><Metadata><Created>{created(page)}</Created></Metadata>"
        f'<Page imageFilename="{page.review_picture}" imageWidth="400" imageHeight="300"><TextRegion>'
        f'<TextLine id="{line}"><Coords points="{written(outline(words))}"/>'
        f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine></TextRegion></Page></PcGts>"
    )
    return page


def corrected(folder, text, turn=0) -> tuple[Word, ...]:
    """What is left of a page of one line after somebody made ``text`` of it."""
    page, corrections = saved(folder, text, turn), of_review(folder)
    assert corrections.holds("a") and not corrections.holds("b")
    return tuple(word for line in corrections.applied(page).lines for word in line)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Come before Easter", [(0, 80), (100, 180), (200, 280)]),
        ("Come Easter", [(0, 80), (200, 280)]),
        ("Come be for Easter", [(0, 80), (100, 127), (140, 180), (200, 280)]),
        ("Come again befor Easter", [(0, 32), (40, 80), (100, 180), (200, 280)]),
        ("Do Come befor Easter", [(0, 23), (34, 80), (100, 180), (200, 280)]),
        ("Come befor Easter Day", [(0, 80), (100, 180), (200, 248), (256, 280)]),
        ("Comebefore Easter", [(0, 180), (200, 280)]),
        ("", []),
    ],
)
def test_words_that_stayed_keep_their_places_and_new_ones_share_that_of_those_beside_them(tmp_path, text, places):
    words = corrected(tmp_path, text)
    assert " ".join(word.text for word in words) == text
    assert [(word.box.left, word.box.right) for word in words] == places
    assert all(word.confidence == (0.6 if word.text in READ and word.box.width == 80 else 1) for word in words)


def test_words_up_a_margin_share_their_place_along_the_writing(tmp_path):
    _, be, fore, _ = corrected(tmp_path, "Come be for Easter", turn=90)
    assert (be.box.top, be.box.bottom) == (153, 180) and (fore.box.top, fore.box.bottom) == (100, 140)


def test_a_new_words_baseline_is_its_part_of_the_old_one(tmp_path):
    _, be, fore, _ = corrected(tmp_path, "Come be for Easter")
    assert be.baseline == (30, 33) and fore.baseline == (34, 38)


def test_a_page_that_somebody_saved_keeps_its_doubtful_scraps(tmp_path):
    page = saved(tmp_path, "Sir")
    scrap = replace(page, lines=((replace(page.lines[0][0], text="Sir", confidence=0.3),),))
    assert to_text(scrap) == b""
    assert to_text(of_review(tmp_path).applied(scrap)) == b"Sir\n"


def two_regions(folder, *regions) -> Transcript:
    """A page of two regions with a line each, the second in a cell; what was saved of it has the lines ``regions``."""
    page = saved(folder, "")
    below = [
        replace(word, region=1, cell=Cell(2, 3), box=Box(word.box.left, 60, word.box.right, 90), line=4)
        for word in page.lines[0]
    ]
    found = {f"line{i}": written(outline(line)) for i, line in enumerate((page.lines[0], below))}
    lines = [
        f'<TextLine id="{name}"><Coords points="{found.get(name, points)}"/>'
        f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>"
        for name, text, points in itertools.chain(*regions)
    ]
    path = folder / "a.page.xml"
    head = path.read_text().partition("<TextRegion>")[0]
    first = len(regions[0])
    inside = "".join(f"<TextRegion>{''.join(part)}</TextRegion>" for part in (lines[:first], lines[first:]))
    path.write_text(f"{head}{inside}</Page></PcGts>")
    return replace(page, lines=(page.lines[0], tuple(below)))


def test_lines_are_read_in_the_order_and_the_region_in_which_they_were_saved(tmp_path):
    page = two_regions(tmp_path, [("line1", "Come", "0,0")], [("line0", "Easter", "0,0")])
    (come,), (easter,) = of_review(tmp_path).applied(page).lines
    assert (come.text, come.region, come.cell, come.box.top, come.line) == ("Come", 0, None, 60, 4)
    assert (easter.text, easter.region, easter.cell, easter.box.left) == ("Easter", 1, Cell(2, 3), 200)


def test_a_drawn_line_stands_where_it_was_drawn(tmp_path):
    page = two_regions(
        tmp_path,
        [("line0", "Come", "0,0"), ("new0", "Good Day", "10,100 89,100 89,119 10,119")],
        [("new1", "", "1,1 2,2")],
    )
    _, (good, day) = of_review(tmp_path).applied(page).lines
    assert (good.text, good.box, good.confidence) == ("Good", Box(10, 100, 50, 120), 1)
    assert (day.text, day.box, day.region) == ("Day", Box(60, 100, 90, 120), 0)


@pytest.mark.parametrize("points", ["", "here", "1,2,3"])
def test_a_drawn_line_without_a_place_is_refused(tmp_path, points):
    page, told = two_regions(tmp_path, [("new0", "Good Day", points)], []), []
    assert Corrections(tmp_path, told.append).applied(page) == page
    assert re.search("line 'new0' is none of the review's|coordinate", *told)


def test_what_was_corrected_stays_in_its_place_when_the_page_is_read_again(tmp_path):
    page = two_regions(tmp_path, [("line0", "Come before Easter", "")], [("line1", "and stay", "")])
    first, second = page.lines
    above = tuple(replace(word, box=Box(word.box.left, 0, word.box.right, 9), text="No.") for word in first)
    # Another line above it now; the second line was found otherwise.
    other = tuple(replace(word, box=Box(word.box.left, 58, word.box.right, 92)) for word in second)
    now = of_review(tmp_path).applied(again(page, (above, first, other)))
    assert [line_text(line) for line in now.lines] == ["Come before Easter", "and stay"]
    assert [word.box.top for line in now.lines for word in line] == [10, 10, 10, 60, 60]
    assert [word.line for word in now.lines[1]] == [None, None]
    nothing = of_review(tmp_path).applied(again(page, ()))
    assert [line_text(line) for line in nothing.lines] == ["Come before Easter", "and stay"]


@pytest.mark.parametrize("box", ["10,20 12,20 12,180 10,180", "10,100 89,100 89,119 10,119"])
def test_a_drawn_line_is_sideways_if_it_is_higher_than_wide(tmp_path, box):
    page = two_regions(tmp_path, [("new0", "Good Day", box)], [])
    good, day = of_review(tmp_path).applied(page).lines[0]
    assert good.turn == day.turn == (90 if "180" in box else 0)
    assert (good.box.top > day.box.top) if "180" in box else (good.box.left < day.box.left)


def test_a_line_up_the_margin_moved_into_a_cell_is_of_the_cell(tmp_path):
    page = two_regions(tmp_path, [], [("line1", "17", ""), ("line0", "in pounds", "")])
    upwards = tuple(replace(word, turn=90, region=0) for word in page.lines[0])
    (table,) = of_review(tmp_path).applied(replace(page, lines=(upwards, page.lines[1]))).parts
    assert [block.text for block in table] == ["17 in pounds"]


@pytest.mark.parametrize("line", ["r1l1", "7"])
def test_a_file_with_lines_that_are_not_the_reviews_is_refused(tmp_path, line):
    page, told = saved(tmp_path, "Come", line=line), []
    assert Corrections(tmp_path, told.append).applied(page) == page
    assert re.search(f"a.page.xml: line '{line}' is none of the review's", *told)


def cells(*texts) -> list[tuple[Word, ...]]:
    """A table of two columns, a word of a letter or two a cell, row by row."""
    return [
        (Word(text, 0.6, Box(100 * (i % 2), 40 * (i // 2), 100 * (i % 2) + 50, 40 * (i // 2) + 30), **place),)
        for i, text in enumerate(texts)
        for place in [{"region": i, "cell": Cell(i // 2, i % 2), "line": i}]
    ]


def table(folder, *texts, moved=()) -> Transcript:
    """A page that is a table, saved as it was read, but for lines that were moved into another cell: (line, cell)."""
    page = replace(saved(folder, ""), lines=tuple(cells(*texts)))
    root = ElementTree.fromstring(to_page(replace(page, picture=page.review_picture)))
    regions = root.findall(".//{*}TextRegion")
    for line, cell in moved:
        element = regions[line].find("{*}TextLine")
        regions[line].remove(element)
        regions[cell].append(element)
    (folder / "a.page.xml").write_bytes(ElementTree.tostring(root))
    return page


def below_a_heading(lines) -> list[tuple[Word, ...]]:
    """Lines of which each stands a region further on."""
    heading = (Word("Births", 0.6, Box(200, 0, 300, 30), region=0, line=0),)
    return [heading, *(tuple(replace(w, region=w.region + 1, line=w.line + 1) for w in line) for line in lines)]


@pytest.mark.parametrize(
    ("moved", "rows"),
    [
        ((), b"A1,B1\r\nA2,B2\r\n"),
        ([(0, 1)], b",B1 A1\r\nA2,B2\r\n"),
        ([(2, 1)], b"A1,B1 A2\r\n,B2\r\n"),
        ([(3, 2), (1, 0)], b"A1 B1\r\nA2 B2\r\n"),
    ],
)
def test_lines_keep_their_cells_when_the_page_is_read_again(tmp_path, moved, rows):
    page = table(tmp_path, "A1", "B1", "A2", "B2", moved=moved)
    assert to_csv(of_review(tmp_path).applied(page)) == rows
    assert to_csv(of_review(tmp_path).applied(again(page, below_a_heading(page.lines)))) == rows


def test_cells_that_a_new_reading_finds_in_a_region_stay_cells(tmp_path):
    as_read = cells("A1", "B1", "A2", "B2")
    before = [tuple(replace(word, region=0, cell=None) for word in line) for line in as_read]
    page = saved(tmp_path, "")
    one = replace(page, lines=tuple(before), picture=page.review_picture)
    (tmp_path / "a.page.xml").write_bytes(to_page(one))
    assert to_csv(of_review(tmp_path).applied(again(page, as_read))) == b"A1,B1\r\nA2,B2\r\n"


@pytest.mark.parametrize("scale", [0.5, 3])
def test_what_was_corrected_lies_on_a_page_that_was_drawn_larger_or_smaller(tmp_path, scale):
    page = table(tmp_path, "A1", "B1", "A2", "B2")
    boxes = [Box(*(round(side * scale) for side in astuple(line[0].box))) for line in page.lines]
    lines = [(replace(line[0], box=box),) for line, box in zip(page.lines, boxes, strict=True)]
    size = {"width": round(400 * scale), "height": round(300 * scale)}
    now = of_review(tmp_path).applied(again(page, below_a_heading(lines), **size))
    assert [line[0].box for line in now.lines] == boxes
    assert to_csv(now) == b"A1,B1\r\nA2,B2\r\n"
