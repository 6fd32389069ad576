"""From the bytes of a file to upright grey pages.

The files come from strangers: they may be cut short, mislabelled, locked or made to exhaust memory. What a file is
gets decided by its content, its size is checked in its header before any pixel is decoded, and whatever goes wrong
inside a decoder leaves this module as a `DecodingError` that names the file and what to do about it.
"""

from __future__ import annotations

import hashlib
import io
import math
import struct
import threading
from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import ExifTags, Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile


class DecodingError(Exception):
    """A file or a page that cannot be read. The message names the file, what is wrong and what to do."""


class EmptyFile(DecodingError):
    """The file holds no bytes."""


class NotAnImage(DecodingError):
    """The content is none of the formats that are read."""


class UnsupportedImage(DecodingError):
    """A known format in a variant (bits, channels, compression) that is not read."""


class TruncatedImage(DecodingError):
    """The file is cut short or damaged, so that the page cannot be decoded whole."""


class EncryptedPdf(DecodingError):
    """The PDF asks for a password."""


class ZeroSize(DecodingError):
    """The page has no width or no height."""


class TooLarge(DecodingError):
    """The page has more pixels, or the document more pages, than the settings allow."""


class PageOutOfRange(DecodingError):
    """The document has no page of that index."""


@dataclass(frozen=True)
class PageRef:
    """A page that may be read.

    Attributes:
        uri: where the document's bytes come from.
        page_index: 0 for a picture, the frame of a TIFF or the page of a PDF, from 0.
    """

    uri: str
    page_index: int


@dataclass(frozen=True)
class Page:
    """A decoded page.

    Attributes:
        ref: which page of which document.
        gray: uint8 (height, width), upright, 0 black … 255 white.
        source_sha256: hexadecimal checksum of the document's bytes.
        dpi: resolution that the file states, or that a PDF page was rendered at; None when not stated, implausible
            or not the same in both directions.
        rotation: 0, 90, 180 or 270 degrees clockwise by which the stored picture was turned. A mirrored picture
            was mirrored left to right first.
    """

    ref: PageRef
    gray: np.ndarray
    source_sha256: str
    dpi: float | None
    rotation: int


_PLAUSIBLE_DPI = (20.0, 3000.0)
"""Resolutions outside are placeholders (1, 0) or mistakes of unit; nobody scans pages at them."""


