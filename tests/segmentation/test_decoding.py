import io
import struct
import sys
import threading
import time
import warnings

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from segmentation import decoding
from segmentation.decoding import DecodingError, DecodingSettings, PageRef, count_pages, decode_page
from tests import broken_files as files

pytestmark = pytest.mark.filterwarnings("ignore:(Corrupt EXIF data|Truncated File Read):UserWarning")  # Pillow's

SETTINGS = DecodingSettings()
TILTED = files.picture()


def decode(data, index=0, settings=SETTINGS, uri="scans/page.bin"):
    return decode_page(data, PageRef(uri, index), settings)


def luma(red, green, blue):
    return 0.299 * red + 0.587 * green + 0.114 * blue


# ------------------------------------------------------------------------------------------------ formats


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("WEBP", {"lossless": True}),
        ("JPEG2000", {}),
        ("JPEG2000", {"no_jp2": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "packbits"}),
        ("TIFF", {"big_tiff": True}),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossless_formats_give_the_pixels_back(file_format, options, mode):
    page = decode(files.encoded(Image.fromarray(TILTED).convert(mode), file_format, **options))
    assert page.gray.dtype == np.uint8
    np.testing.assert_array_equal(page.gray, TILTED)


@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("JPEG", {"quality": 95, "progressive": True}),
        ("WEBP", {"quality": 95}),
        ("AVIF", {"quality": 95}),
        ("JPEG2000", {"irreversible": True, "quality_mode": "dB", "quality_layers": [50]}),
        ("TIFF", {"compression": "jpeg", "quality": 95}),
    ],
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossy_formats_give_nearly_the_pixels_back(file_format, options, mode):
    page = decode(files.encoded(Image.fromarray(TILTED).convert(mode), file_format, **options))
    assert page.gray.shape == TILTED.shape
    assert np.abs(page.gray.astype(int) - TILTED).max() <= 12
    assert np.abs(page.gray.astype(int) - TILTED).mean() < 2.5


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "JPEG2000", "TIFF"])
def test_colours_become_grey_by_their_luma(file_format):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 150, 40)]
    image = Image.new("RGB", (64, 16))
    for i, colour in enumerate(colours):
        image.paste(colour, (16 * i, 0, 16 * i + 16, 16))
    options = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100, "subsampling": "4:4:4"},
    }.get(file_format, {})
    gray = decode(files.encoded(image, file_format, **options)).gray
    for i, colour in enumerate(colours):
        assert gray[8, 16 * i + 8] == pytest.approx(luma(*colour), abs=2)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_heic_gives_nearly_the_pixels_back(mode):
    gray = decode(files.heic(Image.fromarray(TILTED).convert(mode), quality=95)).gray
    assert gray.shape == TILTED.shape and np.abs(gray.astype(int) - TILTED).mean() < 2.5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["HEIC", "AVIF"])
def test_photographs_of_telephones_are_turned_upright(orientation, file_format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = Image.fromarray(TILTED).resize((120, 72)).convert("RGB")
    # What a telephone stores so that a viewer who obeys the tag sees the picture.
    stored = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }[orientation]
    picture = upright
    for change in stored:
        picture = picture.transpose(change)
    if file_format == "HEIC":
        data = files.heic(picture, quality=95, exif=exif.tobytes())
    else:
        data = files.encoded(picture, "AVIF", quality=95, exif=exif)
    gray = decode(data).gray
    assert gray.shape == (72, 120)
    assert np.abs(gray.astype(int) - np.asarray(upright.convert("L"))).mean() < 4


