"""Files made to exhaust whoever reads them, small as bytes and large or endless inside."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

from tests import broken_files

INFLATED = 100_000_000
"""Bytes that the compressed part of a bomb unpacks to."""


def _zeros() -> bytes:
    packer = zlib.compressobj(9)
    block = bytes(1_000_000)
    return b"".join(packer.compress(block) for _ in range(INFLATED // len(block))) + packer.flush()


def zip_bomb() -> bytes:
    """A ZIP archive under the name of a picture."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("scan.png", bytes(INFLATED))
    return buffer.getvalue()


def _png_with(name: bytes, body: bytes) -> bytes:
    """A good PNG with one more chunk behind its header."""
    data = broken_files.good_png()
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return data[:33] + chunk + data[33:]


def text_bomb_png() -> bytes:
    """A PNG whose comment unpacks to 100 MB."""
    return _png_with(b"zTXt", b"Comment\0\0" + _zeros())


def profile_bomb_png() -> bytes:
    """A PNG whose colour profile unpacks to 100 MB."""
    return _png_with(b"iCCP", b"profile\0\0" + _zeros())


def pixel_bomb_png() -> bytes:
    """A PNG of 40 x 24 pixels whose pixels unpack to 100 MB."""
    data = broken_files.png_of_size(40, 24)
    start = data.index(b"IDAT") - 4
    body = _zeros()
    chunk = struct.pack(">I", len(body)) + b"IDAT" + body + struct.pack(">I", zlib.crc32(b"IDAT" + body))
    return data[:start] + chunk + data[data.index(b"IEND") - 4 :]


def strip_bomb_tiff() -> bytes:
    """A TIFF of 6 x 4 pixels whose only strip unpacks to 100 MB."""
    return broken_files.raw_tiff([broken_files.tiff_frame(6, 4, _zeros(), compression=8)])


def deep_tiff() -> bytes:
    """A TIFF of as many frames as are allowed, and one more."""
    return broken_files.tiff_of_levels([i % 256 for i in range(10_001)])


def _stream(body: bytes, entries: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (entries, len(body), body)


def looping_pdf() -> bytes:
    """A PDF whose list of pages holds itself."""
    return broken_files.pdf_of_objects([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R 2 0 R]/Count 2>>"])


def looping_form_pdf() -> bytes:
    """A PDF with a drawing that draws itself."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>"
    form = b"/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</F 5 0 R>>>>"
    return broken_files.pdf_of_objects(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            page,
            _stream(b"/F Do"),
            _stream(b"/F Do /F Do", form),
        ]
    )


def stream_bomb_pdf() -> bytes:
    """A PDF whose drawing unpacks to 100 MB of nothing."""
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>"
    body = zlib.compress(b" " * INFLATED, 9)
    pages = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>"]
    return broken_files.pdf_of_objects([*pages, page, _stream(body, b"/Filter/FlateDecode")])


def boundless_pdf() -> bytes:
    """A PDF of a page as large as a country."""
    return broken_files.raw_pdf([(1e9, 1e9, 0)])


def long_pdf() -> bytes:
    """A PDF of 2,000 pages."""
    return broken_files.raw_pdf([(99, 99, 0)] * 2000)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "zip_bomb.png": zip_bomb,
    "text_bomb.png": text_bomb_png,
    "profile_bomb.png": profile_bomb_png,
    "pixel_bomb.png": pixel_bomb_png,
    "strip_bomb.tif": strip_bomb_tiff,
    "deep.tif": deep_tiff,
    "looping.pdf": looping_pdf,
    "looping_form.pdf": looping_form_pdf,
    "stream_bomb.pdf": stream_bomb_pdf,
    "boundless.pdf": boundless_pdf,
    "long.pdf": long_pdf,
}
