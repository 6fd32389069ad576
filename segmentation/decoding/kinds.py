"""The formats that are read, and which of them a file is by its content."""

from __future__ import annotations

from segmentation.decoding.errors import EmptyFile, NotAnImage

FORMATS = "PNG, JPEG, WebP, AVIF, HEIC, BMP, JPEG 2000, TIFF and PDF"
"""The formats that are read, for messages."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
)
_BRANDS = {b"avif": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"heis": "HEIC"}
"""What an ISO media file says that it holds, of the kinds that are pictures (AV1 Image File Format, section 6; ISO/IEC
23008-12, annex B)."""
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
"""Sizes of the headers of all BMP versions: "BM" alone also begins many a text."""
_PDF_HEADER_REACH = 1024
"""A PDF may begin with so many foreign bytes (PDF reference 1.7, appendix H.3, note 13)."""


def kind_of(data: bytes, uri: str) -> str:
    """Format of ``data`` by its first bytes: "PDF", or a picture format as `FORMATS` spells it."""
    if not data:
        raise EmptyFile(f"{uri}: the file is empty. Copy or scan it again.")
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    for brand in _brands(data):
        if brand in _BRANDS:
            return _BRANDS[brand]
    if b"%PDF-" in data[:_PDF_HEADER_REACH]:
        return "PDF"
    raise NotAnImage(
        f"{uri}: the content is {_guess(data)}, not a picture that can be read. Convert it to one of {FORMATS}, or "
        "leave it out of the inputs."
    )


def _brands(data: bytes) -> list[bytes]:
    """The brands of an ISO media file (ISO/IEC 14496-12, section 4.3), its own first; empty for any other file."""
    if data[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(data[:4], "big"), len(data), 256)
    return [data[8:12], *(data[i : i + 4] for i in range(16, end - 3, 4))]


def _guess(data: bytes) -> str:
    """What unreadable ``data`` seems to be, for a message."""
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "a GIF"
    if data[4:8] == b"ftyp":
        return "a video file"
    if data[:8] == b"AT&TFORM":
        return "a DjVu document"
    if data[:4] == b"PK\x03\x04":
        return "a ZIP archive or an office document"
    if data[:64].lstrip()[:1] == b"<":
        return "HTML or XML"
    if not any(data[:4096]):
        return "zeros"
    head = data[:512]
    if all(byte >= 32 or byte in b"\t\n\r\f" for byte in head):
        return "text"
    return "of no known kind"