def test_heic_without_its_package_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(decoding.UnsupportedImage, match=r"inkbeam\[heic\]"):
        decode(files.good_heic())


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"keep_rgb": True}, {"progressive": True}])
def test_rgb_jpeg_decodes_as_its_colour_picture_does(options):
    """Grey is decoded directly; it must be what Pillow's colour picture turns into."""
    colours = np.random.default_rng(3).integers(0, 256, (12, 16, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    data = files.encoded(colours, "JPEG", quality=90, **options)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("L")).astype(int)
    difference = np.abs(decode(data).gray - expected)
    assert difference.mean() < 0.1
    assert np.ptp(expected) > 150


def test_the_name_of_a_file_does_not_matter():
    assert decode(files.encoded(TILTED, "PNG"), uri="scan.pdf").gray.tolist() == TILTED.tolist()


def test_page_carries_its_reference_and_checksum():
    page = decode(b"".join([files.encoded(TILTED, "PNG")]), uri="a/b.png")
    assert page.ref == PageRef("a/b.png", 0)
    assert len(page.source_sha256) == 64
    assert page.source_sha256 == decode(files.encoded(TILTED, "PNG")).source_sha256
    assert page.source_sha256 != decode(files.encoded(TILTED, "BMP")).source_sha256


# ------------------------------------------------------------------------------------------------ modes


def test_one_bit():
    bits = Image.fromarray(TILTED).convert("1", dither=Image.Dither.NONE)
    expected = np.where(TILTED > 127, 255, 0)
    for file_format, options in (("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "group4"})):
        np.testing.assert_array_equal(decode(files.encoded(bits, file_format, **options)).gray, expected)


def test_hand_made_fax_tiff_is_whole():
    expected = np.where(files.noise() > 127, 255, 0)
    np.testing.assert_array_equal(decode(files.good_fax_tiff()).gray, expected)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG2000"])
def test_sixteen_bits_use_the_full_range(file_format):
    values = (
        np.array([[0, 257, 128 * 257, 255 * 257], [65535, 4095, 12000, 65280]], np.uint16).repeat(8, 0).repeat(8, 1)
    )
    gray = decode(files.encoded(values, file_format)).gray
    np.testing.assert_array_equal(gray[::8, ::8], [[0, 1, 128, 255], [255, 16, 47, 254]])


def test_sixteen_bits_big_endian_tiff():
    values = np.array([[0, 257, 128 * 257, 65535]], ">u2")
    data = files.raw_tiff([files.tiff_frame(4, 1, values.tobytes(), bits=16)], order=">")
    assert decode(data).gray.tolist() == [[0, 1, 128, 255]]


def test_twelve_bits_stored_in_sixteen_are_not_black():
    values = np.array([[0, 2048, 4095]], np.uint16)
    assert decode(files.encoded(values, "PNG")).gray.tolist() == [[0, 128, 255]]


def test_eight_bits_stored_in_sixteen_or_more_are_not_black():
    values = np.array([[0, 40, 200, 255]])
    assert decode(files.encoded(values.astype(np.uint16), "PNG")).gray.tolist() == [[0, 40, 200, 255]]
    data = files.raw_tiff([files.tiff_frame(4, 1, values.astype("<u4").tobytes(), bits=32)])
    assert decode(data).gray.tolist() == [[0, 40, 200, 255]]


def test_a_black_scan_of_sixteen_bits_stays_black():
    grain = np.abs(np.random.default_rng(0).normal(20, 32, (60, 80))).clip(0, 255).astype(np.uint16)
    assert grain.max() > 100
    assert decode(files.encoded(grain, "PNG")).gray.max() < 16


@pytest.mark.parametrize("extension", [".png", ".tif"])
@pytest.mark.parametrize(("white", "levels"), [(4095, [0, 187, 255]), (65535, [0, 11, 15, 255])])
def test_twelve_bits_of_colours_stored_in_sixteen_are_not_black(extension, white, levels):
    values = np.array([sorted({0, 3000, 4095, white})] * 3, np.uint16).T[None]
    data = cv2.imencode(extension, values)[1].tobytes()
    assert decode(data).gray.tolist() == [levels]


def test_sixteen_bit_tiff_whose_white_is_zero():
    values = np.array([[0, 128 * 257, 65535]], "<u2")
    data = files.raw_tiff([files.tiff_frame(3, 1, values.tobytes(), bits=16, photometric=0)])
    assert decode(data).gray.tolist() == [[255, 127, 0]]


def test_sixteen_bit_png_with_a_transparent_grey():
    values = np.array([[0, 1000, 65535]], np.uint16)
    assert decode(files.encoded(values, "PNG", transparency=1000)).gray.tolist() == [[0, 255, 255]]


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0])
def test_floating_point_tiff(white):
    values = (np.array([[0, 0.5, 1.0, np.nan]]) * white).astype(np.float32)
    assert decode(files.encoded(values, "TIFF")).gray.tolist() == [[0, 128, 255, 255]]


def test_thirty_two_bit_tiff():
    values = np.array([[0, 2**31, 2**32 - 1]], "<u4")
    assert decode(files.raw_tiff([files.tiff_frame(3, 1, values.tobytes(), bits=32)])).gray.tolist() == [[0, 128, 255]]


@pytest.mark.parametrize(
    ("file_format", "options"), [("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})]
)
def test_alpha_is_composed_over_white(file_format, options):
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels[0, :, 3] = [0, 85, 170, 255]  # Black ink of growing opacity.
    gray = decode(files.encoded(pixels, file_format, **options)).gray
    assert gray.tolist() == [[255, 170, 85, 0]]


def test_grey_with_alpha_is_composed_over_white():
    image = Image.merge("LA", [Image.new("L", (2, 1), 100), Image.fromarray(np.array([[0, 255]], np.uint8))])
    assert decode(files.encoded(image, "PNG")).gray.tolist() == [[255, 100]]


def test_palette():
    image = Image.fromarray(np.array([[0, 1, 2, 2]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 0, 0, 250, 250, 250])
    for file_format in ("PNG", "BMP", "TIFF"):
        assert decode(files.encoded(image, file_format)).gray.tolist() == [[76, 0, 250, 250]]
    for transparency in (1, b"\xff\x00\xff"):
        gray = decode(files.encoded(image, "PNG", transparency=transparency)).gray
        assert gray.tolist() == [[76, 255, 250, 250]]


def test_colour_named_as_transparent_is_white():
    image = Image.fromarray(np.array([[[9, 9, 9], [0, 0, 0]]], np.uint8))
    assert decode(files.encoded(image, "PNG", transparency=(9, 9, 9))).gray.tolist() == [[255, 0]]
    grey = Image.fromarray(np.array([[9, 0]], np.uint8))
    assert decode(files.encoded(grey, "PNG", transparency=9)).gray.tolist() == [[255, 0]]


@pytest.mark.parametrize(("file_format", "options"), [("TIFF", {}), ("JPEG", {"quality": 100})])
def test_cmyk(file_format, options):
    image = Image.new("CMYK", (32, 16), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (0, 0, 16, 16))
    gray = decode(files.encoded(image, file_format, **options)).gray
    assert gray[8, 4] <= 3
    assert gray[8, 28] >= 252


def test_lab_tiff_gives_its_lightness():
    image = Image.merge("LAB", [Image.fromarray(TILTED), *[Image.new("L", (40, 24), 128)] * 2])
    np.testing.assert_array_equal(decode(files.encoded(image, "TIFF")).gray, TILTED)


# ------------------------------------------------------------------------------------------------ orientation

# Where EXIF says that row 0 and column 0 of the stored picture lie, hence where a black top-left block must land.
CORNERS = {
    1: ("top", "left"),
    2: ("top", "right"),
    3: ("bottom", "right"),
    4: ("bottom", "left"),
    5: ("top", "left"),
    6: ("top", "right"),
    7: ("bottom", "right"),
    8: ("bottom", "left"),
}
ROTATIONS = {1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}


def black_corner(gray):
    rows, columns = np.nonzero(gray < 60)
    vertical = "top" if rows.mean() < gray.shape[0] / 2 else "bottom"
    return vertical, "left" if columns.mean() < gray.shape[1] / 2 else "right"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("JPEG", {"quality": 95}),
        ("PNG", {}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
    ],
)
def test_exif_orientation_is_obeyed(file_format, options, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    page = decode(files.encoded(TILTED, file_format, exif=exif, **options))
    assert page.gray.shape == (TILTED.shape if orientation < 5 else TILTED.shape[::-1])
    assert black_corner(page.gray) == CORNERS[orientation]
    assert page.rotation == ROTATIONS[orientation]
    assert page.gray.flags.c_contiguous
    # Told apart from a mirror image by the ramp: it runs along the stored rows.
    stored = TILTED.astype(int)
    mirrored_first = stored[:, ::-1] if orientation in (2, 4, 5, 7) else stored
    expected = np.rot90(mirrored_first, -ROTATIONS[orientation] // 90)
    assert np.abs(page.gray - expected).max() <= (12 if file_format == "JPEG" else 0)


@pytest.mark.parametrize("orientation", [0, 9, 4000])
def test_meaningless_orientation_is_ignored(orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    page = decode(files.encoded(TILTED, "PNG", exif=exif))
    assert (page.rotation, page.gray.tolist()) == (0, TILTED.tolist())


@pytest.mark.parametrize("exif", [b"Exif\x00\x00", b"Exif\x00\x00garbage", b"Exif\x00\x00II*\x00\xff\xff\xff\x7f"])
def test_broken_exif_does_not_cost_the_page(exif):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        page = decode(files.encoded(TILTED, "JPEG", quality=95, exif=exif))
    assert page.gray.shape == TILTED.shape
    assert (page.rotation, page.dpi) == (0, None)


# ------------------------------------------------------------------------------------------------ dpi


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "BMP", "TIFF"])
def test_stated_dpi(file_format):
    assert decode(files.encoded(TILTED, file_format, dpi=(300, 300))).dpi == pytest.approx(300, abs=0.1)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "TIFF", "JPEG2000"])
def test_dpi_not_stated(file_format):
    assert decode(files.encoded(TILTED, file_format)).dpi is None


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "PNG"])
@pytest.mark.parametrize(("unit", "expected"), [(2, 300), (3, 762), (1, None)])
def test_dpi_from_exif(file_format, unit, expected):
    exif = Image.Exif()
    exif[ExifTags.Base.XResolution] = exif[ExifTags.Base.YResolution] = 300.0
    exif[ExifTags.Base.ResolutionUnit] = unit
    dpi = decode(files.encoded(TILTED, file_format, exif=exif)).dpi
    assert dpi is None if expected is None else dpi == pytest.approx(expected, abs=0.1)


