"""Damaged files and strange pictures, made up by hypothesis: a page, or an error that says why not.

The tests try the same few examples every time. ``make fuzz`` tries many new ones, and prints what breaks.
"""

import os
import warnings

import pytest

pytest.importorskip("hypothesis", reason="fuzzing needs hypothesis: pip install 'inkbeam[dev]'")

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segmentation.decoding import DecodingError, DecodingSettings, PageRef, count_pages, decode_page
from segmentation.page import segment
from tests import broken_files

MAX_PIXELS = 1_000_000
FORMATS = sorted(broken_files.GOOD)
_GOOD = {name: make() for name, make in broken_files.GOOD.items()}
_LONG = "INKBEAM_FUZZ_EXAMPLES" in os.environ

fuzz = settings(
    max_examples=int(os.environ.get("INKBEAM_FUZZ_EXAMPLES", 60)),
    derandomize=not _LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def damaged_files(draw):
    """A good file that was cut, overwritten, or had parts of it repeated or taken out."""
    data = bytearray(_GOOD[draw(st.sampled_from(FORMATS))])
    for _ in range(draw(st.integers(0, 6))):
        # Headers break decoders best.
        reach = min(len(data), 300) if draw(st.booleans()) else len(data)
        position = draw(st.integers(0, max(0, reach - 1)))
        length = draw(st.integers(1, 64))
        kind = draw(st.sampled_from(["overwrite", "extreme", "repeat", "remove", "flip"]))
        if kind == "overwrite":
            data[position : position + length] = draw(st.binary(min_size=1, max_size=8))
        elif kind == "extreme":
            value = draw(st.sampled_from([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4)]))
            data[position : position + 4] = value
        elif kind == "repeat":
            data[position:position] = data[position : position + length]
        elif kind == "remove":
            del data[position : position + length]
        elif position < len(data):
            data[position] ^= 1 << draw(st.integers(0, 7))
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


def decode(data: bytes) -> list[np.ndarray]:
    """Pages of a file, at most three; none where there is an error that names the file."""
    allowed, pages = DecodingSettings(max_pixels=MAX_PIXELS, max_pages=50), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd tags.
        try:
            count = count_pages(data, "scan.x", allowed)
        except DecodingError as error:
            assert str(error).startswith("scan.x")
            return []
        for index in range(min(count, 3)):
            try:
                pages.append(decode_page(data, PageRef("scan.x", index), allowed).gray)
            except DecodingError as error:
                assert str(error).startswith("scan.x")
    return pages


def assert_sound(gray: np.ndarray) -> None:
    segmented = segment(gray)
    height, width = gray.shape
    for line in segmented.layout.lines:
        assert 0 <= line.box.left < line.box.right <= width
        assert 0 <= line.box.top < line.box.bottom <= height
        pictures = [segmented.line_picture(line.index)]
        pictures += [segmented.word_picture(line.index, i) for i in range(len(line.words))]
        assert all(p.dtype == np.uint8 and p.ndim == 2 and p.size for p in pictures)


@given(damaged_files())
@fuzz
def test_damaged_file_is_pages_or_an_error(data):
    for gray in decode(data):
        assert gray.dtype == np.uint8
        assert gray.ndim == 2
        assert 0 < gray.size <= MAX_PIXELS


@st.composite
def strange_pictures(draw):
    """Grey pictures that no scanner makes: tiny, thin, striped, noisy, half black, full of specks."""
    height, width = draw(st.integers(1, 400)), draw(st.integers(1, 400))
    if draw(st.booleans()):
        height, width = draw(st.sampled_from([(1, 1), (1, 30_000), (30_000, 1), (2, 5_000), (height, 1)]))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    rows, columns = np.arange(height)[:, None], np.arange(width)[None, :]
    period = draw(st.integers(1, 60))
    low, high = sorted((draw(st.integers(0, 255)), draw(st.integers(0, 255))))
    kind = draw(st.sampled_from(["flat", "noise", "rows", "columns", "checks", "ramp", "halves", "specks"]))
    share = {
        "flat": np.zeros((height, width)),
        "noise": random.random((height, width)),
        "rows": (rows // period % 2) + 0 * columns,
        "columns": (columns // period % 2) + 0 * rows,
        "checks": (rows // period + columns // period) % 2,
        "ramp": (rows + columns) / max(height + width - 2, 1),
        "halves": (columns < width // 2) + 0 * rows,
        "specks": random.random((height, width)) > draw(st.sampled_from([0.5, 0.9, 0.99, 0.999])),
    }[kind]
    return (low + (high - low) * share).astype(np.uint8)


@given(strange_pictures())
@fuzz
def test_strange_picture_is_segmented(gray):
    assert_sound(gray)


@given(damaged_files())
@fuzz
def test_what_is_left_of_a_damaged_file_is_segmented(data):
    for gray in decode(data)[:1]:
        assert_sound(gray)
