"""Makes the sample pages of this folder and their ground truth, ``truth.json``.

Run from the root of the checkout, in the environment that inkbeam is installed in (OpenCV, NumPy, Pillow):

    python -m samples.make_samples

It needs ``npm`` on the path and a network: the handwriting fonts are fetched into a temporary folder and never kept.
The same versions of the fonts and of Pillow, OpenCV and NumPy give the same pixels.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, TiffImagePlugin

from htr_model.synthetic.noise import smooth_noise
from samples.handwriting import Block, Hand, fold, paper, rule, rule_columns, scan, write
from samples.page_texts import COLUMNS, DIARY, LEDGER, LETTER, PHONE, ROTATED, RULED, truth

SEED = 1902
FONT_VERSION = "5.3.0"  # pinned: another version may hold other outlines, and so other pages
DPI = 150  # what the page sizes below amount to for a sheet of letter paper
GREY_STEP = 5  # lossless files keep every fifth grey level: half the bytes, and no difference to the eye

COUSIN = Hand("nothing-you-could-do", 48, slant=0.06, pressure=0.5, darkness=0.84, gap=0.46)
SISTER = Hand("la-belle-aurore", 54, slant=0.05, pressure=0.1, darkness=0.84, gap=0.36)
KEEPER = Hand("reenie-beanie", 56, slant=0.05, pressure=0.5, darkness=0.85, gap=0.38)
COOK = Hand("caveat", 56, slant=-0.02, pressure=0.2, darkness=0.78, gap=0.3)
CLERK = Hand("kalam", 46, slant=0.1, pressure=-0.35, darkness=0.9, gap=0.36)
DIARIST = Hand("over-the-rainbow", 47, slant=0.08, pressure=0.3, darkness=0.84, gap=0.42)
VISITOR = Hand("cedarville-cursive", 48, slant=0.03, pressure=0.4, darkness=0.88, gap=0.4)
HANDS = (COUSIN, SISTER, KEEPER, COOK, CLERK, DIARIST, VISITOR)


def fetch_fonts(folder: Path) -> dict[str, Path]:
    """Paths of the WOFF files by font name, installed by npm below ``folder``."""
    packages = [f"@fontsource/{hand.font}@{FONT_VERSION}" for hand in HANDS]
    subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(folder), *packages], check=True)
    files = "node_modules/@fontsource/{0}/files/{0}-latin-400-normal.woff"
    return {hand.font: folder / files.format(hand.font) for hand in HANDS}


def coarse(gray: np.ndarray) -> np.ndarray:
    """The page with fewer grey levels, for lossless files."""
    return np.minimum(np.round(gray / GREY_STEP) * GREY_STEP, 255).astype(np.uint8)


def letter(fonts: dict[str, Path], rng: np.random.Generator) -> np.ndarray:
    """A folded letter on plain, aged paper: (height, width) uint8, as all pages."""
    sheet, ink = paper((1500, 1100), rng, tone=212, age=1.2), np.zeros((1500, 1100), np.float32)
    fold(sheet, 758)
    write(ink, LETTER, Block(105, 1020, 170, 92), COUSIN, fonts[COUSIN.font], rng)
    return scan(sheet, ink, rng, ink_tone=58)


def ruled(fonts: dict[str, Path], rng: np.random.Generator) -> np.ndarray:
    """A French letter on ruled paper."""
    block = Block(130, 1050, 190, 100)
    sheet, ink = paper((1480, 1100), rng, tone=228), np.zeros((1480, 1100), np.float32)
    rule(sheet, block, rng)
    write(ink, RULED, block, SISTER, fonts[SISTER.font], rng)
    return scan(sheet, ink, rng)


def rotated(fonts: dict[str, Path], rng: np.random.Generator) -> np.ndarray:
    """A small notice that lay 2.1 degrees askew on the glass, under a white lid."""
    height, width = 800, 960
    sheet, ink = paper((height, width), rng, tone=214), np.zeros((height, width), np.float32)
    write(ink, ROTATED, Block(110, 870, 130, 80), KEEPER, fonts[KEEPER.font], rng)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 2.1, 1.0)
    turn[:, 2] += 20
    page = scan(sheet, ink, rng)
    return cv2.warpAffine(page, turn, (width + 40, height + 40), flags=cv2.INTER_CUBIC, borderValue=250)


def columns(fonts: dict[str, Path], rng: np.random.Generator) -> np.ndarray:
    """A leaf of a household book in two columns."""
    sheet, ink = paper((1300, 1200), rng, tone=220, age=1.2), np.zeros((1300, 1200), np.float32)
    for text, (left, right) in zip(COLUMNS, ((95, 555), (660, 1120)), strict=True):
        write(ink, text, Block(left, right, 170, 98), COOK, fonts[COOK.font], rng)
    return scan(sheet, ink, rng, ink_tone=60)


def ledger(fonts: dict[str, Path], rng: np.random.Generator) -> list[np.ndarray]:
    """Three leaves of an account book; the second is for a 1-bit file."""
    blocks = (
        Block(85, 1070, 150, 94, stops=(270, 745)),
        Block(60, 1070, 150, 100, stops=(314, 772)),
        Block(105, 1040, 170, 104),
    )
    pages = []
    for text, block in zip(LEDGER, blocks, strict=True):
        sheet, ink = paper((1150, 1120), rng, tone=226, age=0.8), np.zeros((1150, 1120), np.float32)
        rule_columns(sheet, block)
        write(ink, text, block, CLERK, fonts[CLERK.font], rng)
        pages.append(scan(sheet, ink, rng))
    return pages


def diary(fonts: dict[str, Path], rng: np.random.Generator) -> list[np.ndarray]:
    """Two pages of a diary."""
    pages = []
    for text in DIARY:
        sheet, ink = paper((1300, 1000), rng, tone=218), np.zeros((1300, 1000), np.float32)
        write(ink, text, Block(95, 930, 170, 106), DIARIST, fonts[DIARIST.font], rng)
        pages.append(scan(sheet, ink, rng, ink_tone=50))
    return pages


def phone(fonts: dict[str, Path], rng: np.random.Generator) -> np.ndarray:
    """A colour photograph of a letter on a table, upright: (height, width, 3) uint8 RGB."""
    height, width = 1500, 1125
    sheet, ink = paper((1300, 1000), rng, tone=225, age=0.7), np.zeros((1300, 1000), np.float32)
    write(ink, PHONE, Block(95, 925, 190, 108), VISITOR, fonts[VISITOR.font], rng)
    page = scan(sheet, ink, rng, ink_tone=40).astype(np.float32)
    # Held by hand: the far edge is a little shorter, and nothing is quite straight.
    corners = np.array([[72, 78], [1050, 66], [1076, 1432], [48, 1424]], np.float32)
    flat = np.array([[0, 0], [1000, 0], [1000, 1300], [0, 1300]], np.float32)
    view = cv2.getPerspectiveTransform(flat, corners)
    cover = cv2.warpPerspective(np.ones_like(page), view, (width, height))
    page = cv2.warpPerspective(page, view, (width, height), borderMode=cv2.BORDER_REPLICATE)
    grain = smooth_noise(rng, (height, width), (700, 16)) + 0.5 * smooth_noise(rng, (height, width), (60, 4))
    shadow = cv2.GaussianBlur(np.roll(cover, (14, 10), (0, 1)), (0, 0), 12)
    table = (80 + 5 * grain + 4 * smooth_noise(rng, (height, width), (300, 200))) * (1 - 0.5 * shadow)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    # A lamp at the upper left, and the soft shadow of the hand that holds the phone at the lower right.
    light = 1.03 - 0.07 * x - 0.06 * y - 0.16 / (1 + np.exp(-9 * (x + y - 1.15)))
    tints = np.array([1.0, 0.965, 0.885], np.float32), np.array([1.15, 0.8, 0.56], np.float32)
    cover = cv2.GaussianBlur(cover, (0, 0), 0.7)[..., None]
    photo = page[..., None] * tints[0] * cover + table[..., None] * tints[1] * (1 - cover)
    return np.clip(photo * light[..., None] + rng.normal(0, 1.2, photo.shape), 0, 255).astype(np.uint8)


def one_bit(gray: np.ndarray) -> Image.Image:
    """The page in black and white, as an old document scanner stored it."""
    return Image.fromarray(gray).point(lambda value: 255 * (value > 150)).convert("1", dither=Image.Dither.NONE)


def save_ledger(path: Path, pages: list[np.ndarray]) -> None:
    """Writes a TIFF of three frames: grey, 1-bit (CCITT Group 4), grey."""
    first, second, third = pages
    frames = (
        (Image.fromarray(coarse(first)), "tiff_adobe_deflate"),
        (one_bit(second), "group4"),
        (Image.fromarray(coarse(third)), "tiff_adobe_deflate"),
    )
    # Pillow's save_all would compress all frames alike, and Group 4 is for 1-bit pictures only.
    with TiffImagePlugin.AppendingTiffWriter(str(path), True) as tiff:
        for frame, compression in frames:
            frame.save(tiff, format="TIFF", compression=compression, dpi=(DPI, DPI))
            tiff.newFrame()


def save_diary(path: Path, pages: list[np.ndarray]) -> None:
    """Writes a PDF whose pages are JPEG pictures, as scanners make them."""
    first, *others = [Image.fromarray(page) for page in pages]
    then = time.gmtime(0)  # a fixed date, so that the same pages give the same file
    first.save(path, save_all=True, append_images=others, resolution=DPI, quality=60, creationDate=then, modDate=then)


def save_phone(path: Path, upright: np.ndarray) -> None:
    """Writes a JPEG that is stored lying on its side, with the EXIF tag that puts it right."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # turn 90 degrees clockwise to display
    stored = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    stored.save(path, quality=62, exif=exif)


