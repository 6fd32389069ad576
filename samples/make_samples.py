"""Makes the sample pages of this folder and their ground truth, ``truth.json``.

Run from the root of the checkout, in the environment that inkbeam is installed in (OpenCV, NumPy, Pillow):

    python samples/make_samples.py

It needs ``npm`` on the path and a network: the handwriting fonts are fetched into a temporary folder and never kept.
The same versions of the fonts and of Pillow, OpenCV and NumPy give the same files.
"""

import argparse
import json
import math
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageDraw, ImageFont, TiffImagePlugin

from htr_model.synthetic.noise import smooth_noise

SEED = 1902
FONT_VERSION = "5.3.0"  # pinned: another version may hold other outlines, and so other pages
DPI = 150  # what the page sizes below amount to for a sheet of letter paper
OVERSAMPLING = 2  # words are drawn twice as large and shrunk, so that bent strokes keep smooth edges
GREY_STEP = 5  # lossless files keep every fifth grey level: half the bytes, and no difference to the eye

RIGHT = ">"  # begins a line that is set against the right margin; no part of the truth
STOP = "\t"  # moves to the next tab stop; a space in the truth

LETTER = """\
>Harrow Lane, 14 March 1897
My dear Eleanor,
Your parcel came on Tuesday, and the
children have not left the lemon tarts
in peace since. Thomas has a cold, but
he reads by the window and complains
only of the dog. The river is high and
the lower bridge was shut for two days,
so the post went round by Weston Mill.
I have put aside your father's papers:
there are nine boxes, and none in order.
Come before Easter if the roads allow.
>Ever your affectionate cousin,
>Harriet Lowe"""

RULED = """\
>Saint-Aubin, le 8 février 1901
Ma chère sœur,
J'ai bien reçu ta lettre du 30 janvier.
Ici, l'hiver est rude : la fontaine a gelé
et l'école reste fermée depuis lundi.
Père va mieux, Dieu merci ; il a dîné
hier à table et goûté à ta confiture.
René espère être nommé à Besançon
avant l'été. Où logera-t-il ? Là-bas,
tout coûte cher, même le pain.
Écris-nous dès que tu pourras.
>Ta sœur qui t'aime, Hélène"""

ROTATED = """\
Notice to the reading room
Readers are asked to sign their names
on arrival, and to leave their coats
and umbrellas with the porter.
Pencils only may be used. No more
than three bundles will be brought
at one time, and none after four.
>J. Wexford, Keeper"""

COLUMNS = (
    """\
Plum jam
Take six pounds of
ripe plums, halve
and stone them, and
weigh out as much
sugar. Let all stand
one night in a deep
pan. Next morning
boil it gently for
forty minutes, and
skim it with care.""",
    """\
Ginger beer
Bruise two ounces
of ginger and put it
in a crock with the
rind of two lemons.
Pour on a gallon of
boiling water; when
it is cool, stir in
a spoon of yeast.
Bottle after a day,
and keep it cold.""",
)

LEDGER = (
    """\
Expenses of the archive, 1902
3 Jan.\tLamp oil, two gallons\t£0 4s. 6d.
9 Jan.\tPaper, four reams\t£1 12s. 0d.
17 Jan.\tMr. Pym, for binding\t£2 15s. 8d.
24 Jan.\tCoal, half a ton\t£0 13s. 0d.
1 Feb.\tInk and steel nibs\t£0 3s. 9d.
8 Feb.\tRepairs to the roof\t£7 10s. 0d.
20 Feb.\tCarriage of 36 boxes\t£1 1s. 4d.
28 Feb.\tWages, two clerks\t£9 6s. 0d.
>Carried over £23 6s. 3d.""",
    """\
Expenses, continued
05/03/1902\tGlass for a case\t£0 18s. 2d.
12/03/1902\tStamps, 240 at 1d.\t£1 0s. 0d.
19/03/1902\tTwine and labels\t£0 2s. 7d.
27/03/1902\tSweep, 5 chimneys\t£0 7s. 6d.
04/04/1902\tCatalogue, 150 cards\t£3 14s. 0d.
16/04/1902\tNew lock and 6 keys\t£0 11s. 3d.
30/04/1902\tWages, two clerks\t£9 6s. 0d.
>In all £39 5s. 9d.""",
    """\
>2 May 1902
Examined the accounts of the archive
from 3 January to 30 April 1902, with
15 receipts, numbered 1 to 15.
Receipt no. 6 is wanting (£7 10s.) and
will be asked for again.
Paid £39 5s. 9d., received £45 0s. 0d.;
there remain £5 14s. 3d. in the box.
>Found correct, E. Marsh""",
)

