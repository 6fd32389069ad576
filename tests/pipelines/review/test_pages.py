"""Web pages of an archive: every page with its picture, lines in their place, and what is saved there is truth."""

import hashlib
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from xml.etree import ElementTree

import cv2
import numpy as np
import pypdfium2
import pytest
from PIL import Image

from htr_model.data.samples import Sample
from htr_model.readers.datasets import read
from htr_model.readers.page_xml import parse_page
from pipelines.archive.transcripts import PageWord
from pipelines.review.pages import strip
from segmentation.geometry import Box
from tests.pipelines import made_tables
from tests.pipelines.drawing import LETTER, page
from tests.pipelines.jobs import inkbeam, rows
from tests.pipelines.made_tables import write_run


class Elements(HTMLParser):
    """Attributes of a page's elements by tag, and the text inside of each ``p``."""

    def __init__(self, content: str):
        super().__init__()
        self.of: dict[str, list[dict]] = {}
        self.lines: list[str] = []
        self._inside = False
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.of.setdefault(tag, []).append(dict(attrs))
        if tag == "p":
            self.lines.append("")
            self._inside = True

    def handle_endtag(self, tag):
        self._inside = self._inside and tag != "p"

    def handle_data(self, data):
        if self._inside:
            self.lines[-1] += data


def embedded(content: str) -> dict:
    """What the page's script is given."""
    return json.loads(re.search(r'<script type="application/json" id="page">(.*?)</script>', content, re.S)[1])


def texts_in(page_xml: str) -> list[str]:
    """Texts of a PAGE file's lines."""
    root = ElementTree.fromstring(page_xml.encode())
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return [line.text for line in parse_page(root).lines]


def read_lines(row: dict) -> list[str]:
    """What was read on a page, scraps too."""
    return [line["text"] for line in row["lines"] if line["text"]]


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory, tiny_bundle):
    """A folder of scans, its tables, and the web pages of them."""
    folder = tmp_path_factory.mktemp("reviewed")
    (folder / "scans").mkdir()
    first, second = (Image.fromarray(page(lines)) for lines in (LETTER, LETTER[:2]))
    first.save(folder / "scans" / "volume.tif", save_all=True, append_images=[second])
    first.save(folder / "scans" / "a letter.png")
    Image.new("L", (300, 200), 255).save(folder / "scans" / "blank.png")
    done = inkbeam("digitize", "--input", folder / "scans", "--output", folder / "tables", "--model", tiny_bundle)
    assert done.code == 0, done.err
    done = inkbeam("review", folder / "tables", "--output", folder / "web")
    assert done.code == 0, done.err
    return folder


def test_index_leads_to_every_page_in_order(reviewed):
    listed = Elements((reviewed / "web" / "index.html").read_text())
    links = [link["href"] for link in listed.of["a"]]
    assert len(links) == 4
    assert [link.partition("-")[0] for link in links] == ["a_letter.png", "blank.png", "volume.tif", "volume.tif"]
    for link in links:
        of_page = Elements((reviewed / "web" / link).read_text())
        assert all((reviewed / "web" / used["href"]).is_file() for used in of_page.of["a"] + of_page.of["link"])
        assert all((reviewed / "web" / used["src"]).is_file() for used in of_page.of["script"] if "src" in used)


def test_words_lie_on_a_picture_of_the_page(reviewed):
    pages = {row["page_index"]: row for row in rows(reviewed / "tables", "pages") if "volume" in row["document_uri"]}
    words = [row for row in rows(reviewed / "tables", "words") if "volume" in row["document_uri"]]
    for index, row in pages.items():
        (path,) = (reviewed / "web").glob(f"volume*-page{index + 1}.html")
        content = path.read_text()
        found = Elements(content)
        picture = cv2.imread(str(reviewed / "web" / found.of["image"][0]["href"]), cv2.IMREAD_GRAYSCALE)
        assert picture.shape == (row["height"], row["width"])
        boxes = {tuple(int(r[k]) for k in ("x", "y", "width", "height")) for r in found.of["rect"]}
        assert boxes == {
            (w["left"], w["top"], w["right"] - w["left"], w["bottom"] - w["top"])
            for w in words
            if w["page_index"] == index
        }
        assert found.lines == read_lines(row)
        assert texts_in(embedded(content)["xml"]) == found.lines