def make_samples(folder: Path, fonts: dict[str, Path]) -> dict[str, list[str]]:
    """Texts of the pages by file name, after their pictures were written to ``folder``."""
    # A generator for each file: a change to one page leaves the others as they are.
    rngs = [np.random.default_rng([SEED, number]) for number in range(7)]
    options = {"dpi": (DPI, DPI)}
    Image.fromarray(coarse(letter(fonts, rngs[0]))).save(folder / "letter.png", optimize=True, **options)
    Image.fromarray(ruled(fonts, rngs[1])).save(folder / "ruled.jpg", quality=62, **options)
    Image.fromarray(coarse(rotated(fonts, rngs[2]))).save(folder / "rotated.png", optimize=True, **options)
    Image.fromarray(coarse(columns(fonts, rngs[3]))).save(folder / "columns.png", optimize=True, **options)
    save_ledger(folder / "ledger.tiff", ledger(fonts, rngs[4]))
    save_diary(folder / "diary.pdf", diary(fonts, rngs[5]))
    save_phone(folder / "phone.jpg", phone(fonts, rngs[6]))
    return {
        "letter.png": [truth(LETTER)],
        "ruled.jpg": [truth(RULED)],
        "rotated.png": [truth(ROTATED)],
        "columns.png": ["\n".join(truth(column) for column in COLUMNS)],
        "ledger.tiff": [truth(page) for page in LEDGER],
        "diary.pdf": [truth(page) for page in DIARY],
        "phone.jpg": [truth(PHONE)],
    }


def main() -> None:
    """Writes the pages and ``truth.json`` into the folder asked for."""
    parser = argparse.ArgumentParser(description="Make inkbeam's sample pages.")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder to write to (this one)")
    folder = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as temporary:
        texts = make_samples(folder, fetch_fonts(Path(temporary)))
    (folder / "truth.json").write_text(json.dumps(texts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