def test_exif_without_resolution_states_no_dpi():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 1
    assert decode(files.encoded(TILTED, "JPEG", exif=exif)).dpi is None


def test_jfif_dots_per_centimetre():
    data = bytearray(files.encoded(TILTED, "JPEG", dpi=(100, 100)))
    data[data.index(b"JFIF\0") + 7] = 2
    assert decode(bytes(data)).dpi == pytest.approx(254)


def test_tiff_dots_per_centimetre():
    data = files.encoded(TILTED, "TIFF", resolution_unit="cm", x_resolution=100, y_resolution=100)
    assert decode(data).dpi == pytest.approx(254)


@pytest.mark.parametrize("dpi", [(1, 1), (9000, 9000), (204, 98)])
def test_implausible_dpi_is_none(dpi):
    assert decode(files.encoded(TILTED, "PNG", dpi=dpi)).dpi is None


# ------------------------------------------------------------------------------------------------ documents


@pytest.mark.parametrize("options", [{}, {"big": True}, {"order": ">"}])
def test_tiff_frames_are_pages(options):
    data = files.tiff_of_levels([10, 120, 240], **options)
    assert count_pages(data, "x.tif", SETTINGS) == 3
    for index, level in enumerate([10, 120, 240]):
        page = decode(data, index)
        assert page.ref.page_index == index
        assert page.gray.tolist() == [[level] * 6] * 4