def test_page_without_writing_says_so(reviewed):
    (path,) = (reviewed / "web").glob("blank*.html")
    assert Elements(path.read_text()).lines == ["No writing was found on this page."]


def test_correction_keeps_its_picture_when_the_scan_is_another_one(tmp_path, tiny_bundle):
    scan, tables, web = tmp_path / "scans" / "a.png", tmp_path / "tables", tmp_path / "web"
    scan.parent.mkdir()
    for lines in (LETTER, LETTER[:2]):
        Image.fromarray(page(lines)).save(scan)
        assert inkbeam("digitize", "--input", scan, "--output", tables, "--model", tiny_bundle).code == 0
        assert inkbeam("review", tables, "--output", web).code == 0
        if lines == LETTER:
            (path,) = web.glob("a.png*.html")
            saved = embedded(path.read_text())
            (web / f"{saved['name']}.page.xml").write_text(saved["xml"])
    assert len(list(web.glob("a.png*.jpg"))) == 2 and len(list(web.glob("a.png*.html"))) == 1
    texts = [item.text for item in read(web) if isinstance(item, Sample)]
    assert texts == texts_in(saved["xml"])


def test_what_is_saved_beside_the_pages_is_truth_and_stays(reviewed, tmp_path):
    web = tmp_path / "web"
    assert inkbeam("review", reviewed / "tables", "--documents", "volume.tif", "--output", web).code == 0
    (path,) = web.glob("*-page2.html")
    saved = embedded(path.read_text())
    (web / f"{saved['name']}.page.xml").write_text(saved["xml"])
    assert inkbeam("review", reviewed / "tables", "--output", web).code == 0
    texts = [item.text for item in read(web) if isinstance(item, Sample)]
    (row,) = (r for r in rows(reviewed / "tables", "pages") if "volume" in r["document_uri"] and r["page_index"] == 1)
    assert texts == read_lines(row)
    assert "✓ corrected" in (web / "index.html").read_text()


HOSTILE = "</script><img src=x onerror=alert(1)>\"'&"


@pytest.fixture
def made_up(tmp_path):
    """An archive of four pages whose scans are gone."""

    def row(uri, number, text, confidence=0.5):
        place = {"document_uri": uri, "page_index": 0, "line_index": 0, "word_index": number, "confidence": confidence}
        others = [{"text": other, "confidence": 0.1} for other in (text, f"<b>{text}</b>")]
        return {**place, "text": text, "alternatives": others, "left": 9, "top": 9, "right": 40, "bottom": 30}

    def of(uri, **facts):
        size = {"width": 400, "height": 300, "source_sha256": "0" * 64, "model_id": "model"}
        return {**made_tables.page(uri, **facts), **size}

    texts = {"/s/a.png": HOSTILE, "/s/b/c.png": "plain", "/s/b/d.png": "sure", "/s/b/[1].png": "surer"}
    pages = [of(uri, words=1, confidence=0.3 + 0.2 * i) for i, uri in enumerate(texts)]
    words = [row(uri, 0, text) for uri, text in texts.items()]
    write_run(tmp_path / "tables", "night-1", 1, pages, (), words)
    return tmp_path / "tables"


def test_text_never_becomes_markup(made_up, tmp_path):
    done = inkbeam("review", made_up, "--output", tmp_path / "web")
    assert done.code == 1 and done.err.count("failed: ") == 4
    (path,) = (tmp_path / "web").glob("a.png*.html")
    content = path.read_text()
    found = Elements(content)
    assert "img" not in found.of and "b" not in found.of
    assert HOSTILE in found.lines
    assert json.loads(found.of["span"][-1]["data-others"]) == [f"<b>{HOSTILE}</b>"]
    assert texts_in(embedded(content)["xml"]) == [HOSTILE]


def test_page_whose_scan_is_gone_shows_its_text_and_why(made_up, tmp_path):
    assert inkbeam("review", made_up, "--documents", "c.png", "--output", tmp_path / "web").code == 1
    (path,) = (tmp_path / "web").glob("c.png*.html")
    assert not list((tmp_path / "web").glob("*.jpg"))
    message, text = Elements(path.read_text()).lines
    assert "/s/b/c.png" in html.unescape(message) and text == "plain"


