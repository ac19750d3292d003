"""What a spool segment looks like on disk, and what can still be read of a damaged one.

A segment is a run of frames: length and CRC-32 of the body (both 32 bits, little-endian), then
the body, one record in MessagePack. Pure: bytes in, values out.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

import msgspec

from rapport_runtime.delivery import Outgoing

_HEADER: Final = Struct("<II")
_LARGEST_BODY: Final = 16 << 20

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Outgoing)


@dataclass(slots=True)
class Parsed:
    """What was read from a segment: `end` is the byte after the last frame that was understood.

    `damaged` counts frames whose checksum is wrong. `torn` is true when the bytes after `end`
    are no frame: the process or the machine died while they were written.
    """

    records: list[Outgoing] = field(default_factory=list)
    end: int = 0
    damaged: int = 0
    torn: bool = False


def encode_frames(records: Iterable[Outgoing]) -> bytes:
    """The bytes to append for these records."""
    parts: list[bytes] = []
    for record in records:
        body = _encoder.encode(record)
        parts += (_HEADER.pack(len(body), zlib.crc32(body)), body)
    return b"".join(parts)


def parse_frames(segment: bytes, start: int, most: int) -> Parsed:
    """At most so many records from the frame at byte `start` on."""
    parsed = Parsed(end=start)
    while len(parsed.records) < most and parsed.end < len(segment):
        body = _body_at(segment, parsed.end)
        if body is None:
            parsed.torn = True
            break
        record = _read(segment, parsed.end, body)
        if record is None:
            parsed.damaged += 1
        else:
            parsed.records.append(record)
        parsed.end += _HEADER.size + len(body)
    return parsed


def count_frames(segment: bytes, start: int) -> int:
    """How many frames there are from byte `start` on, judged by their lengths alone."""
    count, at = 0, start
    while (body := _body_at(segment, at)) is not None:
        count += 1
        at += _HEADER.size + len(body)
    return count


def _body_at(segment: bytes, at: int) -> bytes | None:
    if at + _HEADER.size > len(segment):
        return None
    length, _ = _HEADER.unpack_from(segment, at)
    begin = at + _HEADER.size
    if not 0 < length <= _LARGEST_BODY or begin + length > len(segment):
        return None
    return segment[begin : begin + length]


def _read(segment: bytes, at: int, body: bytes) -> Outgoing | None:
    _, checksum = _HEADER.unpack_from(segment, at)
    if zlib.crc32(body) != checksum:
        return None
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        return None