def test_big_endian_big_tiff_is_counted_and_refused():
    data = files.tiff_of_levels([10, 120], order=">", big=True)
    assert count_pages(data, "x.tif", SETTINGS) == 2
    with pytest.raises(decoding.UnsupportedImage, match="big-endian"):
        decode(data)


def test_compressed_tiff_frames_of_different_sizes():
    first, second = Image.fromarray(TILTED), Image.fromarray(np.rot90(TILTED))
    data = files.encoded(first, "TIFF", save_all=True, append_images=[second], compression="tiff_lzw")
    assert count_pages(data, "x.tif", SETTINGS) == 2
    np.testing.assert_array_equal(decode(data, 0).gray, TILTED)
    np.testing.assert_array_equal(decode(data, 1).gray, np.rot90(TILTED))


def test_thumbnails_and_masks_in_a_tiff_are_not_pages():
    def frame(level, kind):
        return files.tiff_frame(6, 4, bytes([level]) * 24, tags={254: kind})

    for order, big in (("<", False), (">", False), ("<", True)):
        data = files.raw_tiff([frame(10, 2), frame(20, 1), frame(30, 2), frame(40, 4)], order=order, big=big)
        assert count_pages(data, "x.tif", SETTINGS) == 2
        assert [int(decode(data, i).gray[0, 0]) for i in range(2)] == [10, 30]