@pytest.fixture
def corrected(tmp_path):
    """An archive of one page whose scan is there, and a review of it in which the page was corrected."""
    scan = tmp_path / "a.png"
    Image.fromarray(page(LETTER)).save(scan)
    uri = str(scan)
    words = [
        {
            **{"document_uri": uri, "page_index": 0, "line_index": i, "word_index": j, "confidence": 0.6},
            **{"text": text, "left": 60 * j, "top": 40 * i, "right": 60 * j + 50, "bottom": 40 * i + 30},
            **{"baseline_start": 40 * i + 25, "baseline_end": 40 * i + 26},
        }
        for i, line in enumerate(("My daer Eleanor", "blotting", "twow ords here", "left alone"))
        for j, text in enumerate(line.split())
    ]
    sha256 = hashlib.sha256(scan.read_bytes()).hexdigest()
    facts = {"width": 640, "height": 280, "source_sha256": sha256, "model_id": "model"}
    write_run(tmp_path / "tables", "night-1", 1, [{**made_tables.page(uri, words=len(words)), **facts}], (), words)
    assert inkbeam("review", tmp_path / "tables", "--output", tmp_path / "web").code == 0
    (path,) = (tmp_path / "web").glob("a.png*.html")
    saved = embedded(path.read_text())
    xml = saved["xml"].replace(">My daer Eleanor<", ">My dear Eleanor<").replace(">twow ords here<", ">two words<")
    root = ElementTree.fromstring(xml.encode())
    region = root.find(".//{*}TextRegion")
    region.remove(next(line for line in region.findall("{*}TextLine") if line.get("id") == "line1"))
    (tmp_path / "web" / f"{saved['name']}.page.xml").write_bytes(ElementTree.tostring(root))
    return tmp_path


def test_corrected_page_is_shown_as_corrected(corrected):
    assert inkbeam("review", corrected / "tables", "--output", corrected / "web").code == 0
    (path,) = (corrected / "web").glob("a.png*.html")
    content = path.read_text()
    assert embedded(content)["corrected"] == [
        [0, "line0", "My dear Eleanor", None],
        [0, "line2", "two words", None],
        [0, "line3", "left alone", None],
    ]
    assert "<span>corrected</span>" in content
    index = (corrected / "web" / "index.html").read_text()
    assert "9 words, of which about\n0 are read wrongly on pages that nobody has corrected" in index
    # What was read stays there to be compared with.
    assert Elements(content).lines == ["My daer Eleanor", "blotting", "twow ords here", "left alone"]


def test_exports_take_corrections(corrected):
    def export(kind):
        done = inkbeam(
            *("export", corrected / "tables", "--to", kind, "--output", corrected / kind),
            *("--corrections", corrected / "web"),
        )
        assert done.code == 0, done.err
        assert "(1 page as corrected)" in done.out
        (path,) = (corrected / kind).iterdir()
        return path

    assert export("text").read_text() == "My dear Eleanor\ntwo words\nleft alone\n"
    text = pypdfium2.PdfDocument(export("pdf"))[0].get_textpage().get_text_bounded()
    assert text.split() == ["My", "dear", "Eleanor", "two", "words", "left", "alone"]
    root = ElementTree.fromstring(export("page").read_bytes())
    words = [
        [w.findtext("{*}TextEquiv/{*}Unicode") for w in x.findall("{*}Word")]
        for x in root.iter()
        if x.tag.endswith("TextLine")
    ]
    assert words == [["My", "dear", "Eleanor"], ["two", "words"], ["left", "alone"]]


def test_search_finds_what_was_corrected_and_not_what_was_read(corrected):
    def places(*words):
        done = inkbeam(
            "search", corrected / "tables", *words, "--edits", "0", "--corrections", corrected / "web", "--json"
        )
        assert done.code == 0, done.err
        return [json.loads(line) for line in done.out.splitlines()]

    (place,) = places("dear", "eleanor")
    assert (place["line_index"], place["line"]) == (0, "My dear Eleanor")
    assert [(w["left"], w["right"]) for w in place["words"]] == [(60, 110), (120, 170)]
    (parted,) = places("words")
    assert parted["line"] == "two words" and parted["score"] == 1
    assert len(places("alone")) == 1
    assert places("daer") == places("blotting") == []


