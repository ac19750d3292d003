"""A TCP proxy that tears a connection in the middle of an answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class TearingProxy:
    """Each connection is torn once so many bytes of the answer have passed; None: never."""

    server_port: int
    port: int = 0
    tear_after: int | None = None
    torn: int = 0
    _serving: set["asyncio.Task[None]"] = field(default_factory=set)

    def accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        # Nobody else holds a task that waits for a stream, so it could be collected.
        serving = asyncio.create_task(self._serve(client, to_client))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def close(self) -> None:
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection("127.0.0.1", self.server_port)
        upwards = asyncio.create_task(_pass_on(client, to_server))
        try:
            await self._answer(server, to_client)
        except OSError:
            return
        finally:
            upwards.cancel()
            to_client.close()
            to_server.transport.abort()

    async def _answer(self, server: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        left = self.tear_after
        while words := await server.read(1 << 16):
            if left is not None and len(words) >= left:
                to_client.write(words[:left])
                self.torn += 1
                return
            left = None if left is None else left - len(words)
            to_client.write(words)
            await to_client.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while words := await reader.read(1 << 16):
            writer.write(words)
            await writer.drain()
    except OSError:
        return
    finally:
        # The client has gone, and the server shall know.
        writer.transport.abort()


@asynccontextmanager
async def tearing_proxy(server_port: int) -> AsyncIterator[TearingProxy]:
    """A proxy on a free port of the loopback interface."""
    proxy = TearingProxy(server_port)
    listening = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield proxy
        await proxy.close()
