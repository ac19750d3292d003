"""Events that Kafka would not take, kept on this machine's disk until it does.

Bounded, fsynced, in order. Appending is one write and one fsync for everything that waits; what
`append` accepted survives `kill -9` and a power cut. Reading goes from the oldest on, and a
segment that was read to its end is deleted.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import structlog

from rapport_runtime.delivery import Outgoing
from rapport_runtime.segment import encode_frames
from rapport_runtime.spoolfiles import Chunk, Contents, SpoolFiles

_SEGMENT_BYTES: Final = 8 << 20
_SEGMENTS_AT_LEAST: Final = 8
_SECONDS_UNTIL_ROOM: Final = 5

_T = TypeVar("_T")

_log = structlog.get_logger(__name__)


class SpoolFullError(Exception):
    """Nothing more can be kept; the caller should come again in `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: int = _SECONDS_UNTIL_ROOM) -> None:
        super().__init__(f"events cannot be taken now: {reason}")
        self.retry_after = retry_after


class Spool:
    """The spool of one process, its file work in a thread of its own."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._files: SpoolFiles | None = None
        self._contents = Contents()

    async def open(self) -> None:
        """Take over what an earlier process left. Raises SpoolInUseError, OSError."""
        segment_bytes = min(_SEGMENT_BYTES, max(1, self._max_bytes // _SEGMENTS_AT_LEAST))
        loop = asyncio.get_running_loop()
        self._files = await loop.run_in_executor(
            self._thread, SpoolFiles, self._directory, segment_bytes
        )
        self._contents = self._files.contents

    @property
    def contents(self) -> Contents:
        """Bytes on disk, records still to be read, and since when."""
        return self._contents

    @property
    def empty(self) -> bool:
        return self._contents.since is None

    @property
    def oldest_seconds(self) -> float:
        """Age of the oldest segment, 0 when the spool is empty."""
        since = self._contents.since
        return 0.0 if since is None else max(0.0, time.time() - since)

    async def append(self, records: Sequence[Outgoing]) -> None:
        """Keep the records; when this returns they are on the disk. All or none.

        Raises SpoolFullError: beyond `max_bytes`, or the disk refuses.
        """
        frames = encode_frames(records)
        if self._contents.bytes + len(frames) > self._max_bytes:
            raise SpoolFullError(f"the spool has reached its {self._max_bytes} bytes")
        try:
            await self._do(lambda files: files.append(frames, len(records)))
        except OSError as error:
            _log.error("spool cannot be written", spool=self._directory, exc_info=error)
            raise SpoolFullError(f"the disk of the spool failed ({error.strerror})") from error

    async def read(self, most: int) -> Chunk | None:
        """The oldest records that were not advanced over, None when there are none."""
        return await self._do(lambda files: files.read(most))

    async def advance(self, chunk: Chunk) -> None:
        """Forget the records of the chunk that was read last: they are in the log."""
        await self._do(lambda files: files.advance(chunk))

    async def set_aside(self, records: Sequence[Outgoing]) -> None:
        """Keep records that the log refuses for ever in the file `refused` of the directory."""
        await self._do(lambda files: files.set_aside(encode_frames(records)))

    async def close(self) -> None:
        if self._files is not None:
            await self._do(lambda files: files.close())
        self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[[SpoolFiles], _T]) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)

    def _work(self, work: Callable[[SpoolFiles], _T]) -> _T:
        files = self._files
        if files is None:
            raise RuntimeError("the spool is not open")
        try:
            return work(files)
        finally:
            # A tuple replaced as a whole: the event loop reads it from another thread.
            self._contents = files.contents