def test_correction_of_another_scan_is_not_taken(corrected):
    (path,) = (corrected / "web").glob("*.page.xml")
    path.write_text(path.read_text().replace('imageFilename="a.png', 'imageFilename="b.png'))
    done = inkbeam(
        "export", corrected / "tables", "--to", "text", "--output", corrected / "x", "--corrections", corrected / "web"
    )
    assert done.code == 0 and f"not taken: {path}: was saved of another scan" in done.err
    assert next((corrected / "x").iterdir()).read_text().startswith("My daer Eleanor\nblotting\n")


def test_folder_of_corrections_that_is_not_there_is_wrong_usage(corrected):
    for command in (("export", "--to", "text", "--output", corrected / "x"), ("search", "ink")):
        name, *options = command
        done = inkbeam(name, corrected / "tables", *options, "--corrections", corrected / "nowhere")
        assert done.code == 2 and "no folder of this machine" in done.err


@pytest.mark.parametrize(("before", "after"), [('id="line2"', 'id="r1l1"'), ("</ns0:PcGts>", "")])
def test_correction_that_cannot_be_used_costs_that_page_its_correction_only(corrected, before, after):
    (path,) = (corrected / "web").glob("*.page.xml")
    path.write_text(path.read_text().replace(before, after))
    corrections = ("--corrections", corrected / "web")
    done = inkbeam("export", corrected / "tables", "--to", "text", "--output", corrected / "x", *corrections)
    assert (done.code, done.err.count(f"failed: {path}")) == (1, 1) and "(0 pages as corrected)" in done.out
    assert next((corrected / "x").iterdir()).read_text().startswith("My daer Eleanor\nblotting\n")
    done = inkbeam("search", corrected / "tables", "daer", *corrections)
    assert (done.code, done.err.count(f"failed: {path}")) == (1, 1) and "daer" in done.out
    done = inkbeam("review", corrected / "tables", "--output", corrected / "web")
    assert (done.code, done.err.count(f"failed: {path}")) == (1, 1)
    assert "✓ corrected" not in (corrected / "web" / "index.html").read_text()


def test_page_that_was_saved_twice_is_named(corrected):
    (path,) = (corrected / "web").glob("*.page.xml")
    second = path.with_name(path.name.replace(".page.xml", ".page (1).xml"))
    second.write_bytes(path.read_bytes())
    options = ("--documents", "a.png", "--corrections", corrected / "web")
    export = ("export", corrected / "tables", "--to", "text", "--output", corrected / "x", *options)
    for command in (export, ("review", corrected / "tables", "--output", corrected / "web")):
        done = inkbeam(*command)
        assert (done.code, done.err.count("not taken: ")) == (0, 1)
        assert f"not taken: {second}: no page of the archive has this name" in done.err


def test_an_export_does_not_take_the_place_of_corrections(corrected):
    """Both are PAGE files, of the same names."""
    before = {path.name: path.read_bytes() for path in (corrected / "web").iterdir()}
    done = inkbeam("export", corrected / "tables", "--to", "page", "--output", corrected / "web")
    assert done.code == 2 and "is a review's folder" in done.err
    assert {path.name: path.read_bytes() for path in (corrected / "web").iterdir()} == before


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
RESULT = """
const result = document.createElement("pre");
result.id = "result";
result.textContent = JSON.stringify(%s);
document.body.append(result);
"""
EDITS = """
function type(line, said) { field(lines()[line]).textContent = said; keep(); }
type(0, "My dear Eleonora,");
leaveOut(lines()[1]);
type(2, "twow ords");
leaveOut(lines()[3]);
leaveOut(lines()[3]);
const span = lines()[4].querySelectorAll("span")[1];
visit(span);
const offered = [...others.querySelectorAll("button")];
offered.find((button) => button.textContent === "ALSO").click();
visit(span);
const back = [...others.querySelectorAll("button")].map((button) => button.textContent);
"""


def in_browser(path, script, result, folder) -> dict:
    """What JavaScript makes of a page in Chromium: the value of ``result`` after ``script``."""
    shown = path.with_name(f"{path.stem}-with-script.html")
    shown.write_text(path.read_text().replace("</body>", f"<script>{script}{RESULT % result}</script></body>"))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    done = subprocess.run([*command, "--dump-dom", shown.as_uri()], capture_output=True, text=True, timeout=120)
    return json.loads(html.unescape(re.search(r'<pre id="result">(.*?)</pre>', done.stdout, re.S)[1]))


