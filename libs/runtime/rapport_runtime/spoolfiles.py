"""The files of a spool: segments, the place reached in them, and a lock. Blocking, one thread."""

import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec
import structlog

from rapport_runtime.delivery import Outgoing
from rapport_runtime.segment import Parsed, count_frames, parse_frames

_SUFFIX: Final = ".spool"
_WINDOW: Final = 2 << 20

_log = structlog.get_logger(__name__)


class SpoolInUseError(Exception):
    """Another process spools into the same directory: their events would mix."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"another process uses the spool in {directory}; give each its own RAPPORT_SPOOL__DIR"
        )


class Place(NamedTuple):
    """A byte in a segment."""

    segment: int
    byte: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records in order, and the place after them."""

    records: list[Outgoing]
    then: Place


class Contents(NamedTuple):
    """How full a spool is: bytes on disk, records still to be read, age of the oldest segment."""

    bytes: int = 0
    records: int = 0
    since: float | None = None


@dataclass(slots=True)
class _Segment:
    """One file. `size`: bytes that are safe to read; `since`: seconds since 1970."""

    path: Path
    size: int
    since: float
    records: int
    damaged: bool = False


class SpoolFiles:
    """What is in the directory. Raises OSError wherever the disk fails."""

    def __init__(self, directory: Path, segment_bytes: int) -> None:
        """Take over what an earlier process left. Raises SpoolInUseError."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._lock = _take_lock(directory)
        self._segments: dict[int, _Segment] = {}
        self._file: BinaryIO | None = None
        self._cursor = _read_cursor(directory / "cursor")
        for number, path in _segment_paths(directory):
            self._take_over(number, path)
        self._newest = max([self._cursor.segment, *self._segments])

    @property
    def contents(self) -> Contents:
        segments = self._segments.values()
        return Contents(
            sum(segment.size for segment in segments),
            sum(segment.records for segment in segments),
            min((segment.since for segment in segments), default=None),
        )

    def append(self, frames: bytes, count: int) -> None:
        """Write and fsync; after an error the segment is closed and its new bytes not counted."""
        if self._file is None:
            self._begin()
        file, segment = self._file, self._segments[self._newest]
        assert file is not None  # noqa: S101 - _begin opened it
        try:
            _write_all(file, frames)
            os.fsync(file.fileno())
        except OSError:
            self._seal()
            raise
        segment.size += len(frames)
        segment.records += count
        if segment.size >= self._segment_bytes:
            self._seal()

    def read(self, most: int) -> Chunk | None:
        """The oldest records, None when all were advanced over."""
        while self._segments:
            number = min(self._segments)
            segment = self._segments[number]
            start = self._cursor.byte if number == self._cursor.segment else 0
            parsed = self._parse(segment, start, most)
            if parsed.records:
                return Chunk(parsed.records, Place(number, parsed.end))
            self._remove(number)
        return None

    def advance(self, chunk: Chunk) -> None:
        """Forget the records of the chunk that was read last."""
        segment = self._segments[chunk.then.segment]
        segment.records -= len(chunk.records)
        self._cursor = chunk.then
        if chunk.then.byte >= segment.size:
            self._remove(chunk.then.segment)
        # Not fsynced: after a power cut records are read again, and consumers drop repeats.
        draft = self._directory / "cursor.new"
        draft.write_bytes(msgspec.json.encode(self._cursor))
        draft.replace(self._directory / "cursor")

    def set_aside(self, frames: bytes) -> None:
        """Keep what the log will never take, for a person to look at."""
        with (self._directory / "refused").open("ab") as file:
            file.write(frames)
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> None:
        self._seal()
        self._lock.close()

    def _take_over(self, number: int, path: Path) -> None:
        if number < self._cursor.segment:
            path.unlink()
            return
        content = path.read_bytes()
        start = self._cursor.byte if number == self._cursor.segment else 0
        left = count_frames(content, start)
        self._segments[number] = _Segment(path, len(content), path.stat().st_mtime, left)

    def _begin(self) -> None:
        self._newest += 1
        path = self._directory / f"{self._newest:020d}{_SUFFIX}"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._segments[self._newest] = _Segment(path, 0, time.time(), 0)
        _sync_directory(self._directory)

    def _seal(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _parse(self, segment: _Segment, start: int, most: int) -> Parsed:
        left = segment.size - start
        with segment.path.open("rb") as file:
            file.seek(start)
            window = file.read(min(_WINDOW, left))
            parsed = parse_frames(window, 0, most, whole=left <= _WINDOW)
            if not parsed.records and left > _WINDOW:
                file.seek(start)
                parsed = parse_frames(file.read(left), 0, most)
        whole = start + parsed.end
        if parsed.damaged or (parsed.torn and not parsed.records and whole < segment.size):
            segment.damaged = True
        parsed.end = whole
        return parsed

    def _remove(self, number: int) -> None:
        segment = self._segments.pop(number)
        if number == self._newest:
            self._seal()
        if not segment.damaged:
            segment.path.unlink()
            return
        kept = self._directory / "damaged"
        kept.mkdir(mode=0o700, exist_ok=True)
        segment.path.replace(kept / segment.path.name)
        _log.error(
            "spool segment had unreadable bytes, kept for inspection",
            spool=kept,
            segment=number,
            bytes=segment.size,
        )


def _take_lock(directory: Path) -> BinaryIO:
    lock = (directory / "lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise SpoolInUseError(directory) from None
    return lock


def _segment_paths(directory: Path) -> Iterator[tuple[int, Path]]:
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        if path.stem.isdigit():
            yield int(path.stem), path


def _read_cursor(path: Path) -> Place:
    """The beginning when it is missing or unreadable: reading again does no harm."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Place)
    except (FileNotFoundError, msgspec.DecodeError):
        return Place(0, 0)


def _write_all(file: BinaryIO, content: bytes) -> None:
    """An unbuffered write may take less than it was given, as on a disk that is filling up."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]


def _sync_directory(directory: Path) -> None:
    """Without this a power cut may lose the name of a file whose bytes are safe."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
