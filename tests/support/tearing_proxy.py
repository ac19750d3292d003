"""A TCP proxy that tears a connection in the middle of an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass


@dataclass
class TearingProxy:
    """Each connection is torn once so many bytes of the answer have passed; None: never."""

    server_port: int
    port: int = 0
    tear_after: int | None = None
    torn: int = 0

    async def serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        left = self.tear_after
        upwards = asyncio.create_task(_pass_on(client, to_server))
        try:
            while words := await server.read(1 << 16):
                if left is not None and len(words) >= left:
                    to_client.write(words[:left])
                    self.torn += 1
                    return
                left = None if left is None else left - len(words)
                to_client.write(words)
                await to_client.drain()
        except OSError:
            return
        finally:
            upwards.cancel()
            to_client.close()
            to_server.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while words := await reader.read(1 << 16):
            writer.write(words)
            await writer.drain()
        # The client has gone, and the server shall know.
        writer.transport.abort()


@asynccontextmanager
async def tearing_proxy(server_port: int) -> AsyncIterator[TearingProxy]:
    """A proxy on a free port of the loopback interface."""
    proxy = TearingProxy(server_port)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield proxy