def lines_in(page_xml: str) -> list[tuple[str, str]]:
    """Names and texts of the lines of a PAGE file, in its order."""
    root = ElementTree.fromstring(page_xml.encode())
    return [(x.get("id"), x.findtext("{*}TextEquiv/{*}Unicode")) for x in root.findall(".//{*}TextLine")]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_what_is_corrected_in_a_browser_is_what_is_saved(tmp_path):
    lines = ("My dear Eleanor,", "blot", "two words", "left alone", "one also")
    words = [
        {
            **{"document_uri": "/s/a.png", "page_index": 0, "line_index": i, "word_index": j, "confidence": 0.5},
            **{"text": text, "alternatives": [{"text": text.upper(), "confidence": 0.2}]},
            **{"left": 50 * j, "top": 40 * i, "right": 50 * j + 40, "bottom": 40 * i + 30},
        }
        for i, line in enumerate(lines)
        for j, text in enumerate(line.split())
    ]
    facts = {"width": 400, "height": 300, "source_sha256": "0" * 64, "model_id": "model"}
    write_run(tmp_path, "night-1", 1, [{**made_tables.page("/s/a.png", words=len(words)), **facts}], (), words)
    inkbeam("review", tmp_path, "--output", tmp_path / "web")
    (path,) = (tmp_path / "web").glob("a.png*.html")
    result = '{ xml: corrected(), back, changed: document.querySelectorAll(".changed").length }'
    found = in_browser(path, EDITS, result, tmp_path)
    assert texts_in(found["xml"]) == ["My dear Eleonora,", "twow ords", "left alone", "one ALSO"]
    assert found["back"] == ["also"] and found["changed"] == 4
    root = ElementTree.fromstring(found["xml"].encode())
    confidences = [
        [word.find("{*}TextEquiv").get("conf") for word in line.findall("{*}Word")]
        for line in root.findall(".//{*}TextLine")
    ]
    # Of what was typed the confidence is gone; of words that were divided anew the places are, too.
    assert confidences == [["0.5000", "0.5000", None], [], ["0.5000", "0.5000"], ["0.5000", None]]


