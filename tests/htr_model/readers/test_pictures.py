"""Encoded pictures of any kind become grey pixels as `digitize` sees them, or a reason."""

import contextlib
import io

import cv2
import numpy as np
import pytest
from PIL import Image

from htr_model.readers.pictures import decode_gray, has_more_pages
from tests.broken_files import png_of_size
from tests.htr_model.drawing import png, word


def encoded(picture: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_transparent_parts_are_paper():
    drawn = Image.new("RGBA", (60, 40), (0, 0, 0, 0))
    drawn.paste((0, 0, 0, 255), (20, 10, 30, 30))
    gray = decode_gray(encoded(drawn, "PNG"))
    assert gray.shape == (40, 60)
    assert (gray[0, 0], gray[20, 25]) == (255, 0)


@pytest.mark.parametrize("exif", [b"II*\0", b"MM\0*\0\0", b"II*\0\xff\xff\xff\xff"])
def test_a_transparent_picture_with_broken_exif_data_is_skipped_or_read(exif):
    data = encoded(Image.new("RGBA", (20, 10), (0, 0, 0, 255)), "PNG", exif=exif)
    with contextlib.suppress(ValueError):
        assert decode_gray(data).shape == (10, 20)


def test_giant_picture_is_refused():
    with pytest.raises(ValueError, match="pixels"):
        decode_gray(png_of_size(100_000, 50_000))


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_damaged_picture_is_never_a_black_one(share):
    data = png(word("damaged"))
    with pytest.raises(ValueError, match="^not a readable picture$"):
        decode_gray(data[: int(share * len(data))])


DEEP = {
    "colour": np.dstack([word("x")] * 3),
    "16 bits": word("x").astype(np.uint16) * 257,
    "12 bits in 16": word("x").astype(np.uint16) * 16,
    "fractions": (word("x") / 255).astype(np.float32),
}


@pytest.mark.parametrize("name", DEEP)
def test_levels_of_any_number_of_bits_become_grey(name):
    image = DEEP[name]
    data = encoded(Image.fromarray(image), "TIFF")
    gray = decode_gray(data)
    assert gray.dtype == np.uint8
    assert np.abs(gray.astype(int) - word("x")).max() <= 2


def test_white_may_be_zero():
    inverted = 65535 - word("x").astype(np.uint16) * 257
    gray = decode_gray(encoded(Image.fromarray(inverted), "TIFF", tiffinfo={262: 0}))
    assert np.abs(gray.astype(int) - word("x")).max() <= 1


def test_a_photograph_is_turned_upright():
    data = encoded(
        Image.fromarray(word("x")),
        "JPEG",
        exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
    )
    assert decode_gray(data).shape == word("x").shape[::-1]


@pytest.mark.parametrize("kind", ["AVIF", "WEBP", "JPEG", "JPEG2000", "BMP"])
def test_usual_kinds_are_read(kind):
    gray = decode_gray(encoded(Image.fromarray(word("x")), kind))
    assert np.abs(gray.astype(int) - word("x")).mean() < 3


def test_grey_is_that_of_colours():
    colours = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    gray = decode_gray(cv2.imencode(".png", colours)[1].tobytes())
    assert np.abs(gray.astype(int) - cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY)).max() <= 1


def test_reduced_copies_in_a_tiff_are_no_pages():
    def tiff(kind):
        data, pictures = io.BytesIO(), [Image.fromarray(word("x")), Image.fromarray(word("x")[::2, ::2])]
        for picture, subfile in zip(pictures, (0, kind), strict=True):
            picture.encoderinfo = {"tiffinfo": {254: subfile}}
        pictures[0].save(data, "TIFF", save_all=True, append_images=pictures[1:])
        return data.getvalue()

    assert has_more_pages(tiff(0)) and not has_more_pages(tiff(1))
    assert not has_more_pages(png(word("x"))) and not has_more_pages(b"nothing")