def test_tiff_of_thumbnails_only_keeps_them():
    data = files.raw_tiff([files.tiff_frame(6, 4, bytes([50]) * 24, tags={254: 1})])
    assert count_pages(data, "x.tif", SETTINGS) == 1
    assert decode(data).gray[0, 0] == 50


def test_one_frame_of_an_unknown_kind_does_not_cost_the_others():
    odd, good = files.tiff_frame(6, 4, bytes(72), bits=24), files.tiff_frame(6, 4, bytes([90]) * 24)
    data = files.raw_tiff([odd, good])
    assert count_pages(data, "x.tif", SETTINGS) == 2
    assert decode(data, 1).gray[0, 0] == 90
    with pytest.raises(decoding.UnsupportedImage, match="8-bit"):
        decode(data, 0)


@pytest.mark.parametrize(("make", "levels"), [(files.looping_tiff, [10, 120, 240]), (files.self_looping_tiff, [77])])
def test_looping_tiff_ends(make, levels):
    assert count_pages(make(), "x.tif", SETTINGS) == len(levels)
    assert [int(decode(make(), i).gray[0, 0]) for i in range(len(levels))] == levels
    with pytest.raises(decoding.PageOutOfRange):
        decode(make(), len(levels))


def test_lost_frames_of_a_tiff_show_as_one_failing_page():
    data = files.tiff_with_lost_frames()
    assert count_pages(data, "x.tif", SETTINGS) == 3
    assert [int(decode(data, i).gray[0, 0]) for i in range(2)] == [10, 120]
    with pytest.raises(decoding.TruncatedImage, match=r"page 3"):
        decode(data, 2)


def test_large_frame_behind_a_small_one_is_refused():
    small, large = files.tiff_frame(6, 4, bytes(24)), files.tiff_frame(60_000, 60_000, bytes(16))
    data = files.raw_tiff([small, large])
    assert decode(data, 0).gray.shape == (4, 6)
    with pytest.raises(decoding.TooLarge):
        decode(data, 1)


def test_pdf_pages_have_their_own_sizes():
    data = files.raw_pdf([(200, 100, 0), (300, 420, 0)])
    assert count_pages(data, "x.pdf", SETTINGS) == 2
    settings = DecodingSettings(pdf_dpi=144)
    first, second = decode(data, 0, settings), decode(data, 1, settings)
    assert first.gray.shape == (200, 400)
    assert second.gray.shape == (840, 600)
    assert (first.dpi, second.dpi) == (144, 144)
    assert first.gray[-10:, :10].max() == 0
    assert first.gray[:140].min() == 255
    assert first.gray[:, 110:].min() == 255


@pytest.mark.parametrize(
    ("rotate", "corner"),
    [(0, ("bottom", "left")), (90, ("top", "left")), (180, ("top", "right")), (270, ("bottom", "right"))],
)
def test_pdf_pages_come_upright(rotate, corner):
    page = decode(files.raw_pdf([(200, 100, rotate)]), settings=DecodingSettings(pdf_dpi=72))
    assert page.gray.shape == ((100, 200) if rotate in (0, 180) else (200, 100))
    assert black_corner(page.gray) == corner
    assert page.rotation == rotate


