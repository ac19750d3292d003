"""A TCP proxy before PostgreSQL that can say its last word without hanging up yet.

A server that ends a session says why and closes the connection. A client that speaks between the
two, however short the time, gets errors of its own driver.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

_FIELDS = b"SFATAL\x00VFATAL\x00C57P01\x00Mterminating connection\x00\x00"
FAREWELL = b"E" + (len(_FIELDS) + 4).to_bytes(4, "big") + _FIELDS
"""ErrorResponse (PostgreSQL 18, 54.7 Message Formats)."""


@dataclass
class FarewellProxy:
    """What is forwarded, in both directions."""

    port: int = 0
    clients: list[asyncio.StreamWriter] = field(default_factory=list)

    async def say_farewell(self) -> None:
        """To everybody; whatever they say from now on is not forwarded."""
        for client in self.clients:
            client.write(FAREWELL)
            await client.drain()

    async def serve(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter, server_port: int
    ) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", server_port)
        self.clients.append(to_client)
        try:
            await asyncio.gather(_forward(client, to_server), _forward(server, to_client))
        finally:
            for writer in (to_client, to_server):
                writer.close()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while words := await reader.read(1 << 16):
            writer.write(words)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def farewell_proxy(server_port: int) -> AsyncIterator[FarewellProxy]:
    """A proxy on a free port of the loopback interface, before the server on `server_port`."""
    proxy = FarewellProxy()
    listening = await asyncio.start_server(
        lambda reader, writer: proxy.serve(reader, writer, server_port), "127.0.0.1", 0
    )
    proxy.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield proxy
        for client in proxy.clients:
            client.close()
