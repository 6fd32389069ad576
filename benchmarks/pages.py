"""Pages with known text to measure on: the real collections where they are, else the samples."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from htr_model.scoring.metrics import error_rates
from htr_model.scoring.page_text import comparable
from segmentation.decoding import DecodingSettings, PageRef, decode_page

ROOT = Path(__file__).resolve().parent.parent
COLLECTIONS = ("iam_pages", "copiste", "hooker_letters", "stanford_letters")
_PRINTED = "lu les conditions"
"""Words of copiste's printed heading: only sheets whose ground truth holds them can be scored as whole pages."""
_CARD_WIDTH, _CARD_HEIGHT = 800, 300


@dataclass(frozen=True)
class TruePage:
    """A page picture and its lines' text."""

    collection: str
    path: Path
    lines: tuple[str, ...]

    @property
    def ref(self) -> PageRef:
        """The page as the pipeline names it."""
        return PageRef(str(self.path), 0)

    def gray(self) -> np.ndarray:
        """Its picture, uint8 (height, width), read as `digitize` reads it."""
        return decode_page(self.path.read_bytes(), self.ref, DecodingSettings()).gray


def data_folder() -> Path | None:
    """Folder of the real collections: ``INKBEAM_DATA``, or ``../shared/data`` beside the checkout; None if absent."""
    folder = Path(os.environ.get("INKBEAM_DATA", ROOT.parent / "shared" / "data"))
    return folder if (folder / "iam_pages").is_dir() else None


def validation_pages(collection: str, limit: int | None = None) -> list[TruePage]:
    """Validation pages of a real collection that can be scored whole, at most ``limit``, evenly chosen."""
    folder = data_folder() / collection
    pages = []
    with open(folder / "pages.jsonl", encoding="utf-8") as rows:
        for row in rows:
            page = json.loads(row)
            lines = tuple(line["text"] for line in page["lines"] if line["text"])
            whole = collection != "copiste" or _PRINTED in " ".join(lines[:4])
            if page["split"] == "validation" and lines and whole:
                pages.append(TruePage(collection, folder / page["image"], lines))
    step = max(1, len(pages) // limit) if limit else 1
    return pages[::step][:limit]


def sample_pages() -> list[TruePage]:
    """The single-page samples."""
    truth = json.loads((ROOT / "samples" / "truth.json").read_text(encoding="utf-8"))
    return [
        TruePage("samples", ROOT / "samples" / name, tuple(texts[0].split("\n")))
        for name, texts in truth.items()
        if len(texts) == 1
    ]


def measured_pages(limit: int | None = None) -> dict[str, list[TruePage]]:
    """Pages to measure on by collection: the real ones, at most ``limit`` of each, else the samples."""
    if data_folder() is None:
        return {"samples": sample_pages()}
    return {name: validation_pages(name, limit) for name in COLLECTIONS}


def page_cer(pages: list[TruePage], texts: list[str]) -> float:
    """Character error rate over whole pages in reading order, line breaks counted as spaces."""
    return error_rates([comparable(" ".join(p.lines)) for p in pages], [comparable(t) for t in texts]).cer


def write_cards(folder: Path, pages: list[TruePage]) -> list[Path]:
    """Pictures of the tops of some pages, a few lines each: small enough to read thousands of in minutes."""
    cards = []
    for i, page in enumerate(pages):
        gray = page.gray()
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