@pytest.mark.parametrize("max_pixels", [1, 500, 10_000, 123_457])
def test_dpi_of_a_large_pdf_page_is_lowered(max_pixels):
    page = decode(files.raw_pdf([(300, 420, 0)]), settings=DecodingSettings(max_pixels=max_pixels))
    assert page.gray.size <= max_pixels
    assert page.dpi < 300
    assert page.gray.shape == tuple(int(np.ceil(round(side * page.dpi / 72, 2) - 0.05)) for side in (420, 300))
    if max_pixels >= 500:
        assert page.gray.size > 0.8 * max_pixels
        assert black_corner(page.gray) == ("bottom", "left")


def test_pdf_after_foreign_bytes_and_before_padding():
    data = b"\xef\xbb\xbf\n" + files.raw_pdf([(200, 100, 0)]) + bytes(9000)
    assert decode(data).gray.shape == (417, 834)


def test_pdf_pages_from_many_threads():
    data, results = files.raw_pdf([(100 + 10 * i, 100, 0) for i in range(8)]), {}

    def work(index):
        results[index] = decode(data, index, DecodingSettings(pdf_dpi=72)).gray.shape

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: (100, 100 + 10 * i) for i in range(8)}


@pytest.mark.parametrize("name", [name for name in files.GOOD if not name.endswith(".pdf")])
def test_pictures_have_one_page(name):
    assert count_pages(files.GOOD[name](), name, SETTINGS) == 1


@pytest.mark.parametrize("index", [-1, 1, 10**9])
@pytest.mark.parametrize("make", [files.good_png, files.good_tiff, lambda: files.raw_pdf([(200, 100, 0)])])
def test_page_out_of_range(make, index):
    with pytest.raises(decoding.PageOutOfRange, match="scan.x"):
        decode(make(), index, uri="scan.x")


@pytest.mark.parametrize("make", [lambda: files.tiff_of_levels([1, 2, 3]), lambda: files.raw_pdf([(9, 9, 0)] * 3)])
def test_too_many_pages(make):
    assert count_pages(make(), "x", DecodingSettings(max_pages=3)) == 3
    with pytest.raises(decoding.TooLarge, match="more than the 2 pages allowed"):
        count_pages(make(), "x", DecodingSettings(max_pages=2))
    with pytest.raises(decoding.TooLarge, match="more than the 2 pages allowed"):
        decode(make(), 0, DecodingSettings(max_pages=2))


# ------------------------------------------------------------------------------------------------ broken files


@pytest.mark.parametrize("name", files.BROKEN)
def test_broken_files_raise_the_right_error(name):
    with pytest.raises(getattr(decoding, files.ERROR_TYPES[name])) as caught:
        decode(files.BROKEN[name](), uri=f"archive/{name}")
    assert str(caught.value).startswith(f"archive/{name}: ")
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("name", files.BROKEN)
def test_counting_broken_files_raises_the_same_error_or_leaves_it_to_decoding(name):
    try:
        pages = count_pages(files.BROKEN[name](), name, SETTINGS)
    except DecodingError as error:
        assert type(error).__name__ == files.ERROR_TYPES[name]
    else:
        assert pages == 1
        assert files.ERROR_TYPES[name] not in ("EmptyFile", "NotAnImage", "EncryptedPdf")


@pytest.mark.parametrize("name", files.GOOD)
@pytest.mark.parametrize("share", [0.1, 0.3, 0.6, 0.9, 0.99])
def test_cut_files_are_never_half_pages(name, share):
    with pytest.raises(decoding.TruncatedImage):
        decode(files.cut(files.GOOD[name], share)())


@pytest.mark.parametrize("name", files.GOOD)
def test_every_cut_raises_or_loses_nothing(name):
    """Cut anywhere, a file gives an error or the whole page: the ends and starts byte by byte, strides between."""
    data = files.GOOD[name]()
    whole = decode(data).gray
    lengths = {*range(70), *range(70, len(data), 997), *range(len(data) - 40, len(data))}
    lost = 0
    for length in sorted(lengths):
        try:
            gray = decode(data[:length]).gray
        except DecodingError:
            lost += 1
        else:
            np.testing.assert_array_equal(gray, whole, err_msg=f"{name} cut at {length}")
    assert lost >= 70