# The capitals C, F, R, U and W of the diarist's font look like small letters or other ones, so that no text has them.
DIARY = (
    """\
Monday, 5 May
Dry and cold. Edith and I walked
to the station for the noon train;
it was late by an hour, and we sat
in the waiting room with a man who
kept two ferrets in a basket. Henry
has grown thin, but laughs as he
always did. He brought me a brass
compass and a bag of almonds. Ate
mutton, and talked until eleven.""",
    """\
Tuesday, 6 May
Heavy rain. Henry slept, and I
copied out the parish list as far
as the year 1788. The hand changes
there, and half the names with it.
Edith found a pressed fern between
the leaves; nobody knows how long
it has been there. Put it back, and
wrote to Mr. Pym about the binding.
To bed at ten, with a headache.""",
)

PHONE = """\
Dear Mr. Wexford,
I send back the two maps that you
were kind enough to lend me. The
larger one has a small tear in the
fold; it was there before, but I am
sorry that I did not say so at once.
May I keep the survey of 1846 until
the end of June? I have still to
trace the old canal on it.
>Yours truly, A. Brandt"""


@dataclass(frozen=True)
class Hand:
    """One writer: a font and how it is held. Lengths are page pixels."""

    font: str
    size: float
    slant: float = 0.0  # shear added to the font's own; positive leans to the right
    pressure: float = 0.0  # -1 thins the strokes, 1 thickens them
    darkness: float = 0.85  # of fresh ink; 1 is black
    gap: float = 0.34  # between words, as a share of the size


@dataclass(frozen=True)
class Block:
    """Where a text stands on its page, in pixels; ``top`` is the first baseline."""

    left: int
    right: int
    top: int
    pitch: int
    stops: tuple[int, ...] = ()


COUSIN = Hand("nothing-you-could-do", 48, slant=0.06, pressure=0.5, darkness=0.84, gap=0.46)
SISTER = Hand("la-belle-aurore", 54, slant=0.05, pressure=0.1, darkness=0.84, gap=0.36)
KEEPER = Hand("reenie-beanie", 56, slant=0.05, pressure=0.5, darkness=0.85, gap=0.38)
COOK = Hand("caveat", 56, slant=-0.02, pressure=0.2, darkness=0.78, gap=0.3)
CLERK = Hand("kalam", 46, slant=0.1, pressure=-0.35, darkness=0.9, gap=0.36)
DIARIST = Hand("over-the-rainbow", 47, slant=0.08, pressure=0.3, darkness=0.84, gap=0.42)
VISITOR = Hand("cedarville-cursive", 48, slant=0.03, pressure=0.4, darkness=0.88, gap=0.4)
HANDS = (COUSIN, SISTER, KEEPER, COOK, CLERK, DIARIST, VISITOR)


def truth(text: str) -> str:
    """The text as a reader would copy it: without the marks that say where it stands."""
    return text.replace(RIGHT, "").replace(STOP, " ")


def fetch_fonts(folder: Path) -> dict[str, Path]:
    """Paths of the WOFF files by font name, installed by npm below ``folder``."""
    packages = [f"@fontsource/{hand.font}@{FONT_VERSION}" for hand in HANDS]
    subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--prefix", str(folder), *packages], check=True)
    files = "node_modules/@fontsource/{0}/files/{0}-latin-400-normal.woff"
    return {hand.font: folder / files.format(hand.font) for hand in HANDS}


