"""An application of this process behind a port of 127.0.0.1, for browsers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from rapport_cli.stack.processes import free_port, port_answers
from starlette.types import ASGIApp


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Its address. Whoever made the application has started it, and ends it."""
    port = free_port()
    config = uvicorn.Config(app, port=port, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    # Signals are the test run's.
    serving = asyncio.create_task(server._serve())
    try:
        async with asyncio.timeout(20):
            while not await port_answers("127.0.0.1", port):
                await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
