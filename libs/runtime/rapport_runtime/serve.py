"""Running a service: its HTTP server and its workers in one process, which live and die together.

A worker that ends before it was told to takes the process with it: a restart re-reads, and a
silent half of a service is worse than none.
"""

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from rapport_runtime.http.protocol import ImpatientProtocol
from rapport_runtime.settings import HttpSettings

Component = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Runs until the event is set, then returns; raising or returning earlier ends the process."""

EXIT_FAILED: Final = 70
"""A component failed (EX_SOFTWARE)."""

_GRACE_SECONDS: Final = 15
_KEEP_ALIVE_SECONDS: Final = 15
_BACKLOG: Final = 2048
_GC_THRESHOLD: Final = 500_000

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class EndedEarlyError(Exception):
    """A component returned although nobody asked it to stop."""


class PortTakenError(Exception):
    """The address cannot be listened on."""

    code = "port_taken"

    def __init__(self, host: str, port: int) -> None:
        self.detail = f"cannot listen on {host}:{port}; is another process there?"
        super().__init__(self.detail)


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the process has other components to stop, too."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run(components: Mapping[str, Component]) -> int:
    """Run until SIGTERM or SIGINT, or until a component fails; the exit code of the process.

    0 after a signal, 70 when a component failed; the log names it and its reason.
    """
    return run_once(run_components(components))


def run_once(work: Coroutine[Any, Any, T]) -> T:
    """Run one thing to its end, on the loop and with the collector that fit our workers."""
    tune_collector()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def tune_collector() -> None:
    """Collect garbage as fits a worker.

    Decoded batches are many objects that live for a while: with the default a worker is half as
    fast, with a tenth of this threshold by a twentieth slower. What a request leaves behind is few
    objects, which a collection hardly notices.
    """
    gc.set_threshold(_GC_THRESHOLD, 20, 20)
    # What was imported stays: collections need not walk over it again and again.
    gc.collect()
    gc.freeze()


async def run_components(components: Mapping[str, Component]) -> int:
    """As `run`, inside a running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks = {
        asyncio.create_task(_guarded(component, stop), name=name): name
        for name, component in components.items()
    }
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait([asked, *tasks], return_when=asyncio.FIRST_COMPLETED)
    failed = _failures(tasks)
    stop.set()
    asked.cancel()
    await asyncio.wait(tasks, timeout=_GRACE_SECONDS)
    failed |= _failures(tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(asked, *tasks, return_exceptions=True)
    for name, error in failed.items():
        _tell(name, error)
    return EXIT_FAILED if failed else 0


def http_component(
    app: FastAPI,
    settings: HttpSettings,
    protocol: type[ImpatientProtocol] = ImpatientProtocol,
) -> Component:
    """The HTTP server as a component; port 0 takes a free one, which the log then tells.

    Answers that would never end by themselves have to when `app.state.stopping` is set: until
    then the server waits for them. Raises PortTakenError, and what the lifespan of the app raises.
    """

    async def serve(stop: asyncio.Event) -> None:
        app.state.stopping = stop
        # uvicorn would turn a failing lifespan or a taken port into a bare exit.
        async with app.router.lifespan_context(app):
            listener = _listen(settings)
            server = _Server(_config(app, protocol))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            asked = asyncio.create_task(stop.wait())
            _log.info("listening", host=settings.host, port=listener.getsockname()[1])
            await asyncio.wait([serving, asked], return_when=asyncio.FIRST_COMPLETED)
            asked.cancel()
            server.should_exit = True
            await serving

    return serve


def _listen(settings: HttpSettings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=_BACKLOG)
    except OSError as error:
        raise PortTakenError(settings.host, settings.port) from error


def _config(app: FastAPI, protocol: type[ImpatientProtocol]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS - 5,
    )


async def _guarded(component: Component, stop: asyncio.Event) -> None:
    await component(stop)
    if not stop.is_set():
        raise EndedEarlyError("it returned although nobody asked it to stop")


def _failures(tasks: Mapping[asyncio.Task[None], str]) -> dict[str, BaseException]:
    return {
        name: error
        for task, name in tasks.items()
        if task.done() and not task.cancelled() and (error := task.exception()) is not None
    }


def _tell(name: str, error: BaseException) -> None:
    """`code` and `detail` are what errors that halt a worker on purpose carry for operators."""
    _log.error(
        "component failed",
        component=name,
        code=getattr(error, "code", type(error).__name__),
        reason=getattr(error, "detail", None),
        exc_info=error,
    )
