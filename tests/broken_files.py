"""Good, unusual and broken files as bytes, made in memory, for the tests of decoding and of the whole pipeline."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
from PIL import Image

WIDTH, HEIGHT = 40, 24
"""Size of `picture`."""


def picture() -> np.ndarray:
    """A page whose way up can be told: uint8 (24, 40), light ramp to the right, black block at the top left."""
    gray = np.tile(np.linspace(130, 250, WIDTH).astype(np.uint8), (HEIGHT, 1))
    gray[:8, :10] = 0
    return gray


def encoded(image: Image.Image | np.ndarray, file_format: str, **options) -> bytes:
    """``image`` in a format of Pillow's."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def noise(width: int = 160, height: int = 120) -> np.ndarray:
    """A picture that no format makes small, so that any cut removes pixels: uint8 (height, width)."""
    return np.random.default_rng(7).integers(0, 256, (height, width), dtype=np.uint8)


def good_png() -> bytes:
    return encoded(noise(), "PNG")


def good_jpeg() -> bytes:
    return encoded(noise(), "JPEG", quality=90)


def good_progressive_jpeg() -> bytes:
    return encoded(noise(), "JPEG", quality=90, progressive=True)


def good_webp() -> bytes:
    return encoded(noise(), "WEBP", quality=80)


def good_avif() -> bytes:
    return encoded(noise(), "AVIF", quality=80)


def good_heic() -> bytes:
    return heic(noise())


def heic(picture: np.ndarray | Image.Image, **options) -> bytes:
    """A picture as HEIC."""
    buffer = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    pillow_heif.from_pillow(image).save(buffer, **{"quality": 80, **options})
    return buffer.getvalue()


def good_bmp() -> bytes:
    return encoded(noise(), "BMP")


def good_jpeg_2000() -> bytes:
    return encoded(noise(), "JPEG2000")


def good_tiff() -> bytes:
    return encoded(noise(), "TIFF")


def good_packed_tiff() -> bytes:
    """LZW, with its directory after the pixels."""
    return encoded(noise(), "TIFF", compression="tiff_lzw")


def good_fax_tiff() -> bytes:
    """CCITT group 4, its directory before the pixels."""
    bits = Image.fromarray(noise()).convert("1", dither=Image.Dither.NONE)
    source = encoded(bits, "TIFF", compression="group4")
    with Image.open(io.BytesIO(source)) as image:
        (start,), (length,) = image.tag_v2[273], image.tag_v2[279]
        photometric = image.tag_v2[262]
    strip = source[start : start + length]
    return raw_tiff([tiff_frame(bits.width, bits.height, strip, bits=1, compression=4, photometric=photometric)])


def good_pdf() -> bytes:
    return raw_pdf([(200, 100, 0), (300, 400, 0)])


GOOD: dict[str, Callable[[], bytes]] = {
    "good.png": good_png,
    "good.jpg": good_jpeg,
    "progressive.jpg": good_progressive_jpeg,
    "good.webp": good_webp,
    "good.avif": good_avif,
    "good.heic": good_heic,
    "good.bmp": good_bmp,
    "good.jp2": good_jpeg_2000,
    "good.tif": good_tiff,
    "packed.tif": good_packed_tiff,
    "fax.tif": good_fax_tiff,
    "good.pdf": good_pdf,
}
"""Whole files, by a name that fits; all have one page but good.pdf, which has two."""


# ------------------------------------------------------------------------------------------------ by hand


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size, with next to no pixels behind it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(64))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tiff_frame(
    width: int,
    height: int,
    strip: bytes,
    *,
    bits: int = 8,
    photometric: int = 1,
    compression: int = 1,
    tags: dict[int, int] | None = None,
) -> tuple[dict[int, int], bytes]:
    """One grey frame for `raw_tiff`: its tags, and its pixels as they are stored."""
    basic = {256: width, 257: height, 258: bits, 259: compression, 262: photometric, 277: 1, 278: height}
    return basic | (tags or {}), strip


