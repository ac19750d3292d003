"""A small HTTP/1.1 client over one kept-alive connection.

The load generator shares two cores with what it measures, so it must cost little: a request
here takes about 60 µs of CPU, a tenth of what general clients take.
"""

import asyncio
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import orjson


class Answer(NamedTuple):
    status: int
    body: bytes

    def json(self) -> Any:  # noqa: ANN401 - whatever the server says
        return orjson.loads(self.body)


class Client:
    """One connection; one request at a time."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._head = f"Host: {parts.netloc}\r\nAuthorization: Bearer {key}\r\n"

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    async def get(self, path: str, headers: str = "") -> Answer:
        return await self._ask(f"GET {path} HTTP/1.1\r\n{self._head}{headers}\r\n".encode())

    async def post(self, path: str, body: bytes, kind: str = "application/json") -> Answer:
        head = f"POST {path} HTTP/1.1\r\n{self._head}Content-Type: {kind}\r\n"
        return await self._ask(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)

    async def _ask(self, request: bytes) -> Answer:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        answer = Answer(int(head[9:12]), await self._reader.readexactly(length))
        if answer.status != 200:
            raise RuntimeError(f"HTTP {answer.status}: {answer.body[:300]!r}")
        return answer