DRAW = """
function drag(left, top, right, bottom) {
  const matrix = sheet.getScreenCTM();
  const event = (type, x, y) => {
    const { x: clientX, y: clientY } = new DOMPoint(x, y).matrixTransform(matrix);
    sheet.dispatchEvent(new PointerEvent(type, { clientX, clientY, bubbles: true }));
  };
  document.getElementById("draw").click();
  event("pointerdown", right, bottom);
  event("pointermove", 5, 5);
  event("pointerup", left, top);
}
drag(300, 44, 420, 70);
field(document.activeElement.closest("article")).textContent = "drawn beside";
keep();
drag(10, 200, 200, 240);
document.activeElement.textContent = "P. S.";
keep();
move(lines()[0], 1);
leaveOut(lines()[4]);
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_lines_are_drawn_moved_and_left_out(corrected):
    (path,) = (corrected / "web").glob("a.png*.html")
    found = in_browser(path, DRAW, "{ xml: corrected(), kept: localStorage.getItem(DRAFT) }", corrected)
    saved = [
        ("line1", "blotting"),
        ("line0", "My daer Eleanor"),
        ("new0", "drawn beside"),
        ("line2", "twow ords here"),
        ("new1", "P. S."),
    ]
    assert lines_in(found["xml"]) == saved
    region = ElementTree.fromstring(found["xml"].encode()).find(".//{*}TextRegion/{*}Coords").get("points")
    assert region == "0,0 419,0 419,239 0,239"

    # It is a correction, and truth to train on.
    (saved_file,) = (corrected / "web").glob("*.page.xml")
    saved_file.write_text(found["xml"])
    samples = [item for item in read(corrected / "web") if isinstance(item, Sample)]
    assert [item.text for item in samples] == [text for _, text in saved]
    out = corrected / "text"
    export = ("export", corrected / "tables", "--to", "text", "--output", out, "--corrections", corrected / "web")
    assert inkbeam(*export).code == 0
    assert next(out.iterdir()).read_text().splitlines() == [text for _, text in saved]
    done = inkbeam("search", corrected / "tables", "drawn", "--corrections", corrected / "web", "--json")
    (word,) = json.loads(done.out)["words"]
    assert (word["left"], word["top"], word["right"], word["bottom"]) == (300, 44, 350, 70)

    # The page shows it again as it was saved.
    assert inkbeam("review", corrected / "tables", "--output", corrected / "web").code == 0
    again = in_browser(path, "", "{ xml: corrected(), state: state() }", corrected)
    assert lines_in(again["xml"]) == saved
    assert (0, "line3", "", None) in map(tuple, again["state"])


@pytest.fixture
def table(tmp_path):
    """The review of a page with a table of two rows and two columns, whose scan is gone."""
    words = [
        {
            **{"document_uri": "/s/a.png", "page_index": 0, "line_index": i, "word_index": 0, "confidence": 0.5},
            **{"text": text, "region_index": i, "table_row": i // 2, "table_column": i % 2},
            **{"left": 90 * (i % 2), "top": 40 * (i // 2), "right": 90 * (i % 2) + 80, "bottom": 40 * (i // 2) + 30},
        }
        for i, text in enumerate(("Name", "Sum", "Pym", "17"))
    ]
    facts = {"width": 400, "height": 300, "source_sha256": "0" * 64, "model_id": "model"}
    write_run(tmp_path, "night-1", 1, [{**made_tables.page("/s/a.png", words=len(words)), **facts}], (), words)
    inkbeam("review", tmp_path, "--output", tmp_path / "web")
    (path,) = (tmp_path / "web").glob("a.png*.html")
    return path


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("steps", [(-1, 1), (1, -1), (1, 1, -1, -1)])
def test_a_cell_that_was_moved_comes_back(table, tmp_path, steps):
    script = f"const sum = lines()[1]; for (const step of {list(steps)}) move(sum, step);"
    found = in_browser(table, script, "{ state: state(), xml: corrected() }", tmp_path)
    cells = ["Name", "Sum", "Pym", "17"]
    assert [(section, text) for section, _, text, _ in found["state"]] == list(enumerate(cells))
    assert lines_in(found["xml"]) == [(f"line{i}", text) for i, text in enumerate(cells)]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_drawn_line_can_be_left_out_where_there_is_no_scan(table, tmp_path):
    page = embedded(table.read_text())
    said = "<TextEquiv><Unicode>drawn</Unicode></TextEquiv>"
    line = f'<TextLine id="new0"><Coords points="9,9 60,9 60,20"/>{said}</TextLine>'
    xml = page["xml"].replace("</TextRegion>", f"{line}</TextRegion>", 1)
    (table.parent / f"{page['name']}.page.xml").write_text(xml)
    inkbeam("review", tmp_path, "--output", tmp_path / "web")
    script = "const before = lines().length; leaveOut(lines().find(isDrawn));"
    found = in_browser(table, script, "{ before, state: state() }", tmp_path)
    assert found["before"] == 5 and [text for *_, text, _ in found["state"]] == ["Name", "Sum", "Pym", "17"]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_correction_put_into_the_folder_is_shown_though_there_is_an_older_draft(table, tmp_path):
    draft = 'field(lines()[0]).textContent = "Names"; keep();'
    kept = in_browser(table, draft, "{ texts: lines().map(text) }", tmp_path)["texts"]
    assert kept[0] == in_browser(table, "", "{ texts: lines().map(text) }", tmp_path)["texts"][0] == "Names"
    page = embedded(table.read_text())
    (table.parent / f"{page['name']}.page.xml").write_text(page["xml"].replace(">Name<", ">Naming<"))
    inkbeam("review", tmp_path, "--output", tmp_path / "web")
    assert in_browser(table, "", "{ texts: lines().map(text) }", tmp_path)["texts"][0] == "Naming"


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_line_drawn_and_left_blank_leaves_nothing(reviewed, tmp_path):
    shutil.copytree(reviewed / "web", tmp_path / "web")
    (path,) = (tmp_path / "web").glob("blank*.html")
    xml = in_browser(path, "add([20, 30, 120, 60]);", "{ xml: corrected() }", tmp_path)["xml"]
    assert ElementTree.fromstring(xml.encode()).find(".//{*}TextRegion") is None


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_line_is_drawn_on_a_page_without_any(reviewed, tmp_path):
    shutil.copytree(reviewed / "web", tmp_path / "web")
    (path,) = (tmp_path / "web").glob("blank*.html")
    script = 'add([20, 30, 120, 60]); document.activeElement.textContent = "found after all"; keep();'
    xml = in_browser(path, script, "{ xml: corrected() }", tmp_path)["xml"]
    assert lines_in(xml) == [("new0", "found after all")]
    (tmp_path / "web" / f"{path.stem}.page.xml").write_text(xml)
    options = ("--documents", "blank.png", "--corrections", tmp_path / "web")
    assert inkbeam("export", reviewed / "tables", "--to", "alto", *options, "--output", tmp_path / "out").code == 0
    (written,) = (tmp_path / "out").iterdir()
    words = [word for word in ElementTree.parse(written).iter() if word.tag.endswith("String")]
    assert [word.get("CONTENT") for word in words] == ["found", "after", "all"]
    assert words[0].get("HPOS") == "20" and words[0].get("VPOS") == "30"


def listed(folder) -> list[str]:
    return [link["href"].partition("-")[0] for link in Elements((folder / "index.html").read_text()).of["a"]]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ((), ["a.png", "_1_.png", "c.png", "d.png"]),
        (("--lowest", 2), ["a.png", "c.png"]),
        (("--documents", "b/*"), ["_1_.png", "c.png", "d.png"]),
        (("--documents", "?.png"), ["a.png", "c.png", "d.png"]),
        (("--documents", "[1].png"), ["_1_.png"]),
        (("--documents", "/s/*.png", "--lowest", 1), ["a.png"]),
    ],
)
def test_pages_can_be_chosen(made_up, tmp_path, options, names):
    inkbeam("review", made_up, *options, "--output", tmp_path / "web")
    assert listed(tmp_path / "web") == names


def test_a_review_made_again_holds_the_pages_chosen_now_and_those_corrected(made_up, tmp_path):
    web = tmp_path / "web"
    inkbeam("review", made_up, "--lowest", 2, "--output", web)
    (path,) = web.glob("c.png*.html")
    saved = embedded(path.read_text())
    (web / f"{saved['name']}.page.xml").write_text(saved["xml"])
    (web / "notes.html").write_text("mine")
    lost = next(web.glob("a.png*.html")).with_suffix("")
    (web / f"{lost.name}-0a1b2c-90.jpg").write_bytes(b"its picture")
    inkbeam("review", made_up, "--documents", "d.png", "--documents", "[1].png", "--lowest", 1, "--output", web)
    assert listed(web) == ["d.png", "c.png"]
    assert "✓ corrected" in (web / "index.html").read_text()
    names = {path.name.partition("-")[0] for path in web.iterdir()}
    assert names == {"c.png", "d.png", "index.html", "notes.html", "index.js", "page.js", "review.css"}
    inkbeam("review", made_up, "--lowest", 1, "--output", web)
    assert listed(web) == ["a.png", "c.png"]  # of those that nobody has corrected


def test_pages_that_are_no_more_leave_a_review_but_for_what_was_corrected(tmp_path):
    scan, web = tmp_path / "volume.tif", tmp_path / "web"
    frame = Image.fromarray(page(LETTER[:1]))
    for day, count in enumerate((4, 2), 1):
        frame.save(scan, save_all=True, append_images=[frame] * (count - 1))
        facts = {"width": 640, "height": 140, "source_sha256": hashlib.sha256(scan.read_bytes()).hexdigest()}
        pages = [{**made_tables.page(str(scan), i, count, words=1), **facts, "model_id": "model"} for i in range(count)]
        word = {"document_uri": str(scan), "line_index": 0, "word_index": 0, "text": "ink", "confidence": 0.5}
        box = {"left": 9, "top": 9, "right": 40, "bottom": 30}
        words = [{**word, **box, "page_index": i} for i in range(count)]
        write_run(tmp_path / "tables", f"night-{day}", day, pages, (), words)
        assert inkbeam("review", tmp_path / "tables", "--output", web).code == 0
        if day == 1:
            (third,) = web.glob("volume*-page3.html")
            saved = embedded(third.read_text())
            (web / f"{saved['name']}.page.xml").write_text(saved["xml"])
            (web / "volume-page4.html").write_text("mine")
    left = [path for path in web.glob("volume*") if re.search("page[34]", path.name)]
    assert sorted(path.suffix for path in left) == [".html", ".html", ".jpg", ".xml"]
    assert not list(web.glob(f"{saved['name'][:-1]}4*"))
    texts = [item.text for item in read(web) if isinstance(item, Sample)]
    assert texts == ["ink"]


def test_page_corrected_of_another_scan_may_be_among_the_lowest(made_up, tmp_path):
    web = tmp_path / "web"
    inkbeam("review", made_up, "--lowest", 2, "--output", web)
    for name in ("a.png", "c.png"):
        (path,) = web.glob(f"{name}*.html")
        saved = embedded(path.read_text())
        scan = "000000" if name == "c.png" else "0a1b2c"
        (web / f"{saved['name']}.page.xml").write_text(saved["xml"].replace("-000000.jpg", f"-{scan}.jpg"))
    inkbeam("review", made_up, "--lowest", 1, "--output", web)
    assert listed(web) == ["a.png", "c.png"]
    assert (web / "index.html").read_text().count("✓ corrected") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--lowest", 0), "--lowest must be at least 1, got 0"),
        (("--documents", "x.png"), "--documents x.png: no document in"),
    ],
)
def test_wrong_choices_are_wrong_usage(made_up, tmp_path, options, message):
    done = inkbeam("review", made_up, *options, "--output", tmp_path / "web")
    assert done.code == 2 and message in done.err
    assert not (tmp_path / "web").exists()


@pytest.mark.parametrize("command", [("review",), ("export", "--to", "page", "--pictures"), ("export", "--to", "pdf")])
@pytest.mark.parametrize("place", ["scans", "scans/web"])
def test_pictures_among_the_scans_are_refused(reviewed, command, place):
    before = sorted((reviewed / "scans").iterdir())
    done = inkbeam(*command, reviewed / "tables", "--output", reviewed / place)
    assert done.code == 2 and "the next run would read the pictures as scans" in done.err
    assert sorted((reviewed / "scans").iterdir()) == before


def seen(cut, gray):
    """What a strip shows of a page, as a browser draws it."""
    angle, x, y, turn = map(float, re.findall(r"-?[\d.]+", cut.transform))
    left, top, width, height = map(float, cut.view.split())

    def rotation(degrees, x=0.0, y=0.0):
        a, b = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        around = np.array([[a, -b, 0], [b, a, 0], [0, 0, 1.0]])
        there, back = np.eye(3), np.eye(3)
        there[:2, 2], back[:2, 2] = (x, y), (-x, -y)
        return there @ around @ back

    moved = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ rotation(angle, x, y) @ rotation(turn)
    return cv2.warpAffine(gray, moved[:2], (round(width), round(height)), borderValue=255)


@pytest.mark.parametrize("turn", [0, 90, 270])
@pytest.mark.parametrize("slope", [0.0, 0.1, -0.15])
def test_strip_shows_the_line_upright_and_level(turn, slope):
    # Four words of ink on a falling or climbing line, of which another one stands a little below.
    upright = np.full((400, 700), 255, np.uint8)
    words = []
    for k in range(4):
        left, top = 60 + 150 * k, round(150 + slope * 150 * k)
        upright[top : top + 30, left : left + 110] = 0
        upright[top + 70 : top + 100, left : left + 110] = 90
        levels = tuple(round(150 + 30 + slope * (x - 60)) for x in (left, left + 110))
        words.append((Box(left, top, left + 110, top + 30), levels))
    gray = np.ascontiguousarray(np.rot90(upright, {0: 0, 90: 1, 270: 3}[turn]))
    height, width = upright.shape
    line = []
    for box, levels in words:
        if turn == 90:  # the page was turned counter-clockwise
            box = Box(box.top, width - box.right, box.bottom, width - box.left)
        elif turn == 270:
            box, levels = (
                Box(height - box.bottom, box.left, height - box.top, box.right),
                tuple(height - x for x in levels),
            )
        line.append(PageWord("ink", 1.0, box, turn, baseline=levels))
    cut = strip(line)
    picture = seen(cut, gray)
    assert abs(picture.shape[1] / picture.shape[0] - cut.ratio) < 0.5
    assert picture.shape[0] < 60 and np.count_nonzero(picture < 45) > 0.9 * 4 * 110 * 30
    assert not np.any((picture > 70) & (picture < 110) & (cv2.erode(picture, np.ones((5, 5))) > 70))


def test_strip_of_a_line_without_baseline_is_its_box():
    cut = strip([PageWord("ink", 1.0, Box(30, 50, 90, 70))])
    assert (cut.view, cut.ratio) == ("27 47 66 26", pytest.approx(66 / 26, abs=0.001))