def raw_tiff(
    frames: list[tuple[dict[int, int], bytes]], *, order: str = "<", big: bool = False, last_next: int | None = None
) -> bytes:
    """A TIFF of `tiff_frame`s, each directory before its pixels.

    Args:
        order: "<" or ">", as in `struct`.
        big: a BigTIFF, with 64-bit offsets.
        last_next: the frame whose directory is said to follow the last; the number of frames stands for a place
            outside of the file; None ends the list as it should.
    """
    offset_code, count_code, entry_size = ("Q", "Q", 20) if big else ("I", "H", 12)
    word = struct.calcsize(offset_code)
    sizes = [struct.calcsize(order + count_code) + (len(tags) + 2) * entry_size + word for tags, _ in frames]
    starts, position = [], 16
    for size, (_, strip) in zip(sizes, frames, strict=True):
        starts.append(position)
        position += size + len(strip) + (len(strip) & 1)
    after = [*starts[1:], 0 if last_next is None else [*starts, position + 1000][last_next]]
    magic = b"II" if order == "<" else b"MM"
    head = magic + (struct.pack(order + "HHHQ", 43, 8, 0, starts[0]) if big else struct.pack(order + "HI", 42, 16))
    parts = [head.ljust(16, b"\0")]
    for start, size, following, (tags, strip) in zip(starts, sizes, after, frames, strict=True):
        tags = tags | {273: start + size, 279: len(strip)}
        parts.append(struct.pack(order + count_code, len(tags)))
        for tag, value in sorted(tags.items()):
            value_code = "Q" if big else "I"
            kind = 16 if big else 4
            parts.append(struct.pack(order + "HH" + offset_code + value_code, tag, kind, 1, value))
        parts.append(struct.pack(order + offset_code, following))
        parts.append(strip + b"\0" * (len(strip) & 1))
    return b"".join(parts)


def tiff_of_levels(levels: list[int], **options) -> bytes:
    """A TIFF with one frame of 6 x 4 pixels for each grey level; options as in `raw_tiff`."""
    return raw_tiff([tiff_frame(6, 4, bytes([level]) * 24) for level in levels], **options)


def looping_tiff() -> bytes:
    """Three frames, of which the last points back to the second."""
    return tiff_of_levels([10, 120, 240], last_next=1)


def self_looping_tiff() -> bytes:
    """One frame that names itself as the next."""
    return tiff_of_levels([77], last_next=0)


def tiff_with_lost_frames() -> bytes:
    """Two good frames, and a third that the list promises beyond the end of the file."""
    return tiff_of_levels([10, 120], last_next=2)


def raw_pdf(pages: list[tuple[float, float, int]], trailer: bytes = b"") -> bytes:
    """A PDF of (width, height, rotate) pages, points and degrees; a black block fills the lower left of each.

    The block is a quarter as wide and as high as the page, before the page is turned.
    """
    kids = b" ".join(b"%d 0 R" % (3 + 2 * i) for i in range(len(pages)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))]
    for i, (width, height, rotate) in enumerate(pages):
        stream = b"0 g 0 0 %.3f %.3f re f" % (width / 4, height / 4)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.3f %.3f]/Rotate %d/Contents %d 0 R>>"
            % (width, height, rotate, 4 + 2 * i)
        )
        objects.append(b"<</Length %d>>\nstream\n%s\nendstream" % (len(stream), stream))
    return pdf_of_objects(objects, trailer)


def pdf_of_objects(objects: list[bytes], trailer: bytes = b"") -> bytes:
    """A PDF file of numbered objects, the first its catalogue."""
    out, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
        + b"trailer\n<</Root 1 0 R/Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, len(out))
    )


def encrypted_pdf() -> bytes:
    """A PDF whose empty password is wrong, so that a reader has to ask."""
    owner, user, file_id = b"41" * 32, b"42" * 32, b"00112233445566778899aabbccddeeff"
    encrypt = b"<</Filter/Standard/V 1/R 2/O<%s>/U<%s>/P -4>>" % (owner, user)
    return raw_pdf([(200, 100, 0)], b"/Encrypt %s/ID[<%s><%s>]" % (encrypt, file_id, file_id))


# ------------------------------------------------------------------------------------------------ broken


def empty() -> bytes:
    return b""


def garbage() -> bytes:
    """Bytes without a meaning, the same at every call."""
    return b"\x01\x99" + noise(64, 64).tobytes()


def text() -> bytes:
    return b"Dear Sir,\nplease find enclosed the minutes of our last meeting.\n"


def html() -> bytes:
    """What a download leaves when the server wanted a login."""
    return b"<!DOCTYPE html>\n<html><body>403 Forbidden</body></html>\n"


def gif() -> bytes:
    """A good picture in a format that is not read."""
    return encoded(picture(), "GIF")


def garbage_png() -> bytes:
    """The first bytes of a PNG, then none of it."""
    return b"\x89PNG\r\n\x1a\n" + garbage()


def damaged_png() -> bytes:
    """A PNG whose compressed pixels were overwritten half-way."""
    data = bytearray(good_png())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    return bytes(data)


def cut(make: Callable[[], bytes], share: float = 0.5) -> Callable[[], bytes]:
    """A factory of the first ``share`` of what ``make`` makes."""
    return lambda: (data := make())[: int(len(data) * share)]


