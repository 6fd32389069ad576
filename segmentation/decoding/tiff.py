"""The directories of a TIFF: which of its frames are pages, and one page put first."""

from __future__ import annotations

import struct

from segmentation.decoding.errors import (
    TooLarge,
    TruncatedImage,
    UnsupportedImage,
    damaged,
    too_many_pages,
    unsupported,
)
from segmentation.decoding.limits import check_index, check_size
from segmentation.decoding.pages import DecodingSettings, PageRef

WIDTH, LENGTH, BITS_PER_SAMPLE, PHOTOMETRIC = 256, 257, 258, 262
_SUBFILE_TYPE, _TILE_WIDTH, _TILE_LENGTH, SAMPLE_FORMAT = 254, 322, 323, 339
_NOT_A_PAGE = 1 | 4
"""Bits of the subfile type: a reduced copy of another frame, a transparency mask (TIFF 6.0, page 36)."""
WHITE_IS_ZERO = 0
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "B", 8: "H", 9: "I", 16: "Q", 17: "Q"}
"""Field types of TIFF that libtiff takes for a size, as `struct` writes them without their sign."""
_MOST_ENTRIES = 65535
"""Greatest number of entries of a directory; libtiff refuses larger ones in a BigTIFF too."""
_LEADING_ENTRIES = 8
"""The subfile type is looked for among so many entries of a directory: they are sorted, and it has the least tag."""


def page_offsets(data: bytes, uri: str, settings: DecodingSettings) -> list[int]:
    """Offsets of the directories of a TIFF's pages, in order. The last may lie outside of a truncated file.

    Walks the chain itself: Pillow reads all frames before the one it is asked for, and one frame that it does not
    know would hide the others. A chain that bites its tail ends there.

    Raises:
        TruncatedImage: there is not one directory.
        TooLarge: there are more than ``settings.max_pages``.
    """
    order, big = _layout(data)
    offset_code, count_code, entry_size = ("Q", "Q", 20) if big else ("I", "H", 12)
    frames, reduced, seen = [], set(), set()
    offset = _unpack(order + offset_code, data, 8 if big else 4)
    while offset and offset not in seen:
        if len(seen) == settings.max_pages:
            raise TooLarge(too_many_pages(uri, settings))
        seen.add(offset)
        frames.append(offset)
        count = _unpack(order + count_code, data, offset)
        if count is None:
            break
        entries = offset + struct.calcsize(order + count_code)
        if _number(data, offset, _SUBFILE_TYPE, _LEADING_ENTRIES) & _NOT_A_PAGE:
            reduced.add(offset)
        offset = _unpack(order + offset_code, data, entries + count * entry_size)
        if offset is None:
            break
    if not frames:
        raise TruncatedImage(damaged(PageRef(uri, 0), "TIFF", "it has no frames"))
    pages = [frame for frame in frames if frame not in reduced]
    return pages or frames


def with_page_first(data: bytes, ref: PageRef, settings: DecodingSettings) -> bytes:
    """The TIFF ``data`` with the page ``ref`` as its first frame, the one that Pillow opens.

    Raises:
        DecodingError: as `page_offsets`; there is no such page; it has huge tiles, or offsets that Pillow cannot read.
    """
    frames = page_offsets(data, ref.uri, settings)
    check_index(ref, len(frames))
    if data.startswith(b"MM\x00+"):  # Pillow takes it for a small TIFF and its offsets for tags.
        raise UnsupportedImage(unsupported(ref, "TIFF", "64-bit offsets in big-endian order"))
    directory = frames[ref.page_index]
    # Tiles are decoded whole. Pillow stops reading tags where one is broken, libtiff does not.
    tile = (_number(data, directory, tag, _MOST_ENTRIES) for tag in (_TILE_WIDTH, _TILE_LENGTH))
    check_size(tuple(max(1, side) for side in tile), ref, settings)
    return _with_first_frame(data, directory)


def _with_first_frame(data: bytes, offset: int) -> bytes:
    """The TIFF ``data`` with the directory at ``offset`` as its first."""
    order, big = _layout(data)
    start, code = (8, order + "Q") if big else (4, order + "I")
    if _unpack(code, data, start) == offset:
        return data
    view = memoryview(data)  # whose slices are no copies: a volume may hold hundreds of megabytes
    return b"".join((view[:start], struct.pack(code, offset), view[start + struct.calcsize(code) :]))


def _number(data: bytes, directory: int, tag: int, most_entries: int) -> int:
    """Largest value that the directory at an offset gives a one-number tag in its first entries; 0 for none."""
    order, big = _layout(data)
    count_code, entry_size, value_at = ("Q", 20, 12) if big else ("H", 12, 8)
    entries = directory + struct.calcsize(order + count_code)
    count = min(_unpack(order + count_code, data, directory) or 0, most_entries)
    found = 0
    for entry in range(entries, min(entries + count * entry_size, len(data)), entry_size):
        if _unpack(order + "H", data, entry) == tag:
            code = _INTEGERS.get(_unpack(order + "H", data, entry + 2), "I")
            found = max(found, _unpack(order + code, data, entry + value_at) or 0)
    return found


def _layout(data: bytes) -> tuple[str, bool]:
    """Byte order as `struct` writes it, and whether it is a BigTIFF (64-bit offsets)."""
    return ("<" if data[:2] == b"II" else ">"), b"+" in data[2:4]


def _unpack(code: str, data: bytes, offset: int) -> int | None:
    """The one number at ``offset``; None where the file ends before."""
    piece = data[offset : offset + struct.calcsize(code)]
    return struct.unpack(code, piece)[0] if len(piece) == struct.calcsize(code) else None
