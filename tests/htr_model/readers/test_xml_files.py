"""PAGE and ALTO files, as Transkribus, eScriptorium and kraken write them, and as attackers might."""

import numpy as np
import pytest

from htr_model.data.samples import DatasetError, Sample, Skipped
from htr_model.readers import safe_xml
from htr_model.readers.datasets import read
from tests.htr_model.drawing import png
from tests.htr_model.readers.test_datasets import page_of_lines

PAGE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
ALTO = "http://www.loc.gov/standards/alto/ns-v4#"


def polygon(row: int, left: int = 50, right: int = 400) -> str:
    return f"{left},{row - 50} {right},{row - 50} {right},{row + 20} {left},{row + 20}"


def page_line(text: str, row: int, coordinates: str | None = None, more: str = "") -> str:
    outline = polygon(row) if coordinates is None else coordinates
    coords = f'<Coords points="{outline}"/>' if outline else ""
    return (
        f'<TextLine id="l{row}">{coords}<Baseline points="50,{row} 400,{row}"/>{more}'
        f"<TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine>"
    )


def page_xml(*lines: str, picture: str = "page.png", size: str = 'imageWidth="600" imageHeight="400"', ns: str = PAGE):
    body = "".join(lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><PcGts xmlns="{ns}"><Metadata><Creator>x</Creator></Metadata>'
        f'<Page imageFilename="{picture}" {size}><TextRegion id="r"><Coords points="0,0 600,0 600,400 0,400"/>{body}'
        "<TextEquiv><Unicode>all of the region</Unicode></TextEquiv></TextRegion></Page></PcGts>"
    )


def alto_line(strings: str, row: int, attributes: str | None = None, shape: str = "") -> str:
    box = f'HPOS="50" VPOS="{row - 50}" WIDTH="350" HEIGHT="70"' if attributes is None else attributes
    return f'<TextLine ID="l{row}" {box}>{shape}{strings}</TextLine>'


def alto_xml(*lines: str, picture="page.png", unit="pixel", size='WIDTH="600" HEIGHT="400"', ns: str = ALTO, pages=1):
    page = f'<Page {size}><PrintSpace><TextBlock ID="b">{"".join(lines)}</TextBlock></PrintSpace></Page>' * pages
    return (
        f'<alto xmlns="{ns}"><Description><MeasurementUnit>{unit}</MeasurementUnit><sourceImageInformation>'
        f"<fileName>{picture}</fileName></sourceImageInformation></Description><Layout>{page}</Layout></alto>"
    )


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "letters"
    root.mkdir()
    (root / "page.png").write_bytes(png(page_of_lines()[0]))
    return root


def texts(path) -> list[str]:
    return [i.text for i in read(path) if isinstance(i, Sample)]


def reasons(path) -> dict[str, str]:
    return {i.id: i.reason for i in read(path) if isinstance(i, Skipped)}


def assert_is_the_line(sample, row: int) -> None:
    """The crop holds the ink of the page's line at ``row`` and is as large as its outline."""
    gray, _ = page_of_lines()
    ink = int((gray[row - 50 : row + 20, 50:400] < 128).sum())
    assert 70 <= sample.gray.shape[0] <= 80
    assert 350 <= sample.gray.shape[1] <= 360
    assert int((sample.gray < 128).sum()) == pytest.approx(ink, rel=0.02)


# --- PAGE -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ns", [PAGE, "http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15", ""])
def test_page_lines_are_cut_along_their_polygons(folder, ns):
    (folder / "page.xml").write_text(page_xml(page_line("first", 100), page_line("second", 200), ns=ns))
    for source in (folder, folder / "page.xml"):
        items = list(read(source))
        assert [(i.id, i.text, i.collection, i.group) for i in items] == [
            ("page.png#0", "first", "letters", "page.png"),
            ("page.png#1", "second", "letters", "page.png"),
        ]
        for item, row in zip(items, (100, 200), strict=True):
            assert_is_the_line(item, row)


def test_points_as_elements_are_read_as_before_2013(folder):
    corners = "".join(f'<Point x="{p.split(",")[0]}" y="{p.split(",")[1]}"/>' for p in polygon(100).split())
    line = f"<TextLine><Coords>{corners}</Coords><TextEquiv><Unicode>first</Unicode></TextEquiv></TextLine>"
    (folder / "page.xml").write_text(page_xml(line))
    (item,) = read(folder)
    assert_is_the_line(item, 100)


def equiv(text, attributes="", element="Unicode"):
    return f"<TextEquiv {attributes}><{element}>{text}</{element}></TextEquiv>"