def bomb_png() -> bytes:
    """133 bytes that claim 3.6 thousand million pixels."""
    return png_of_size(60_000, 60_000)


def of_claimed_size(data: bytes, width: int, height: int) -> bytes:
    """An AVIF or HEIC whose box of image spatial extents says another size."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


def bomb_avif() -> bytes:
    return of_claimed_size(good_avif(), 16_000, 16_000)


def bomb_heic() -> bytes:
    return of_claimed_size(good_heic(), 16_000, 16_000)


def bomb_webp() -> bytes:
    """A WebP that claims the largest canvas there is."""
    body = struct.pack("<I", 0) + (2**24 - 1).to_bytes(3, "little") * 2
    chunk = b"VP8X" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def bomb_tiff() -> bytes:
    return raw_tiff([tiff_frame(60_000, 60_000, b"\0" * 16)])


def bomb_tile_tiff() -> bytes:
    """A TIFF of few pixels in a compressed tile of a great many."""
    source = tiff_frame(16, 16, zlib.compress(bytes(256)), compression=8)
    tags = {tag: value for tag, value in source[0].items() if tag != 278} | {322: 60_000, 323: 60_000}
    return raw_tiff([(tags, source[1])])


def zero_width_png() -> bytes:
    return png_of_size(0, 24)


def zero_height_tiff() -> bytes:
    return raw_tiff([tiff_frame(6, 0, b"\0" * 16)])


def unsupported_tiff() -> bytes:
    """A whole TIFF of 24-bit integers, which Pillow does not read."""
    return raw_tiff([tiff_frame(6, 4, bytes(6 * 4 * 3), bits=24)])


def frameless_tiff() -> bytes:
    return b"II*\0" + bytes(28)


def mislabelled_pdf() -> bytes:
    """The first and the last line of a PDF with nothing between."""
    return b"%PDF-1.7\nnothing to see\n%%EOF\n"


BROKEN: dict[str, Callable[[], bytes]] = {
    "empty.png": empty,
    "empty.pdf": empty,
    "garbage.jpg": garbage,
    "garbage.png": garbage_png,
    "damaged.png": damaged_png,
    "letter.tif": text,
    "login.jpg": html,
    "animation.png": gif,
    "truncated.png": cut(good_png),
    "truncated.jpg": cut(good_jpeg),
    "truncated_progressive.jpg": cut(good_progressive_jpeg),
    "truncated.webp": cut(good_webp),
    "truncated.avif": cut(good_avif),
    "truncated.heic": cut(good_heic),
    "truncated.bmp": cut(good_bmp),
    "truncated.jp2": cut(good_jpeg_2000),
    "truncated.tif": cut(good_tiff),
    "truncated_packed.tif": cut(good_packed_tiff),
    "truncated_fax.tif": cut(good_fax_tiff),
    "truncated.pdf": cut(good_pdf),
    "encrypted.pdf": encrypted_pdf,
    "nothing.pdf": mislabelled_pdf,
    "bomb.png": bomb_png,
    "bomb.webp": bomb_webp,
    "bomb.avif": bomb_avif,
    "bomb.heic": bomb_heic,
    "bomb.tif": bomb_tiff,
    "bomb_tile.tif": bomb_tile_tiff,
    "zero_width.png": zero_width_png,
    "zero_height.tif": zero_height_tiff,
    "unsupported.tif": unsupported_tiff,
    "frameless.tif": frameless_tiff,
}
"""Files of which not one page can be read, by a name under which they might lie in a folder."""

ERROR_TYPES: dict[str, str] = {
    name: "TruncatedImage"
    for name in BROKEN
    if name.startswith(("truncated", "damaged", "frameless", "nothing")) or name == "garbage.png"
} | {
    "empty.png": "EmptyFile",
    "empty.pdf": "EmptyFile",
    "garbage.jpg": "NotAnImage",
    "letter.tif": "NotAnImage",
    "login.jpg": "NotAnImage",
    "animation.png": "NotAnImage",
    "encrypted.pdf": "EncryptedPdf",
    "bomb.png": "TooLarge",
    "bomb.webp": "TooLarge",
    "bomb.avif": "TooLarge",
    "bomb.heic": "TooLarge",
    "bomb.tif": "TooLarge",
    "bomb_tile.tif": "TooLarge",
    "zero_width.png": "ZeroSize",
    "zero_height.tif": "ZeroSize",
    "unsupported.tif": "UnsupportedImage",
}
"""Name of the error that decoding raises for each of `BROKEN`."""
