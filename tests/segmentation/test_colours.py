"""Pages with their colours, for those who look at them."""

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from segmentation.decoding import DecodingSettings, Page, PageRef, decode_page
from tests import broken_files as files

RED, PAPER = (200, 40, 30), (240, 230, 210)


def stamped(width: int = 120, height: int = 80) -> Image.Image:
    """Yellowish paper with a red stamp in its upper left corner."""
    sheet = Image.new("RGB", (width, height), PAPER)
    sheet.paste(RED, (8, 8, 40, 40))
    return sheet


def decode(data: bytes, in_colour: bool = True) -> Page:
    return decode_page(data, PageRef("scans/page.bin", 0), DecodingSettings(), in_colour=in_colour)


def rgb(page: Page, x: int, y: int) -> list[int]:
    return page.colours[y, x, ::-1].tolist()


def pdf(sheet: Image.Image) -> bytes:
    return files.encoded(sheet, "PDF", resolution=300)


LOSSLESS = {
    "PNG": lambda sheet: files.encoded(sheet, "PNG"),
    "WebP": lambda sheet: files.encoded(sheet, "WEBP", lossless=True),
    "BMP": lambda sheet: files.encoded(sheet, "BMP"),
    "TIFF": lambda sheet: files.encoded(sheet, "TIFF"),
    "palette": lambda sheet: files.encoded(sheet.quantize(8), "PNG"),
}
LOSSY = {
    "JPEG": lambda sheet: files.encoded(sheet, "JPEG", quality=95),
    "AVIF": lambda sheet: files.encoded(sheet, "AVIF", quality=95),
    "HEIC": lambda sheet: files.heic(sheet, quality=95),
    "PDF": pdf,
}


@pytest.mark.parametrize("kind", [*LOSSLESS, *LOSSY])
def test_colours_are_those_of_the_file(kind):
    page = decode({**LOSSLESS, **LOSSY}[kind](stamped()))
    tolerance = 0 if kind in LOSSLESS else 8
    assert page.colours.dtype == np.uint8 and page.colours.shape == (*page.gray.shape, 3)
    assert rgb(page, 24, 24) == pytest.approx(RED, abs=tolerance)
    assert rgb(page, 100, 70) == pytest.approx(PAPER, abs=tolerance)
    assert np.abs(page.gray.astype(int) - decode({**LOSSLESS, **LOSSY}[kind](stamped()), False).gray).mean() < 2


def test_colours_are_told_when_they_are_asked_for():
    assert decode(files.encoded(stamped(), "PNG"), in_colour=False).colours is None


@pytest.mark.parametrize("make", [files.good_fax_tiff, files.good_png, lambda: pdf(Image.fromarray(files.picture()))])
def test_grey_pages_have_none(make):
    assert decode(make()).colours is None


def test_grey_page_stored_in_colours_has_none():
    noisy = np.asarray(Image.fromarray(files.picture()).convert("RGB")).astype(int)
    noisy += np.random.default_rng(0).integers(-3, 4, noisy.shape)
    sheet = Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
    page = decode(files.encoded(sheet, "JPEG", quality=80))
    assert page.colours is None
    assert np.abs(page.gray.astype(int) - files.picture()).mean() < 5


def test_transparent_parts_are_white_paper():
    sheet = stamped().convert("RGBA")
    sheet.paste((0, 0, 255, 0), (60, 40, 120, 80))
    page = decode(files.encoded(sheet, "PNG"))
    assert rgb(page, 100, 70) == [255, 255, 255] and rgb(page, 24, 24) == list(RED)


def test_inks_become_colours():
    page = decode(files.encoded(stamped().convert("CMYK"), "JPEG", quality=95))
    assert rgb(page, 24, 24) == pytest.approx(RED, abs=12)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_colours_are_turned_with_the_page(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    page = decode(files.encoded(stamped(), "JPEG", quality=95, exif=exif))
    assert page.colours.shape[:2] == page.gray.shape
    x, y = {1: (24, 24), 3: (96, 56), 6: (56, 24), 8: (24, 96)}[orientation]
    assert rgb(page, x, y) == pytest.approx(RED, abs=8)


def test_colour_profile_is_obeyed():
    """A profile in which red and blue stand for each other: the stamp is meant to be blue."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")
    page = decode(files.encoded(stamped(), "PNG", icc_profile=swapped))
    assert rgb(page, 24, 24) == pytest.approx(RED[::-1], abs=2)
    same = decode(files.encoded(stamped(), "PNG", icc_profile=profile))
    assert rgb(same, 24, 24) == pytest.approx(RED, abs=2)


def test_damaged_profile_costs_its_colours_and_not_the_page():
    page = decode(files.encoded(stamped(), "PNG", icc_profile=b"no profile" * 20))
    assert rgb(page, 24, 24) == list(RED)
