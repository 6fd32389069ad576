"""Web pages of an archive: every page with its picture, lines in their place, and what is saved there is truth."""

import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from PIL import Image

from htr_model.readers.datasets import read
from htr_model.readers.page_xml import parse_page
from htr_model.samples import Sample
from pipelines.review.pages import strip
from pipelines.transcripts import PageWord
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
    return [line["text"] for line in parse_page(root).lines]


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
        assert found.lines == row["text"].split("\n")
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
    assert texts == row["text"].split("\n")


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


CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
EDITS = """
function type(line, said) { field(lines[line]).textContent = said; keep(); }
type(0, "My dear Eleonora,");
type(1, "");
type(2, "twow ords");
const span = lines[4].querySelectorAll("span")[1];
visit(span);
const offered = [...others.querySelectorAll("button")];
offered.find((button) => button.textContent === "ALSO").click();
visit(span);
const back = [...others.querySelectorAll("button")].map((button) => button.textContent);
const result = document.createElement("pre");
result.id = "result";
result.textContent = JSON.stringify({ xml: corrected(), back, changed: document.querySelectorAll(".changed").length });
document.body.append(result);
"""


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
    path.write_text(path.read_text().replace("</body>", f"<script>{EDITS}</script></body>"))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    shown = subprocess.run([*command, "--dump-dom", path.as_uri()], capture_output=True, text=True, timeout=120)
    found = json.loads(html.unescape(re.search(r'<pre id="result">(.*?)</pre>', shown.stdout, re.S)[1]))
    assert texts_in(found["xml"]) == ["My dear Eleonora,", "twow ords", "left alone", "one ALSO"]
    assert found["back"] == ["also"] and found["changed"] == 4
    root = ElementTree.fromstring(found["xml"].encode())
    confidences = [
        [word.find("{*}TextEquiv").get("conf") for word in line.findall("{*}Word")]
        for line in root.findall(".//{*}TextLine")
    ]
    # Of what was typed the confidence is gone; of words that were divided anew the places are, too.
    assert confidences == [["0.5000", "0.5000", None], [], ["0.5000", "0.5000"], ["0.5000", None]]


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


@pytest.mark.parametrize("turn", [0, 90, 270])
def test_strip_shows_the_line_upright(turn):
    # A dark word on a page that must be turned by so much; the strip of SVG's rotate() must hold it.
    box = Box(30, 50, 90, 70) if turn == 0 else Box(50, 30, 70, 90)
    cut = strip([PageWord("ink", 1.0, box, turn)], turn)
    left, top, width, height = map(int, cut.view.split())
    angle = np.radians(turn)
    rotate = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = rotate @ np.array([[box.left, box.right], [box.top, box.bottom]])
    (x0, x1), (y0, y1) = np.sort(corners, axis=1).round().astype(int).tolist()
    assert (left, top, left + width, top + height) == (x0 - 3, y0 - 3, x1 + 3, y1 + 3)
    assert cut.ratio == pytest.approx(66 / 26, abs=0.001)
