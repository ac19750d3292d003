"""Webhook receivers as bad as they come, on 127.0.0.1."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from standardwebhooks import Webhook

Fault = Callable[[asyncio.StreamWriter], Awaitable[None]]

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@dataclass
class Received:
    """One request."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = orjson.loads(self.body)
        return document

    def is_signed_with(self, secret: str) -> bool:
        Webhook(secret).verify(self.body, self.headers)
        return True


@dataclass
class Receiver:
    """Answers each request by what `choose` says."""

    choose: Callable[[Received], Fault]
    port: int = 0
    connections: int = 0
    received: list[Received] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)
    """Ids that it answered with a 2xx."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            request = await _read(reader)
            self.received.append(request)
            fault = self.choose(request)
            if fault in _ACCEPTING:
                self.accepted.append(request.id)
            await _until_hung_up(fault, reader, writer)
        writer.close()


@asynccontextmanager
async def receiver(
    choose: Callable[[Received], Fault], tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    made = Receiver(choose)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=tls)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


def always(fault: Fault) -> Callable[[Received], Fault]:
    return lambda _: fault


def answering(status: int, *headers: str) -> Fault:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} Status", "content-length: 0", *headers, "", ""]
        writer.write("\r\n".join(lines).encode())
        await writer.drain()

    return answer


async def accept(writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    await writer.drain()


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def drip_headers(writer: asyncio.StreamWriter) -> None:
    """A byte at a time, so that no single read ever takes too long."""
    for byte in b"HTTP/1.1 200 OK\r\nx-slow: " + b"a" * 600:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.05)


async def drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 600\r\n\r\n")
    for _ in range(600):
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(writer: asyncio.StreamWriter) -> None:
    """A gigabyte, as far as anybody takes it."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
    for _ in range(10_000):
        writer.write(b"a" * 100_000)
        await writer.drain()


async def flood_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1_000):
        writer.write(b"x-%d: " % number + b"a" * 100_000 + b"\r\n")
        await writer.drain()


async def garble(writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\xff not HTTP at all \r\n\r\n")
    await writer.drain()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


_ACCEPTING = (accept, drip_body, flood)


async def _until_hung_up(
    fault: Fault, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    answering = asyncio.ensure_future(fault(writer))
    gone = asyncio.ensure_future(reader.read())
    await asyncio.wait([answering, gone], return_when=asyncio.FIRST_COMPLETED)
    answering.cancel()
    gone.cancel()
    await asyncio.gather(answering, gone, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    pairs = [line.partition(": ") for line in head[1:] if line]
    headers = {name.lower(): value for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(headers, body)
