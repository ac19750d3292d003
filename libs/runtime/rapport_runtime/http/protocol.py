"""uvicorn's HTTP/1.1 protocol with patience that ends: slow clients must not starve others.

uvicorn waits for ever for the first byte, for the rest of the headers, for a client that does
not read its answer, and for the rest of a body that nobody wants. Here each has a deadline.
"""

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol


class ImpatientProtocol(HttpToolsProtocol):
    """One connection."""

    header_seconds = 10.0
    """From the first byte of a request (or the connection) to the end of its headers."""

    leftover_seconds = 5.0
    """For the rest of a body after its answer, so that the caller gets to read the answer."""

    unread_seconds = 30.0
    """For a caller that does not take the bytes of its answer."""

    header_bytes = 64 << 10

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._deadline: TimerHandle | None = None
        self._unread: TimerHandle | None = None
        self._in_headers = True
        self._header_bytes = 0
        self._body_open = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await(self.header_seconds, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        self._read_again()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_headers:
            self._header_bytes += len(data)
            if self._deadline is None:
                self._await(self.header_seconds, self.transport.abort)
        super().data_received(data)
        if self._in_headers and self._header_bytes > self.header_bytes:
            self._refuse_headers()

    def on_message_begin(self) -> None:
        self._in_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._cancel()
        self._in_headers = False
        self._header_bytes = 0
        self._body_open = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._cancel()
        self._body_open = False
        self._in_headers = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._body_open:
            self._await(self.leftover_seconds, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._read_again()
        super().resume_writing()

    def _refuse_headers(self) -> None:
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def _await(self, seconds: float, give_up: Callable[[], None]) -> None:
        self._cancel()
        self._deadline = self.loop.call_later(seconds, give_up)

    def _cancel(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _read_again(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