@dataclass(frozen=True)
class DecodingSettings:
    """Limits of decoding.

    Attributes:
        pdf_dpi: resolution at which PDF pages are rendered, 20 … 3000; lowered for pages above ``max_pixels``.
        max_pixels: most pixels of a page. The default holds an A2 sheet at 500 dpi, and costs 0.5 GB in colour.
        max_pages: most pages of a document.

    Raises:
        ValueError: a setting is not a whole number in its range.
    """

    pdf_dpi: int = 300
    max_pixels: int = 120_000_000
    max_pages: int = 10_000

    def __post_init__(self) -> None:
        lowest, highest = _PLAUSIBLE_DPI
        if not isinstance(self.pdf_dpi, int) or not lowest <= self.pdf_dpi <= highest:
            raise ValueError(f"pdf_dpi must be a whole number from {lowest:.0f} to {highest:.0f}, got {self.pdf_dpi!r}")
        for name in ("max_pixels", "max_pages"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive whole number, got {value!r}")


FORMATS = "PNG, JPEG, WebP, BMP, JPEG 2000, TIFF and PDF"
"""The formats that are read, for messages."""

_READERS = {
    "PNG": PngImageFile,
    "JPEG": JpegImageFile,
    "WebP": WebPImageFile,
    "BMP": BmpImageFile,
    "JPEG 2000": Jpeg2KImageFile,
    "TIFF": TiffImageFile,
}
"""Pillow's readers are called directly: `Image.open` would try others, and apply limits that are global settings."""

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
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
"""Sizes of the headers of all BMP versions: "BM" alone also begins many a text."""
_PDF_HEADER_REACH = 1024
"""A PDF may begin with so many foreign bytes (PDF reference 1.7, appendix H.3, note 13)."""
_PDF_END_REACH = 4096
"""The end mark of a PDF lies in so many last bytes: where pdfium looks too, more than the 1024 that Acrobat asks."""

_PDFIUM_LOCK = threading.Lock()
"""pdfium may be called by one thread of a process at a time."""


def count_pages(data: bytes, uri: str, settings: DecodingSettings) -> int:
    """Number of pages of a document: frames of a TIFF, pages of a PDF, otherwise 1. Decodes no pixels.

    Reduced copies and masks among a TIFF's frames (pyramids, thumbnails) are not pages. A TIFF whose list of frames
    breaks off counts one page more than can be read, so that the loss shows when that page is decoded.

    Raises:
        DecodingError: the file is empty, of no known format, cut short, locked, or has too many pages.
    """
    kind = _kind(data, uri)
    if kind == "TIFF":
        return len(_tiff_frames(data, uri, settings))
    if kind == "PDF":
        with _PDFIUM_LOCK, _open_pdf(data, uri) as document:
            return _pdf_page_count(document, uri, settings)
    return 1


def decode_page(data: bytes, ref: PageRef, settings: DecodingSettings) -> Page:
    """The page ``ref`` of the document whose bytes are ``data``.

    Transparent parts come out as white paper; of an animation the first picture is taken; 16-bit and floating-point
    pictures are scaled to 0 … 255.

    Raises:
        DecodingError: the page cannot be read; which subclass says why. Nothing else is raised but MemoryError.
    """
    kind = _kind(data, ref.uri)
    if kind == "PDF":
        gray, dpi, rotation = _decode_pdf_page(data, ref, settings)
    else:
        gray, dpi, rotation = _decode_picture(data, kind, ref, settings)
    return Page(ref, gray, hashlib.sha256(data).hexdigest(), dpi, rotation)


def _kind(data: bytes, uri: str) -> str:
    """Format of ``data`` by its first bytes: "PDF" or a key of `_READERS`."""
    if not data:
        raise EmptyFile(f"{uri}: the file is empty. Copy or scan it again.")
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    if b"%PDF-" in data[:_PDF_HEADER_REACH]:
        return "PDF"
    raise NotAnImage(
        f"{uri}: the content is {_guess(data)}, not a picture that can be read. Convert it to one of {FORMATS}, or "
        "leave it out of the inputs."
    )


def _guess(data: bytes) -> str:
    """What unreadable ``data`` seems to be, for a message."""
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "a GIF"
    if data[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
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


# ------------------------------------------------------------------------------------------------ pictures


def _decode_picture(data: bytes, kind: str, ref: PageRef, settings: DecodingSettings) -> tuple:
    """Grey pixels, dpi and rotation of one picture or TIFF frame."""
    frames = _tiff_frames(data, ref.uri, settings) if kind == "TIFF" else [0]
    _check_index(ref, len(frames))
    if kind == "TIFF":
        if data.startswith(b"MM\x00+"):  # Pillow takes it for a small TIFF and its offsets for tags.
            raise UnsupportedImage(_unsupported(ref, "TIFF", "64-bit offsets in big-endian order"))
        directory = frames[ref.page_index]
        # Tiles are decoded whole. Pillow stops reading tags where one is broken, libtiff does not.
        tile = (_tiff_number(data, directory, tag, _MOST_ENTRIES) for tag in (_TIFF_TILE_WIDTH, _TIFF_TILE_LENGTH))
        _check_size(tuple(max(1, side) for side in tile), ref, settings)
        data = _with_first_frame(data, directory)
    elif kind == "WebP":
        # Pillow's reader allocates the canvas as soon as it opens the file, so this size must be known earlier.
        _check_size(_webp_size(data), ref, settings)
    try:
        with closing(_READERS[kind](io.BytesIO(data))) as image:
            _check_size(image.size, ref, settings)
            orientation = _load_tiff(image) if kind == "TIFF" else _load(image)
            gray = _to_gray(image)
            dpi = _dpi(image)
    except (DecodingError, MemoryError):
        raise
    except Exception as error:  # Untrusted bytes make Pillow raise nearly any type.
        raise _decoding_error(error, kind, ref) from error
    if kind != "TIFF":  # Pillow has turned those while it loaded them.
        gray = _TURNS[orientation](gray)
    return np.ascontiguousarray(gray), dpi, _ROTATIONS[orientation]


def _load(image: ImageFile.ImageFile) -> int:
    """Decodes the pixels of ``image`` in place; returns its orientation, 1 … 8."""
    if isinstance(image, JpegImageFile):
        # The luma of a JPEG is its grey picture: decoding it alone saves the chroma and a conversion.
        image.draft("L", None)
    image.load()
    return _orientation(image)  # Not before: in a PNG the tag may follow the pixels.


def _load_tiff(image: TiffImageFile) -> int:
    """Decodes and turns the pixels of ``image`` in place; returns the orientation that it had."""
    orientation = _orientation(image)
    # Pixels that exist already pass by Pillow's own limit on size, a global setting; ours has been checked.
    image.im = Image.new(image.mode, (image.tag_v2[_TIFF_WIDTH], image.tag_v2[_TIFF_LENGTH])).im
    image.load()
    return orientation


_TIFF_WIDTH, _TIFF_LENGTH, _TIFF_BITS, _TIFF_PHOTOMETRIC = 256, 257, 258, 262
_TIFF_SUBFILE_TYPE, _TIFF_TILE_WIDTH, _TIFF_TILE_LENGTH, _TIFF_SAMPLE_FORMAT = 254, 322, 323, 339
_NOT_A_PAGE = 1 | 4
"""Bits of the subfile type: a reduced copy of another frame, a transparency mask (TIFF 6.0, page 36)."""
_WHITE_IS_ZERO = 0
_TIFF_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "B", 8: "H", 9: "I", 16: "Q", 17: "Q"}
"""Field types of TIFF that libtiff takes for a size, as `struct` writes them without their sign."""
_MOST_ENTRIES = 65535
"""Entries of a directory; libtiff refuses larger ones in a BigTIFF too."""
_LEADING_ENTRIES = 8
"""The subfile type is looked for among so many entries of a directory: they are sorted, and it has the least tag."""

_ROTATIONS = {1: 0, 2: 0, 3: 180, 4: 180, 5: 270, 6: 90, 7: 90, 8: 270}
"""Degrees clockwise that make a picture of an EXIF orientation upright; 2, 4, 5 and 7 are mirrored first."""
_TURNS = {
    1: lambda gray: gray,
    2: lambda gray: cv2.flip(gray, 1),
    3: lambda gray: cv2.rotate(gray, cv2.ROTATE_180),
    4: lambda gray: cv2.flip(gray, 0),
    5: cv2.transpose,
    6: lambda gray: cv2.rotate(gray, cv2.ROTATE_90_CLOCKWISE),
    7: lambda gray: cv2.rotate(cv2.transpose(gray), cv2.ROTATE_180),
    8: lambda gray: cv2.rotate(gray, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 … 8; 1 where there is none or it cannot be read, since the pixels still can."""
    value = _exif(image).get(ExifTags.Base.Orientation, 1)
    return value if isinstance(value, int) and value in _ROTATIONS else 1


def _exif(image: Image.Image) -> Image.Exif | dict:
    try:
        return image.getexif()
    except MemoryError:
        raise
    except Exception:  # Untrusted bytes; a page is worth more than its EXIF.
        return {}


def _dpi(image: ImageFile.ImageFile) -> float | None:
    """Plausible resolution that the file states in its own header, else in its EXIF; otherwise None."""
    if isinstance(image, JpegImageFile):
        # Pillow's "dpi" of a JPEG is 72 when nothing is stated.
        unit, stated = image.info.get("jfif_unit"), image.info.get("jfif_density")
        per_inch = {1: 1.0, 2: 2.54}.get(unit)
    else:
        per_inch, stated = 1.0, image.info.get("dpi")
    if stated is None or per_inch is None:
        exif = _exif(image)
        stated = exif.get(ExifTags.Base.XResolution), exif.get(ExifTags.Base.YResolution)
        per_inch = {2: 1.0, 3: 2.54}.get(exif.get(ExifTags.Base.ResolutionUnit, 2))
    try:
        across, down = (float(value) * per_inch for value in stated)
    except (TypeError, ValueError, ArithmeticError):
        return None
    lowest, highest = _PLAUSIBLE_DPI
    # Resolutions are stored per metre or as fractions: 300 dpi comes back as 299.9994.
    same = math.isclose(across, down, rel_tol=0.02)
    return round(across, 2) if same and lowest <= across <= highest else None


def _check_index(ref: PageRef, pages: int) -> None:
    if not 0 <= ref.page_index < pages:
        raise PageOutOfRange(
            f"{ref.uri}: there is no page with index {ref.page_index}, the document has {pages} (indices count from "
            "0). List the inputs again if the file has changed since."
        )


def _check_size(size: tuple[int, int], ref: PageRef, settings: DecodingSettings) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ZeroSize(_zero_size(ref))
    if width * height > settings.max_pixels:
        raise TooLarge(
            f"{_place(ref)}: {width} x {height} pixels are more than the {settings.max_pixels} allowed. Scale the "
            "picture down, or raise max_pixels if the file is to be trusted and memory suffices."
        )


def _decoding_error(error: Exception, kind: str, ref: PageRef) -> DecodingError:
    """The typed error for what one of Pillow's readers raised."""
    reason = str(error) or type(error).__name__
    if reason == "not identified by this driver":  # Pillow: the header is sound but a side is 0.
        return ZeroSize(_zero_size(ref))
    if kind == "TIFF" and reason.isdigit():  # Pillow: the number of a compression that it does not know.
        return UnsupportedImage(_unsupported(ref, kind, f"compression {reason}"))
    if any(phrase in reason for phrase in _UNSUPPORTED):
        return UnsupportedImage(_unsupported(ref, kind, reason))
    return TruncatedImage(_damaged(ref, kind, reason))


_UNSUPPORTED = ("unknown pixel mode", "unknown data organization", "cannot handle", "Unsupported BMP")
"""What Pillow says of files that are whole but of a kind that it cannot decode."""


def _unsupported(ref: PageRef, kind: str, reason: str) -> str:
    return f"{_place(ref)}: this variant of {kind} is not read ({reason}). Save it anew as 8-bit grey or RGB."


def _damaged(ref: PageRef, kind: str, reason: str) -> str:
    return f"{_place(ref)}: the {kind} is cut short or damaged ({reason}). Copy or scan it again."


def _zero_size(ref: PageRef) -> str:
    return f"{_place(ref)}: the picture has no width or no height. Scan it again, or leave it out of the inputs."


def _place(ref: PageRef) -> str:
    return f"{ref.uri} (page {ref.page_index + 1})" if ref.page_index else ref.uri


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height in a WebP's header (RFC 9649, sections 2.5 to 2.7); (1, 1) where that is broken."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return 1, 1
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8L":
        sides = int.from_bytes(body[1:5], "little")
        return 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        sides = int.from_bytes(body[6:10], "little")
        return sides & 0x3FFF, sides >> 16 & 0x3FFF
    return 1, 1


# ------------------------------------------------------------------------------------------------ TIFF frames


def _tiff_frames(data: bytes, uri: str, settings: DecodingSettings) -> list[int]:
    """Offsets of the directories of a TIFF's pages, in order. The last may lie outside of a truncated file.

    Walks the chain itself: Pillow reads all frames before the one it is asked for, and one frame that it does not
    know would hide the others. A chain that bites its tail ends there.

    Raises:
        TruncatedImage: there is not one directory.
        TooLarge: there are more than ``settings.max_pages``.
    """
    order, big = _tiff_layout(data)
    offset_code, count_code, entry_size = ("Q", "Q", 20) if big else ("I", "H", 12)
    frames, reduced, seen = [], set(), set()
    offset = _unpack(order + offset_code, data, 8 if big else 4)
    while offset and offset not in seen:
        if len(seen) == settings.max_pages:
            raise TooLarge(_too_many_pages(uri, settings))
        seen.add(offset)
        frames.append(offset)
        count = _unpack(order + count_code, data, offset)
        if count is None:
            break
        entries = offset + struct.calcsize(order + count_code)
        if _tiff_number(data, offset, _TIFF_SUBFILE_TYPE, _LEADING_ENTRIES) & _NOT_A_PAGE:
            reduced.add(offset)
        offset = _unpack(order + offset_code, data, entries + count * entry_size)
        if offset is None:
            break
    if not frames:
        raise TruncatedImage(_damaged(PageRef(uri, 0), "TIFF", "it has no frames"))
    pages = [frame for frame in frames if frame not in reduced]
    return pages or frames


def _tiff_layout(data: bytes) -> tuple[str, bool]:
    """Byte order as `struct` writes it, and whether it is a BigTIFF (64-bit offsets)."""
    return ("<" if data[:2] == b"II" else ">"), b"+" in data[2:4]


def _unpack(code: str, data: bytes, offset: int) -> int | None:
    """The one number at ``offset``; None where the file ends before."""
    return struct.unpack_from(code, data, offset)[0] if offset + struct.calcsize(code) <= len(data) else None


def _tiff_number(data: bytes, directory: int, tag: int, most_entries: int) -> int:
    """Largest value that the directory at an offset gives a one-number tag in its first entries; 0 for none."""
    order, big = _tiff_layout(data)
    count_code, entry_size, value_at = ("Q", 20, 12) if big else ("H", 12, 8)
    entries = directory + struct.calcsize(order + count_code)
    count = min(_unpack(order + count_code, data, directory) or 0, most_entries)
    found = 0
    for entry in range(entries, min(entries + count * entry_size, len(data)), entry_size):
        if _unpack(order + "H", data, entry) == tag:
            code = _TIFF_INTEGERS.get(_unpack(order + "H", data, entry + 2), "I")
            found = max(found, _unpack(order + code, data, entry + value_at) or 0)
    return found


def _with_first_frame(data: bytes, offset: int) -> bytes:
    """The TIFF ``data`` with the directory at ``offset`` as its first."""
    order, big = _tiff_layout(data)
    start, code = (8, order + "Q") if big else (4, order + "I")
    if _unpack(code, data, start) == offset:
        return data
    patched = bytearray(data)
    struct.pack_into(code, patched, start, offset)
    return bytes(patched)


# ------------------------------------------------------------------------------------------------ grey


def _to_gray(image: Image.Image) -> np.ndarray:
    """Grey of a loaded picture of any mode: uint8 (height, width); transparent parts are white."""
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_to_gray(image)
    if image.mode == "LAB":
        return np.array(image.getchannel(0))  # Lightness.
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("L", image.size, 255)
        paper.paste(image.convert("L"), mask=image.getchannel("A"))
        return np.array(paper)
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return np.array(image if image.mode == "L" else image.convert("L"))


_DEEP_WHITES = (2**12 - 1, 2**16 - 1, 2**32 - 1)
"""Whites of integer pictures. Scanners store 12 bits in 16 without saying so; such a page would come out black."""
_FLOAT_WHITES = (1.0, 255.0, 65535.0)
"""Whites of floating-point pictures, which state none either."""


def _deep_to_gray(image: Image.Image) -> np.ndarray:
    """Grey of a picture of 12, 16 or 32 bits: uint8 (height, width).

    White is the least of the usual whites that no pixel exceeds (Pillow's own conversion cuts all off at 255).
    """
    tags = image.tag_v2 if isinstance(image, TiffImageFile) else {}
    values = np.array(image)
    if image.mode == "F":
        values = np.nan_to_num(values, nan=np.inf, posinf=np.inf)
        finite = values[np.isfinite(values)]
        top, whites = (float(finite.max()) if finite.size else 1.0), _FLOAT_WHITES
    else:
        if image.mode == "I" and tags.get(_TIFF_BITS) == (32,) and tags.get(_TIFF_SAMPLE_FORMAT, (1,)) == (1,):
            values = values.view(np.uint32)
        top, whites = int(values.max()), _DEEP_WHITES
    white = next((white for white in whites if top <= white), top)
    levels = values.astype(np.uint16) if values.dtype.itemsize == 2 else np.clip(values, 0, white).astype(np.float32)
    gray = cv2.convertScaleAbs(levels, alpha=255.0 / white)
    if tags.get(_TIFF_PHOTOMETRIC) == _WHITE_IS_ZERO:
        gray = 255 - gray  # Pillow inverts pictures of 8 bits and fewer only.
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray[values == transparent] = 255
    return gray


# ------------------------------------------------------------------------------------------------ PDF


def _open_pdf(data: bytes, uri: str) -> pypdfium2.PdfDocument:
    """The PDF, to be used and closed under `_PDFIUM_LOCK`."""
    ref = PageRef(uri, 0)
    if b"%%EOF" not in data.rstrip(b"\0\r\n\t ")[-_PDF_END_REACH:]:
        # pdfium repairs what it can and would silently show a part of the pages, or half of one.
        raise TruncatedImage(_damaged(ref, "PDF", "it has no end mark"))
    try:
        return pypdfium2.PdfDocument(data)
    except MemoryError:
        raise
    except Exception as error:
        if getattr(error, "err_code", None) in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise EncryptedPdf(f"{uri}: the PDF asks for a password. Save it without one.") from error
        raise TruncatedImage(_damaged(ref, "PDF", str(error))) from error


def _pdf_page_count(document: pypdfium2.PdfDocument, uri: str, settings: DecodingSettings) -> int:
    pages = len(document)
    if pages > settings.max_pages:
        raise TooLarge(_too_many_pages(uri, settings))
    return pages


def _too_many_pages(uri: str, settings: DecodingSettings) -> str:
    return (
        f"{uri}: the document has more than the {settings.max_pages} pages allowed. Split it, or raise max_pages if "
        "the file is to be trusted."
    )


def _decode_pdf_page(data: bytes, ref: PageRef, settings: DecodingSettings) -> tuple:
    """Grey pixels, dpi and rotation of one page of a PDF."""
    with _PDFIUM_LOCK, _open_pdf(data, ref.uri) as document:
        _check_index(ref, _pdf_page_count(document, ref.uri, settings))
        try:
            with closing(document[ref.page_index]) as page:
                scale = _pdf_scale(page.get_size(), ref, settings)
                with closing(page.render(scale=scale, grayscale=True)) as bitmap:
                    gray = bitmap.to_numpy().copy()  # The bitmap's memory goes when it is closed.
                return gray, round(scale * 72, 2), page.get_rotation()
        except (DecodingError, MemoryError):
            raise
        except Exception as error:
            raise TruncatedImage(_damaged(ref, "PDF", str(error))) from error


def _pdf_scale(size: tuple[float, float], ref: PageRef, settings: DecodingSettings) -> float:
    """Pixels per point (1/72 inch) of a page: those of ``pdf_dpi``, or so few that ``max_pixels`` holds."""
    width, height = size
    if not (math.isfinite(width * height) and width > 0 and height > 0):
        raise ZeroSize(_zero_size(ref))
    scale = min(settings.pdf_dpi / 72, math.sqrt(settings.max_pixels / width / height))
    while math.ceil(width * scale) * math.ceil(height * scale) > settings.max_pixels:
        scale *= 0.999  # Sides are rounded up to whole pixels.
    return scale