@pytest.mark.parametrize("name", files.GOOD)
def test_overwritten_bytes_raise_nothing_but_decoding_errors(name):
    data, random = files.GOOD[name](), np.random.default_rng(11)
    outcomes = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd tags.
        for _ in range(150):
            damaged = bytearray(data)
            reach = len(data) if random.random() < 0.3 else min(200, len(data))  # Headers break decoders best.
            for position in random.integers(0, reach, random.integers(1, 12)):
                damaged[position] = random.integers(256)
            try:
                page = decode(bytes(damaged), settings=DecodingSettings(max_pixels=4_000_000))
                assert page.gray.ndim == 2
                assert page.gray.size <= 4_000_000
                outcomes.add("page")
            except DecodingError:
                outcomes.add("error")
    assert "error" in outcomes


def test_tiff_of_an_unknown_compression_is_refused_by_name():
    with pytest.raises(decoding.UnsupportedImage, match="compression 60000"):
        decode(files.raw_tiff([files.tiff_frame(6, 4, bytes(24), compression=60_000)]))


def test_bombs_are_refused_without_decoding():
    started = time.monotonic()
    for make in (files.bomb_png, files.bomb_webp, files.bomb_tiff, files.bomb_tile_tiff):
        with pytest.raises(decoding.TooLarge, match="--max-megapixels"):
            decode(make())
    assert time.monotonic() - started < 2


def test_tile_bomb_behind_a_broken_tag():
    """Pillow reads no tags after one with an endless value; libtiff goes on, and would allocate the tile."""
    data = bytearray(files.bomb_tile_tiff())
    bits = data.index(struct.pack("<HHI", 258, 4, 1))
    struct.pack_into("<I", data, bits + 4, 2**31 - 1)
    with pytest.raises(decoding.TooLarge, match="60000 x 60000"):
        decode(bytes(data))


def test_bomb_behind_the_header_of_a_jpeg_2000():
    """The outer header says 40 x 24, the code stream 50 000 x 50 000."""
    data = bytearray(files.encoded(TILTED, "JPEG2000"))
    stream = data.index(b"\xff\x4f\xff\x51")
    struct.pack_into(">II", data, stream + 8, 50_000, 50_000)
    with pytest.raises(DecodingError):
        decode(bytes(data))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "JPEG2000", "TIFF"])
def test_limit_on_pixels_is_exact(file_format):
    data = files.encoded(TILTED, file_format)
    assert decode(data, settings=DecodingSettings(max_pixels=40 * 24)).gray.shape == (24, 40)
    with pytest.raises(decoding.TooLarge, match="40 x 24"):
        decode(data, settings=DecodingSettings(max_pixels=40 * 24 - 1))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "JPEG2000", "TIFF"])
def test_limit_is_ours_and_not_pillows(file_format, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(files.encoded(TILTED, file_format)).gray.shape == (24, 40)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (files.gif(), "a GIF"),
        (files.html(), "HTML"),
        (files.text(), "text"),
        (bytes(5000), "zeros"),
        (files.garbage(), "no known kind"),
        (b"BM is how this note begins, and it is no bitmap.", "text"),
        (b"PK\x03\x04" + bytes(60), "ZIP"),
        (b"\0\0\0\x18ftypqt  " + bytes(60), "a video"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + bytes(60), "a video"),
    ],
)
def test_unknown_content_is_named_with_what_is_read(data, words):
    with pytest.raises(decoding.NotAnImage, match=words) as caught:
        decode(data)
    assert decoding.FORMATS in str(caught.value)


@pytest.mark.parametrize(
    "setting",
    [
        {"pdf_dpi": 0},
        {"pdf_dpi": 10_000},
        {"pdf_dpi": "300"},
        {"max_pixels": 0},
        {"max_pixels": 1.5},
        {"max_pages": -1},
        {"max_pages": True},
    ],
)
def test_settings_out_of_range(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        DecodingSettings(**setting)
