"""The scalars of a TensorBoard event file, read without TensorBoard.

A file is a sequence of records: a length (8 bytes), a checksum (4), the data, a checksum (4). The data is a protobuf
message Event: 2 is the step, 5 the summary. A summary has values (1) with a tag (1) and either a float (2) or a tensor
(8), whose floats are in 5, or as bytes in 4.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

_MAX_RECORD = 256 * 2**20  # bytes; images and histograms are smaller


def read_events(path: Path) -> Iterator[tuple[int, str, float]]:
    """(step, tag, value) of each scalar, in the order of the file. An incomplete record at the end is ignored.

    Raises:
        ValueError: the file is not an event file.
    """
    with path.open("rb") as file:
        while len(header := file.read(12)) == 12:
            (length,) = struct.unpack("<Q", header[:8])
            if length > _MAX_RECORD or struct.unpack("<I", header[8:])[0] != _masked_checksum(header[:8]):
                raise ValueError("is not a TensorBoard event file, or is corrupt")
            data = file.read(length)
            if len(data) < length or len(file.read(4)) < 4:
                return  # the run was interrupted while it wrote
            if length < 100_000:  # a scalar is short
                yield from _scalars(data)


def _scalars(event: bytes) -> Iterator[tuple[int, str, float]]:
    step, summary = 0, b""
    for field, value in _fields(event):
        if field == 2:
            step = value
        elif field == 5:
            summary = value
    for field, value in _fields(summary):
        if field == 1:
            parts = dict(_fields(value))
            number = _number(parts)
            if number is not None and isinstance(parts.get(1), bytes):
                yield step, parts[1].decode("utf-8", "replace"), number


def _number(parts: dict[int, Any]) -> float | None:
    if isinstance(parts.get(2), bytes):
        data = parts[2]
    else:
        tensor = dict(_fields(parts.get(8, b"")))
        data = tensor.get(5, tensor.get(4, b""))
    return float(struct.unpack("<f", data)[0]) if len(data) == 4 else None


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """The number and the value of each field: an int for varints, else bytes."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        wire = key & 7
        value: Any
        if wire == 0:
            value, position = _varint(message, position)
        elif wire in (1, 2, 5):
            size = {1: 8, 5: 4}.get(wire, 0)
            if wire == 2:
                size, position = _varint(message, position)
            value, position = message[position : position + size], position + size
        else:
            raise ValueError("is not a TensorBoard event file, or is corrupt")
        yield key >> 3, value


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 70:
        byte = message[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
    raise ValueError("is not a TensorBoard event file, or is corrupt")


_POLYNOMIAL = 0x82F63B78  # of CRC-32C, reversed
_TABLE: list[int] = []


def _masked_checksum(data: bytes) -> int:
    """The checksum of the record format: a CRC-32C, rotated and shifted."""
    if not _TABLE:
        for byte in range(256):
            for _ in range(8):
                byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
            _TABLE.append(byte)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