@pytest.mark.parametrize(
    ("readings", "text"),
    [
        (equiv("b", 'index="1" conf="0.9"') + equiv("a", 'index="0" conf="0.2"'), "a"),
        (equiv("a", 'conf="0.4"') + equiv("b", 'conf="0.7"') + equiv("c"), "b"),
        (equiv("b", 'index="2"') + equiv("a"), "a"),
        (equiv("a", 'index="x" conf="nan"') + equiv("b", 'index="3"'), "a"),
        (equiv("a", element="PlainText"), "a"),
        ("<Word>" + equiv("two") + "</Word><Word>" + equiv("words") + "</Word>", "two words"),
        ("<Word>" + equiv("two") + "</Word>" + equiv("the line"), "the line"),
        (equiv("Zo\u0065\u0301 &amp; “Ann”"), 'Zoé & "Ann"'),
    ],
)
def test_the_reading_that_counts(folder, readings, text):
    line = f'<TextLine><Coords points="{polygon(100)}"/>{readings}</TextLine>'
    (folder / "page.xml").write_text(page_xml(line), encoding="utf-8")
    assert texts(folder) == [text]


def test_lines_without_text_or_coordinates_are_skipped_with_the_reason(folder):
    lines = [
        page_line(" ", 100),
        page_line("no outline", 200, "").replace("<Baseline", "<Gone"),
        page_line("garbled", 200, "50,x 60,70"),
        page_line("odd", 200, "50,60 70"),
        page_line("far", 200, "50,60 1e30,70 3,4"),
        page_line("off", 200, polygon(900)),
        page_line("second", 200),
    ]
    (folder / "page.xml").write_text(page_xml(*lines).replace("</Gone>", ""))
    assert texts(folder) == ["second"]
    found = reasons(folder)
    assert list(found) == [f"page.png#{i}" for i in range(6)]
    assert found["page.png#0"] == "no text"
    assert found["page.png#1"] == "no coordinates of its outline"
    assert found["page.png#2"] == "not a coordinate: 'x'"
    assert "not pairs" in found["page.png#3"]
    assert "not a coordinate: '1e30'" in found["page.png#4"]
    assert found["page.png#5"] == "the line lies outside the page"


def test_a_line_with_its_baseline_only_gets_the_height_of_the_others(folder):
    (folder / "page.xml").write_text(page_xml(page_line("first", 100), page_line("second", 200, "")))
    first, second = read(folder)
    assert second.gray.shape[0] == pytest.approx(0.92 * 70, abs=9)
    assert np.count_nonzero((second.gray < 128).any(axis=1)) >= 25


def test_coordinates_of_a_larger_scan_are_brought_to_the_picture(folder):
    twice = " ".join(",".join(str(2 * int(n)) for n in p.split(",")) for p in polygon(100).split())
    line = page_line("first", 100, twice).replace("50,100 400,100", "100,200 800,200")
    (folder / "page.xml").write_text(page_xml(line, size='imageWidth="1200" imageHeight="800"'))
    (item,) = read(folder)
    assert_is_the_line(item, 100)


def test_picture_of_other_proportions_is_another_picture(folder):
    (folder / "page.xml").write_text(page_xml(page_line("first", 100), size='imageWidth="400" imageHeight="600"'))
    message = "page.png: the picture is 600 × 400 pixels, but the file describes a page of 400 × 600"
    assert reasons(folder) == {"page.xml": message}


# --- ALTO -------------------------------------------------------------------------------------------------------------


STRING = '<String CONTENT="first"/>'


@pytest.mark.parametrize("version", ["http://www.loc.gov/standards/alto/ns-v2#", ALTO, ""])
def test_alto_lines_are_cut_along_their_boxes(folder, version):
    (folder / "page.xml").write_text(alto_xml(alto_line(STRING, 100), ns=version))
    (item,) = read(folder)
    assert (item.id, item.text) == ("page.png#0", "first")
    assert_is_the_line(item, 100)


@pytest.mark.parametrize("separator", [",", " "])
def test_alto_shape_and_baseline_count_before_the_box(folder, separator):
    shape = f'<Shape><Polygon POINTS="{polygon(100).replace(",", separator)}"/></Shape>'
    baseline = "50,100 400,100".replace(",", separator)
    box = f'HPOS="0" VPOS="0" WIDTH="600" HEIGHT="400" BASELINE="{baseline}"'
    (folder / "page.xml").write_text(alto_xml(alto_line(STRING, 100, box, shape)))
    (item,) = read(folder)
    assert_is_the_line(item, 100)


