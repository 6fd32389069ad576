"""Event files that TensorBoard shows, written without TensorFlow or TensorBoard.

An event file is a row of records (length, checksum of it, data, checksum of them), each record a protocol buffer
``Event`` (wall time, step, summary values). Only scalars and PNG pictures are written, so the few fields are put
together here: TensorFlow, which writes such files too, is not loaded where Keras runs on another backend; it would take
seconds, and memory of the GPU. Formats: its core/lib/io/record_writer.h, core/util/event.proto,
core/framework/summary.proto.
"""

from __future__ import annotations

import functools
import struct
import time
from pathlib import Path

_CRC_POLYNOMIAL = 0x82F63B78
"""CRC-32C (Castagnoli), bits reversed."""


@functools.cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (_CRC_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


def _masked_crc(data: bytes) -> int:
    """CRC-32C, rotated and offset as TFRecord wants it."""
    crc, table = 0xFFFFFFFF, _crc_table()
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _bytes_field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


class EventWriter:
    """Appends to one event file in a folder; every call is on disk when it returns."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        now = time.time()
        self._path = folder / f"events.out.tfevents.{now:.6f}.inkbeam"
        self._append(struct.pack("<Bd", 1 << 3 | 1, now) + _bytes_field(3, b"brain.Event:2"))

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Append one number a tag."""
        for tag, value in values.items():
            self._value(step, tag, struct.pack("<Bf", 2 << 3 | 5, value))

    def picture(self, step: int, tag: str, png: bytes, width: int, height: int) -> None:
        """Append a picture, encoded as PNG, of three colours."""
        size = b"".join(_varint(n << 3) + _varint(v) for n, v in ((1, height), (2, width), (3, 3)))
        self._value(step, tag, _bytes_field(4, size + _bytes_field(4, png)))

    def _value(self, step: int, tag: str, content: bytes) -> None:
        summary = _bytes_field(1, _bytes_field(1, tag.encode()) + content)
        event = struct.pack("<Bd", 1 << 3 | 1, time.time()) + _varint(2 << 3) + _varint(step)
        self._append(event + _bytes_field(5, summary))

    def _append(self, event: bytes) -> None:
        length = struct.pack("<Q", len(event))
        record = length + struct.pack("<I", _masked_crc(length)) + event + struct.pack("<I", _masked_crc(event))
        with open(self._path, "ab") as file:
            file.write(record)
