"""Reading what publishers really send: gzip or not, whatever the headers say, and bounded.

The bytes on the wire and the time are the guard's (`bodyguard`); here it is what they become.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Final

from starlette.requests import Request

from rapport_runtime.http.bodyguard import MIB, BodyLimits, Incoming, incoming
from rapport_runtime.http.problems import ApiError

BATCHES: Final = BodyLimits(wire=16 * MIB, inflated=32 * MIB)
"""What publishers' batches need: 500 events of 64 KiB."""

_GZIP_MAGIC: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31
_PIECE: Final = MIB


class InflatedTooLargeError(ApiError):
    """The gzip body inflates to more than this service takes, or by a suspicious ratio."""

    status_code = 413

    def __init__(self, limits: BodyLimits) -> None:
        super().__init__(
            f"the gzip body inflates to more than {limits.inflated} bytes or by more than "
            f"{limits.ratio} times; send smaller batches"
        )


class TooManyValuesError(ApiError):
    """The body has more separate values than this service parses at once."""

    status_code = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body has more than {limit} values; send smaller batches")


class GzipUnreadableError(ApiError):
    """The body begins like gzip and is not, or is cut off."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the gzip body is unreadable: {reason}")


class NestedCompressionError(ApiError):
    """gzip within gzip."""

    status_code = 415

    def __init__(self) -> None:
        super().__init__("the gzip body holds another gzip body; compress it once")


class UnsupportedEncodingError(ApiError):
    """A content encoding other than gzip."""

    status_code = 415

    def __init__(self) -> None:
        super().__init__(
            "the content encoding is not supported; use gzip or none",
            headers={"accept-encoding": "gzip"},
        )


class BodyIncompleteError(ApiError):
    """The caller hung up before the body was complete."""

    def __init__(self) -> None:
        super().__init__("the connection closed before the body was complete")


async def read_body(request: Request, limits: BodyLimits = BATCHES) -> bytes:
    """The whole body, inflated if it begins like gzip.

    Raises 400 (unreadable gzip, hung up), 408, 413 and 415 as ApiError.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in {"gzip", "x-gzip", "identity", ""}:
        raise UnsupportedEncodingError
    head, sink = b"", None
    async for chunk in _chunks(request):
        if sink is not None:
            await sink.feed(chunk)
            continue
        head += chunk
        if len(head) >= len(_GZIP_MAGIC):
            gzip = head.startswith(_GZIP_MAGIC)
            sink = _Inflated(limits, incoming(request.scope)) if gzip else _AsIs()
            await sink.feed(head)
    body = head if sink is None else sink.finish()
    _check_structure(body, limits)
    return body


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise BodyIncompleteError
        more = message.get("more_body", False)
        if chunk := message.get("body", b""):
            yield chunk


class _AsIs:
    def __init__(self) -> None:
        # Unlike b"".join(), BytesIO hands out its buffer without a second copy.
        self._whole = BytesIO()

    async def feed(self, chunk: bytes) -> None:
        self._whole.write(chunk)

    def finish(self) -> bytes:
        return self._whole.getvalue()


class _Inflated:
    def __init__(self, limits: BodyLimits, guard: Incoming | None) -> None:
        self._limits = limits
        self._guard = guard
        self._inflater = zlib.decompressobj(_GZIP_WINDOW)
        self._whole = BytesIO()
        self._arrived = 0

    async def feed(self, chunk: bytes) -> None:
        if self._inflater.eof:
            raise GzipUnreadableError("it goes on after its end")
        self._arrived += len(chunk)
        while chunk:
            try:
                piece = self._inflater.decompress(chunk, _PIECE)
            except zlib.error:
                raise GzipUnreadableError("it is damaged") from None
            if self._inflater.unused_data:
                raise GzipUnreadableError("it goes on after its end")
            chunk = self._inflater.unconsumed_tail
            self._keep(piece)
            if len(piece) == _PIECE:
                await asyncio.sleep(0)  # a large body must not hold up the small ones

    def _keep(self, piece: bytes) -> None:
        if self._guard is not None:
            self._guard.hold(len(piece))
        self._whole.write(piece)
        size = self._whole.tell()
        if size > self._limits.inflated or size > max(MIB, self._limits.ratio * self._arrived):
            raise InflatedTooLargeError(self._limits)

    def finish(self) -> bytes:
        if not self._inflater.eof:
            raise GzipUnreadableError("it is cut off")
        body = self._whole.getvalue()
        if body.startswith(_GZIP_MAGIC):
            raise NestedCompressionError
        return body


def _check_structure(body: bytes, limits: BodyLimits) -> None:
    if len(body) <= limits.values:
        return
    if body.count(b",") + body.count(b"[") + body.count(b"{") > limits.values:
        raise TooManyValuesError(limits.values)