@pytest.mark.parametrize(
    ("strings", "text"),
    [
        ('<String CONTENT="one"/><SP/><String CONTENT="two"/>', "one two"),
        ('<String CONTENT="one"/><String CONTENT="two"/>', "one two"),
        ('<String CONTENT="on"/><String CONTENT="e"/><SP WIDTH="3"/><String CONTENT="two"/>', "one two"),
        ('<String CONTENT="divi" SUBS_CONTENT="divided" SUBS_TYPE="HypPart1"/><HYP CONTENT="-"/>', "divi-"),
        ('<String CONTENT="divi"/><HYP CONTENT="¬"/>', "divi-"),
        ('<String CONTENT="divi"/><HYP CONTENT="\u00ad"/>', "divi-"),
        ('<String CONTENT="divi"/><HYP/>', "divi-"),
        ('<String CONTENT="a whole line &amp; more"/>', "a whole line & more"),
        ('<String CONTENT="read"><ALTERNATIVE>road</ALTERNATIVE><Glyph CONTENT="r"/></String>', "read"),
    ],
)
def test_alto_strings_are_joined_as_they_stand(folder, strings, text):
    (folder / "page.xml").write_text(alto_xml(alto_line(strings, 100)), encoding="utf-8")
    assert texts(folder) == [text]


def test_alto_in_tenths_of_millimetres(folder):
    box = 'HPOS="25" VPOS="25" WIDTH="175" HEIGHT="35" BASELINE="50"'
    sized = alto_xml(alto_line(STRING, 100, box), unit="mm10", size='WIDTH="300" HEIGHT="200"')
    (folder / "page.xml").write_text(sized)
    (item,) = read(folder)
    assert_is_the_line(item, 100)
    (folder / "page.xml").write_text(alto_xml(alto_line(STRING, 100, box), unit="mm10", size=""))
    assert "does not tell the page's size" in reasons(folder)["page.xml"]


def test_alto_lines_that_cannot_be_used_are_skipped_with_the_reason(folder):
    lines = [alto_line("", 100), alto_line(STRING, 100, ""), alto_line(STRING, 100, 'HPOS="a" VPOS="1"')]
    lines += [alto_line(STRING, 100, 'HPOS="a" VPOS="1" WIDTH="2" HEIGHT="2"')]
    (folder / "page.xml").write_text(alto_xml(*lines))
    assert list(reasons(folder).values()) == [
        "no text",
        "no coordinates of its outline",
        "no coordinates of its outline",
        "not a coordinate: 'a'",
    ]
    (folder / "page.xml").write_text(alto_xml(alto_line(STRING, 100), pages=2))
    assert reasons(folder) == {"page.xml": "it describes 2 pages; one is expected, with one picture"}


# --- files and their pictures -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named", ["page.png", "/etc/page.png", "..\\..\\page.png", "C:\\scans\\page.png", "../a/page.png"]
)
def test_of_a_picture_s_path_only_its_name_counts(folder, named):
    (folder / "page.xml").write_text(page_xml(page_line("first", 100), picture=named))
    assert texts(folder) == ["first"]


def test_pictures_are_looked_for_beside_the_file_and_in_images_and_nowhere_else(folder):
    (folder / "page.xml").write_text(page_xml(page_line("first", 100), picture="../secret.png"))
    (folder.parent / "secret.png").write_bytes((folder / "page.png").read_bytes())
    assert reasons(folder) == {"page.xml": "no picture secret.png beside the file or in images/"}
    (folder / "images").mkdir()
    (folder / "page.png").rename(folder / "images" / "secret.png")
    assert texts(folder) == ["first"]


@pytest.mark.parametrize("named", ["", "..", "a/..", "a/", " "])
def test_names_that_name_no_file(folder, named):
    (folder / "page.xml").write_text(page_xml(page_line("first", 100), picture=named))
    assert reasons(folder) == {"page.xml": "it names no picture"}


def test_export_of_transkribus_with_its_tables_of_contents(folder):
    (folder / "page").mkdir()
    (folder / "page" / "page.xml").write_text(page_xml(page_line("first", 100)))
    (folder / "mets.xml").write_text('<mets xmlns="http://www.loc.gov/METS/"/>')
    (folder / "metadata.xml").write_text("<trpDocMetadata/>")
    assert [(i.id, i.text, i.collection) for i in read(folder)] == [("page.png#0", "first", "letters")]
    (folder / "page" / "mets.xml").write_text('<mets xmlns="http://www.loc.gov/METS/"/>')
    assert [(i.id, i.text) for i in read(folder)] == [("page.png#0", "first")]


