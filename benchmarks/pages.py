"""Pages with known text to measure on: the real collections where they are, else the samples."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import cv2

from htr_model.readers.described import DescribedPage
from htr_model.readers.page_rows import page_rows
from htr_model.readers.page_truth import TrueLine, TruePage
from htr_model.scoring.metrics import error_rates
from htr_model.scoring.page_text import comparable
from pipelines.evaluation.ground_truth import load_page

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ("iam_pages", "copiste", "hooker_letters", "stanford_letters")
_PRINTED = "lu les conditions"
"""Words of copiste's printed heading: only sheets whose ground truth holds them can be scored as whole pages."""
_CARD_WIDTH, _CARD_HEIGHT = 800, 300


def page_count(text: str) -> int:
    """A number of pages of a command line.

    Raises:
        argparse.ArgumentTypeError: it is no number, or less than one.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a number of at least 1, got {text!r}")
    return int(text)


def data_folder() -> Path | None:
    """Folder of the real collections: ``INKBEAM_DATA``, or ``../shared/data`` beside the checkout; None if absent."""
    folder = Path(os.environ.get("INKBEAM_DATA", ROOT.parent / "shared" / "data"))
    return folder if (folder / "iam_pages").is_dir() else None


def validation_pages(collection: str, limit: int | None = None) -> list[TruePage]:
    """Validation pages of a real collection that can be scored whole, at most ``limit``, evenly chosen."""
    pages = []
    for page in page_rows(data_folder() / collection / "pages.jsonl"):
        if isinstance(page, DescribedPage) and page.split == "validation":
            texts = [line.text for line in page.lines if line.text]
            if texts and (collection != "copiste" or _PRINTED in " ".join(texts[:4])):
                pages.append(_page(collection, page.picture, texts))
    return _evenly_chosen(pages, limit)


def sample_pages(limit: int | None = None) -> list[TruePage]:
    """The single-page samples, at most ``limit``, evenly chosen."""
    truth = json.loads((ROOT / "samples" / "truth.json").read_text(encoding="utf-8"))
    pages = [
        _page("samples", ROOT / "samples" / name, texts[0].split("\n"))
        for name, texts in truth.items()
        if len(texts) == 1
    ]
    return _evenly_chosen(pages, limit)


def _page(collection: str, picture: Path, texts: list[str]) -> TruePage:
    """A page by its lines' texts as its ground truth writes them: IAM's punctuation stands apart."""
    return TruePage(collection, picture, None, tuple(TrueLine(text, ()) for text in texts), 0.0)


def _evenly_chosen(pages: list[TruePage], limit: int | None) -> list[TruePage]:
    count = min(len(pages), limit or len(pages))
    return [pages[i * len(pages) // count] for i in range(count)]


def measured_pages(limit: int | None = None) -> dict[str, list[TruePage]]:
    """Pages to measure on by collection, at most ``limit`` of each: the real ones that are there, else the samples."""
    if data_folder() is None:
        return {"samples": sample_pages(limit)}
    return {name: validation_pages(name, limit) for name in COLLECTIONS if (data_folder() / name).is_dir()}


def page_cer(pages: list[TruePage], texts: list[str]) -> float:
    """Character error rate over whole pages in reading order, line breaks counted as spaces."""
    return error_rates([comparable(p.text) for p in pages], [comparable(t) for t in texts]).cer


def write_cards(folder: Path, pages: list[TruePage]) -> list[Path]:
    """Pictures of the tops of some pages, a few lines each: small enough to read thousands of in minutes."""
    cards = []
    for i, page in enumerate(pages):
        gray = load_page(page).gray
        height = round(gray.shape[0] * _CARD_WIDTH / gray.shape[1])
        gray = cv2.resize(gray, (_CARD_WIDTH, height), interpolation=cv2.INTER_AREA)
        cards.append(folder / f"card{i}.png")
        cv2.imwrite(str(cards[-1]), gray[:_CARD_HEIGHT])
    return cards


def repeated(folder: Path, pictures: list[Path], count: int) -> Path:
    """A new folder of ``count`` scans: names for some pictures in turn."""
    folder.mkdir(parents=True)
    for i in range(count):
        picture = pictures[i % len(pictures)]
        (folder / f"{i:06d}{picture.suffix}").symlink_to(picture.absolute())
    return folder
