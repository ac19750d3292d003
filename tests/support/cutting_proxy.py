"""A TCP proxy before PostgreSQL that can swallow the answer to a COMMIT and hang up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

_COMMIT = b"COMMIT;\x00"


@dataclass
class CuttingProxy:
    """`cuts` more commits will be carried out by the server without the client hearing of it."""

    port: int = 0
    cuts: int = 0
    made: int = 0

    async def serve(
        self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter, server_port: int
    ) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", server_port)
        deaf = asyncio.Event()
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(self._upwards(client, to_server, deaf)),
                    asyncio.create_task(self._downwards(server, to_client, deaf)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for writer in (to_client, to_server):
                writer.close()

    async def _upwards(
        self, client: asyncio.StreamReader, to_server: asyncio.StreamWriter, deaf: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while words := await client.read(1 << 16):
                if _COMMIT in words and self.cuts > 0:
                    self.cuts -= 1
                    deaf.set()
                to_server.write(words)
                await to_server.drain()

    async def _downwards(
        self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter, deaf: asyncio.Event
    ) -> None:
        with suppress(OSError):
            while words := await server.read(1 << 16):
                if deaf.is_set():
                    # The server has answered, so the commit is done; nobody shall know.
                    self.made += 1
                    return
                to_client.write(words)
                await to_client.drain()


@asynccontextmanager
async def cutting_proxy(server_port: int) -> AsyncIterator[CuttingProxy]:
    """A proxy on a free port of the loopback interface, before the server on `server_port`."""
    proxy = CuttingProxy()
    listening = await asyncio.start_server(
        lambda reader, writer: proxy.serve(reader, writer, server_port), "127.0.0.1", 0
    )
    proxy.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield proxy