def test_broken_files_cost_one_file_each(folder):
    good = page_xml(page_line("first", 100))
    (folder / "a.xml").write_text(good[:200])
    (folder / "b.xml").write_bytes(b"")
    (folder / "c.xml").write_text("<html/>")
    (folder / "d.xml").write_text(page_xml(page_line("x", 100), picture="gone.png"))
    (folder / "e.xml").write_text(page_xml(page_line("x", 100), size='imageWidth="wide" imageHeight="9"'))
    (folder / "f.xml").write_text(good)
    (folder / "g.xml").write_text(f'<PcGts xmlns="{PAGE}"/>')
    (folder / "h.xml").write_text(page_xml(page_line("x", 100), picture="broken.png"))
    (folder / "i.xml").write_bytes(good.replace("UTF-8", "no-such-encoding").encode())
    (folder / "broken.png").write_bytes(b"no picture")
    found = reasons(folder)
    assert texts(folder) == ["first"]
    assert list(found) == [f"{name}.xml" for name in "abcdeghi"]
    assert found["a.xml"].startswith("not readable as XML")
    assert found["b.xml"].startswith("not readable as XML")
    assert found["c.xml"] == "neither PAGE nor ALTO: its root element is 'html'"
    assert found["e.xml"] == "not a coordinate: 'wide'"
    assert found["g.xml"] == "it describes no page"
    assert found["h.xml"] == "broken.png: not a readable picture"
    for name in "abceg":
        with pytest.raises(DatasetError, match=rf"{name}\.xml: "):
            list(read(folder / f"{name}.xml"))


# --- attacks ----------------------------------------------------------------------------------------------------------


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
ATTACKS = {
    "billion laughs": f'<!DOCTYPE PcGts [<!ENTITY l0 "ha">{LAUGHS}]>',
    "quadratic blow-up": f'<!DOCTYPE PcGts [<!ENTITY l9 "{"a" * 50_000}">]>',
    "file": '<!DOCTYPE PcGts [<!ENTITY l9 SYSTEM "secret.txt">]>',
    "parameter entity": '<!DOCTYPE PcGts [<!ENTITY % p SYSTEM "secret.txt"> %p;]>',
    "external subset": '<!DOCTYPE PcGts SYSTEM "secret.dtd">',
    "network": '<!DOCTYPE PcGts [<!ENTITY l9 SYSTEM "http://127.0.0.1:9/x">]>',
}


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_never_expanded_and_nothing_is_fetched(folder, attack, encoding, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("secret.txt", "secret.dtd"):
        (folder / name).write_text('<!ENTITY l9 "secret">')
    text = page_xml(page_line("&l9;", 100)).replace("UTF-8", encoding).replace("?>", f"?>{ATTACKS[attack]}")
    (folder / "page.xml").write_bytes(text.encode(encoding))
    with pytest.raises(DatasetError, match=r"page\.xml: it has a document type definition"):
        list(read(folder / "page.xml"))
    assert list(read(folder)) == [Skipped("page.xml", next(iter(reasons(folder).values())))]


def test_unknown_entity_is_an_error_and_known_ones_are_characters(folder):
    (folder / "page.xml").write_text(page_xml(page_line("&lt;&#65;&#x42;&gt;", 100)))
    assert texts(folder) == ["<AB>"]
    (folder / "page.xml").write_text(page_xml(page_line("&l9;", 100)))
    assert reasons(folder)["page.xml"].startswith("not readable as XML")


def test_files_that_are_too_large_or_too_deep_are_refused(folder, monkeypatch):
    (folder / "page.xml").write_text(page_xml("<a>" * 200_000 + "</a>" * 200_000))
    assert "nested" in reasons(folder)["page.xml"]
    monkeypatch.setattr(safe_xml, "_MAX_BYTES", 100)
    assert "larger than" in reasons(folder)["page.xml"]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", ["b", "a", "c"]),
        ('<OrderedGroup id="g"><RegionRefIndexed index="1" regionRef="rb"/><RegionRefIndexed index="0" regionRef="ra"/>'
         "</OrderedGroup>", ["a", "b", "c"]),
        ('<OrderedGroup id="g"><UnorderedGroupIndexed index="1" id="h"><RegionRef regionRef="rc"/><RegionRef '
         'regionRef="rb"/></UnorderedGroupIndexed><RegionRefIndexed index="0" regionRef="ra"/></OrderedGroup>',
         ["a", "c", "b"]),
        ('<OrderedGroup id="g"><RegionRefIndexed index="x" regionRef="gone"/></OrderedGroup>', ["b", "a", "c"]),
    ],
)  # fmt: skip
def test_lines_come_in_the_reading_order_of_their_regions(folder, order, expected):
    rows = {"b": 100, "a": 200, "c": 300}
    regions = "".join(f'<TextRegion id="r{name}">{page_line(name, row)}</TextRegion>' for name, row in rows.items())
    told = f"<ReadingOrder>{order}</ReadingOrder>" if order else ""
    size = 'imageWidth="600" imageHeight="400"'
    page = f'<Page imageFilename="page.png" {size}>{told}{regions}</Page>'
    (folder / "page.xml").write_text(f'<PcGts xmlns="{PAGE}">{page}</PcGts>')
    assert texts(folder) == expected
