"""The whole pipeline with the bundle that ships, on real pages of writers that it was not trained on."""

import json
import re

import pytest
from rapidfuzz.distance import Levenshtein

from htr_model import bundle
from htr_model.charset import canonical_text
from tests.pipelines.jobs import inkbeam, rows

HIGHEST_CER = {"iam_pages": 0.05, "copiste": 0.045, "hooker_letters": 0.22, "stanford_letters": 0.30}
"""Character error rate of a collection's pages, reading order and all, that is never to be exceeded: less than twice
what it was when this was written (.025, .024, .129 and .168)."""
PAGES = 3
"""Pages of each collection: enough to notice a broken stage, too few to compare models by."""
CROSSED_OUT = re.compile(r"[<>⟦⟧]")
"""Marks of the transcribers around what a writer struck out."""


def comparable(text: str) -> str:
    """Text in one line, as both sides write it: IAM's tokens split punctuation from words."""
    return re.sub(r" (?=[.,;:!?)'\"])", "", canonical_text(CROSSED_OUT.sub("", text)))


def validation_pages(folder) -> list[dict]:
    """The first validation pages whose ground truth holds all that is on the page."""
    with open(folder / "pages.jsonl", encoding="utf-8") as file:
        pages = [page for page in map(json.loads, file) if page["split"] == "validation"]
    if folder.name == "copiste":
        pages = [p for p in pages if any("J'ai lu" in canonical_text(x["text"]) for x in p["lines"])]
    return sorted(pages, key=lambda p: p["image"])[:PAGES]


@pytest.fixture(scope="module")
def collections(real_data):
    """Collection → image path → text."""
    if not (bundle.DEFAULT / bundle.WEIGHTS_FILE).is_file():
        pytest.skip("the default bundle is absent from htr_model/bundles/default")
    return {
        name: {
            str((real_data / name / page["image"]).absolute()): "\n".join(x["text"] for x in page["lines"])
            for page in validation_pages(real_data / name)
        }
        for name in HIGHEST_CER
    }


@pytest.fixture(scope="module")
def job(collections, tmp_path_factory):
    """How the job ended, and the text of each page."""
    output = tmp_path_factory.mktemp("tables")
    inputs = [a for pages in collections.values() for path in pages for a in ("--input", path)]
    done = inkbeam("digitize", *inputs, "--output", output)
    return done, {row["document_uri"]: row["text"] for row in rows(output, "pages")}


def test_every_page_is_read(job, collections):
    done, texts = job
    assert done.code == 0, done.err
    assert sorted(texts) == sorted(path for pages in collections.values() for path in pages)


@pytest.mark.parametrize("name", HIGHEST_CER)
def test_pages_are_read_well_enough(name, job, collections):
    _, texts = job
    pages = {path: comparable(text) for path, text in collections[name].items()}
    assert len(pages) == PAGES
    edits = sum(Levenshtein.distance(comparable(texts[path]), text) for path, text in pages.items())
    cer = edits / sum(map(len, pages.values()))
    assert cer <= HIGHEST_CER[name], f"{name}: page CER {cer:.3f}"