def bend(mask: np.ndarray, pivot: tuple[float, float], em: float, slant: float, rng: np.random.Generator) -> np.ndarray:
    """The drawn word, leaning, turned and resized a little as a whole and stretched unevenly along its length."""
    angle = math.radians(rng.normal(0, 0.7))
    scale_x, scale_y = 1 + rng.normal(0, 0.025), 1 + rng.normal(0, 0.03)
    lean = slant + rng.normal(0, 0.025)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    back = np.linalg.inv(turn @ np.array([[scale_x, -lean * scale_y], [0, scale_y]]))
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    dx, dy = x - pivot[0], y - pivot[1]
    # Bending the whole picture varies letters and the gaps between them without breaking the joins of a cursive hand.
    sway = smooth_noise(rng, mask.shape, (0.9 * em, 0.5 * em)) * 0.028 * em
    bob = smooth_noise(rng, mask.shape, (0.9 * em, 0.5 * em)) * 0.022 * em
    source_x = back[0, 0] * dx + back[0, 1] * dy + pivot[0] + sway
    source_y = back[1, 0] * dx + back[1, 1] * dy + pivot[1] + bob
    return cv2.remap(mask, source_x.astype(np.float32), source_y.astype(np.float32), cv2.INTER_LINEAR)


def word_ink(word: str, font: ImageFont.FreeTypeFont, hand: Hand, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """Ink of one word, float32 from 0 to 1, cut to its edges, and how many of its rows stand above the baseline."""
    em = font.size
    margin, baseline = round(em / OVERSAMPLING) * OVERSAMPLING, round(0.9 * em) * OVERSAMPLING
    width = math.ceil(font.getlength(word) / OVERSAMPLING) * OVERSAMPLING + 2 * margin
    picture = Image.new("L", (width, round(1.5 * em) * OVERSAMPLING))
    ImageDraw.Draw(picture).text((margin, baseline), word, font=font, fill=255, anchor="ls")
    mask = bend(np.asarray(picture, np.float32) / 255, (margin, baseline), em, hand.slant, rng)
    # Where the blurred stroke is cut decides how wide it is: that is the pressure of the pen, and it wanders.
    blurred = cv2.GaussianBlur(mask, (0, 0), 0.013 * em)
    cut = 0.45 - 0.2 * hand.pressure + 0.06 * smooth_noise(rng, mask.shape, (0.6 * em, 0.4 * em))
    stroke = np.clip((blurred - np.clip(cut, 0.12, 0.7)) * 4 + 0.5, 0, 1) * np.clip(blurred * 12, 0, 1)
    flow = np.clip(0.92 + 0.1 * smooth_noise(rng, mask.shape, (0.25 * em, 0.25 * em)), 0.55, 1)
    size = (mask.shape[1] // OVERSAMPLING, mask.shape[0] // OVERSAMPLING)
    ink = cv2.resize((stroke * flow).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero(ink.max(1) > 0.02)[0], np.nonzero(ink.max(0) > 0.02)[0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], baseline // OVERSAMPLING - rows[0]


def dipped_pen(rng: np.random.Generator) -> Iterator[float]:
    """How much ink the pen gives to each next word: it fades until the pen is dipped again."""
    while True:
        words = int(rng.integers(6, 13))
        yield from (1 - 0.3 * word / words for word in range(words))


def lay(layer: np.ndarray, ink: np.ndarray, left: int, top: int) -> None:
    """Adds the ink of a word to the page's.

    Raises:
        ValueError: ink would fall outside the page.
    """
    under = layer[max(top, 0) : top + ink.shape[0], max(left, 0) : left + ink.shape[1]]
    if under.shape != ink.shape:
        raise ValueError("writing runs over the edge of the page")
    np.maximum(under, ink, out=under)


def write(layer: np.ndarray, text: str, block: Block, hand: Hand, font_path: Path, rng: np.random.Generator) -> None:
    """Writes the lines of a text into the page's ink, ``layer`` (height, width) float32.

    Raises:
        ValueError: a line does not fit into its block.
    """
    font = ImageFont.truetype(str(font_path), hand.size * OVERSAMPLING)
    pen = dipped_pen(rng)
    for number, line in enumerate(text.split("\n")):
        slope, swing, phase = rng.normal(0, 0.004), rng.normal(0, 0.02) * hand.size, rng.uniform(0, 6)
        pieces = line.removeprefix(RIGHT).split(STOP)
        starts = (block.left + abs(rng.normal(0, 5)), *block.stops)[: len(pieces)]
        for piece, start, limit in zip(pieces, starts, (*starts[1:], block.right), strict=True):
            words = [word_ink(word, font, hand, rng) for word in piece.split()]
            # Gaps are measured from ink to ink: the font's own advance lets the last stroke of a word touch the next.
            gaps = hand.gap * hand.size * rng.uniform(0.85, 1.3, len(words))
            length = sum(ink.shape[1] for ink, _ in words) + sum(gaps[1:])
            x = block.right - length if line.startswith(RIGHT) else start + rng.normal(0, 2)
            if x + length > limit + 1:
                raise ValueError(f"{piece!r} is {x + length - limit:.0f} pixels too long")
            for (ink, rise), gap in zip(words, gaps, strict=True):
                drift = slope * (x - block.left) + swing * math.sin(x / 170 + phase) + rng.normal(0, 0.015) * hand.size
                y = block.top + number * block.pitch + drift
                lay(layer, ink * next(pen) * hand.darkness, round(x), round(y) - rise)
                x += ink.shape[1] + gap


def paper(shape: tuple[int, int], rng: np.random.Generator, tone: float = 222, age: float = 1.0) -> np.ndarray:
    """An empty sheet, ``shape`` float32 from 0 to 255: uneven light, cloudy paper, fibres, brown spots."""
    height, width = shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * math.pi)
    light = 9 * (x * math.cos(angle) + y * math.sin(angle)) - 7 * (x**4 + y**4)
    clouds = 3.5 * smooth_noise(rng, shape, (220, 220)) + 1.5 * smooth_noise(rng, shape, (45, 45))
    fibres = 1.1 * smooth_noise(rng, shape, (3, 9)) + 0.8 * smooth_noise(rng, shape, (9, 3))
    spots = np.zeros(shape, np.float32)
    for _ in range(int(40 * age)):
        spot = (int(rng.integers(width)), int(rng.integers(height)))
        cv2.circle(spots, spot, int(rng.integers(1, 6)), float(rng.uniform(5, 26)), -1)
    return tone + age * (light + clouds - cv2.GaussianBlur(spots, (0, 0), 2)) + fibres


def rule(sheet: np.ndarray, block: Block, rng: np.random.Generator) -> None:
    """Prints the lines of ruled paper under the baselines of a block, and its margin."""
    printed = np.zeros_like(sheet)
    for y in range(block.top - block.pitch + 6, sheet.shape[0] - 30, block.pitch):
        cv2.line(printed, (0, y), (sheet.shape[1], y), 1.0, 2)
    cv2.line(printed, (block.left - 24, 0), (block.left - 24, sheet.shape[0]), 0.8, 2)
    sheet -= 52 * printed * np.clip(0.85 + 0.15 * smooth_noise(rng, sheet.shape, (60, 60)), 0.3, 1)


def rule_columns(sheet: np.ndarray, block: Block) -> None:
    """Prints the thin upright rules of an account book, before each tab stop."""
    for stop in block.stops:
        cv2.line(sheet, (stop - 18, block.top - 10), (stop - 18, sheet.shape[0] - 90), 175.0, 1)


def fold(sheet: np.ndarray, y: int) -> None:
    """Marks the crease of a letter that was folded once: a light edge above a dark one."""
    rows = np.arange(sheet.shape[0], dtype=np.float32)[:, None]
    sheet += 7 * np.exp(-(((rows - y + 3) / 3) ** 2)) - 11 * np.exp(-(((rows - y - 2) / 2.5) ** 2))


def scan(sheet: np.ndarray, ink: np.ndarray, rng: np.random.Generator, ink_tone: float = 45) -> np.ndarray:
    """The inked sheet as a scanner sees it: uint8, a little soft, with sensor noise."""
    picture = sheet * (1 - ink) + ink_tone * ink
    picture = cv2.GaussianBlur(picture.astype(np.float32), (0, 0), 0.6) + rng.normal(0, 1.0, sheet.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


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
