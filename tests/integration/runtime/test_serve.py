"""The HTTP server on a real socket: patient with nobody, polite to everybody."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from rapport_cli.stack.processes import free_port
from rapport_runtime.http.app import create_app
from rapport_runtime.http.body import read_body
from rapport_runtime.http.protocol import ImpatientProtocol
from rapport_runtime.metrics import Metrics
from rapport_runtime.serve import http_component
from rapport_runtime.settings import HttpSettings
from starlette.requests import Request

from tests.support.web import SETTINGS, keys_file

router = APIRouter()
slow_began = asyncio.Event()


@router.post("/size")
async def receive_bytes(request: Request) -> int:
    return len(await read_body(request))


@router.post("/unread")
async def receive_nothing() -> str:
    return "no, thank you"


@router.get("/slow")
async def read_slowly() -> str:
    slow_began.set()
    await asyncio.sleep(0.3)
    return "done"


class Hasty(ImpatientProtocol):
    header_seconds = 1.0
    leftover_seconds = 2.0  # on a busy machine it takes a while to send what is left


class Client:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """Everything until the server hangs up."""
        try:
            return await asyncio.wait_for(self.reader.read(), 20)
        except ConnectionError:
            return b""


class Server:
    def __init__(self, port: int, stop: asyncio.Event, task: asyncio.Task[None]) -> None:
        self.port = port
        self.stop = stop
        self.task = task

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Client]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()

    async def get(self, path: str) -> bytes:
        async with self.connected() as client:
            await client.send(
                f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode()
            )
            return await client.answer()


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    _, keys = keys_file(tmp_path)
    return create_app(
        "x",
        SETTINGS,
        [router],
        metrics=Metrics("x"),
        keys=keys,
        checks={},
        open_paths=frozenset({"/size", "/unread", "/slow"}),
    )


@pytest.fixture
async def server(app: FastAPI) -> AsyncIterator[Server]:
    port, stop = free_port(), asyncio.Event()
    task = asyncio.create_task(http_component(app, HttpSettings(port=port), Hasty)(stop))
    running = Server(port, stop, task)
    while True:
        try:
            await running.get("/livez")
            break
        except ConnectionRefusedError:
            await asyncio.sleep(0.01)
    yield running
    stop.set()
    await task


async def test_callers_that_never_finish_their_headers_do_not_keep_others_waiting(
    server: Server,
) -> None:
    async with server.connected() as silent, server.connected() as dripping:
        await dripping.send(b"GET /livez HTTP/1.1\r\nx-a: ")
        started = time.monotonic()
        others = [await server.get("/livez") for _ in range(20)]
        took = time.monotonic() - started
        answers = [await silent.answer(), await dripping.answer()]

    assert all(answer.startswith(b"HTTP/1.1 200") for answer in others)
    assert took < 5
    assert answers == [b"", b""]


async def test_endless_headers_are_refused(server: Server) -> None:
    async with server.connected() as client:
        await client.send(b"GET /livez HTTP/1.1\r\n")
        try:
            for number in range(100_000):
                await client.send(b"x-header-%d: value\r\n" % number)
        except ConnectionError:
            pass
        answer = await client.answer()

    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


async def test_a_refused_caller_gets_to_read_the_answer_though_it_is_still_sending(
    server: Server,
) -> None:
    size = 3 << 20
    async with server.connected() as client:
        await client.send(b"POST /size HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size)
        await client.send(b"x" * size)
        await client.send(b"GET /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        answer = await client.answer()

    assert answer.startswith(b"HTTP/1.1 413")
    assert b"HTTP/1.1 200" in answer


async def test_a_caller_that_never_ends_is_hung_up_on_after_its_answer(server: Server) -> None:
    async with server.connected() as client:
        await client.send(b"POST /unread HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        # Raises TimeoutError when nobody hangs up.
        answer = await client.answer()

    assert answer.startswith(b"HTTP/1.1 200")


async def test_no_bytes_bring_the_server_down(server: Server) -> None:
    chance = random.Random(20261122)
    starts = [b"", b"GET / HTTP/1.1\r\n", b"POST /size HTTP/1.1\r\nhost: x\r\n", b"OPTIONS * "]
    for _ in range(200):
        async with server.connected() as client:
            try:
                await client.send(chance.choice(starts) + chance.randbytes(chance.randrange(300)))
                client.writer.write_eof()
            except ConnectionError:
                continue
            answer = await client.answer()
            assert not answer.startswith(b"HTTP/1.1 5")

    assert (await server.get("/livez")).startswith(b"HTTP/1.1 200")


async def test_a_request_that_is_being_answered_is_finished_before_the_end(server: Server) -> None:
    asked = asyncio.create_task(server.get("/slow"))
    await asyncio.wait_for(slow_began.wait(), 20)

    server.stop.set()
    answer = await asked

    assert answer.endswith(b'"done"')
    await server.task


PROCESS = """
import asyncio, sys
from rapport_runtime.logs import configure_logs
from rapport_runtime.serve import run
from rapport_runtime.settings import LogSettings

async def steady(stop):
    print("up", flush=True)
    await stop.wait()

async def failing(stop):
    await asyncio.sleep(0.1)
    raise ConnectionError("postgresql://user:secret@host")

async def leaving(stop):
    await asyncio.sleep(0.1)

configure_logs(LogSettings())
known = {"steady": steady, "failing": failing, "leaving": leaving}
sys.exit(run({name: known[name] for name in sys.argv[1:]}))
"""


@pytest.mark.parametrize("worker", ["failing", "leaving"])
def test_a_process_ends_with_its_first_failing_part_and_names_it(worker: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROCESS, "steady", worker],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert ended.returncode == 70
    assert f'"component":"{worker}"' in ended.stderr
    assert "secret" not in ended.stderr


def test_a_process_that_is_told_to_end_ends_well() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROCESS, "steady"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        status = process.wait(30)

    assert status == 0
