"""What a spool segment looks like on disk, and what can still be read of a damaged one.

A segment is a run of frames: a marker, length and CRC-32 of the body (32 bits each, little-
endian), then the body, one record in MessagePack. The marker is where reading goes on after
bytes that make no sense. Pure: bytes in, values out.
"""

import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

import msgspec

from rapport_runtime.delivery import Outgoing

_MARKER: Final = b"\xf5RP\x01"
_HEADER: Final = Struct("<4sII")

_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Outgoing)


@dataclass(slots=True)
class Parsed:
    """What was read from a segment: `end` is the byte after the last frame that was understood.

    `damaged` counts the stretches of bytes that were skipped. `torn` is true when the bytes after
    `end` are no whole frame: there is more to read, or writing them was cut short.
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
        parts += (_HEADER.pack(_MARKER, len(body), zlib.crc32(body)), body)
    return b"".join(parts)


def parse_frames(segment: bytes, start: int, most: int, *, whole: bool = True) -> Parsed:
    """At most so many records from the frame at byte `start` on.

    `whole` says that no bytes follow `segment`: then a frame that ends beyond it is damage.
    """
    parsed = Parsed(end=start)
    while len(parsed.records) < most and parsed.end < len(segment):
        end = _frame_end(segment, parsed.end)
        if end is not None and (record := _read(segment, parsed.end, end)) is not None:
            parsed.records.append(record)
            parsed.end = end
            continue
        next_frame = segment.find(_MARKER, parsed.end + 1)
        if next_frame < 0 or (end is None and not whole):
            parsed.torn = True
            break
        parsed.damaged += 1
        parsed.end = next_frame
    return parsed


def count_frames(segment: bytes, start: int) -> int:
    """How many frames there are from byte `start` on, judged by their lengths alone."""
    count, at = 0, start
    while (end := _frame_end(segment, at)) is not None:
        count += 1
        at = end
    return count


def _frame_end(segment: bytes, at: int) -> int | None:
    """None when no whole frame begins here."""
    if at + _HEADER.size > len(segment):
        return None
    marker, length, _ = _HEADER.unpack_from(segment, at)
    end: int = at + _HEADER.size + length
    return end if marker == _MARKER and length > 0 and end <= len(segment) else None


def _read(segment: bytes, at: int, end: int) -> Outgoing | None:
    body = segment[at + _HEADER.size : end]
    if zlib.crc32(body) != _HEADER.unpack_from(segment, at)[2]:
        return None
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError:
        return None
