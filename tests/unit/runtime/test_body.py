"""A body costs what its limits allow, however it is sent."""

import asyncio
import gzip
import resource
import zlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from rapport_runtime.http.app import create_app
from rapport_runtime.http.body import BATCHES, read_body
from rapport_runtime.http.bodyguard import MIB, BodyBudget, BodyGuard, BodyLimits
from rapport_runtime.metrics import Metrics
from starlette.requests import Request
from starlette.responses import Response

from tests.support.web import SETTINGS, Answer, ask, keys_file

router = APIRouter()


@router.post("/echo")
async def receive_anything(request: Request) -> Response:
    body = await read_body(request)
    return Response(body if len(body) < MIB else str(len(body)).encode())


def app_with(directory: Path, limits: BodyLimits = BATCHES) -> FastAPI:
    _, keys = keys_file(directory)
    return create_app(
        "x",
        SETTINGS,
        [router],
        metrics=Metrics("x"),
        keys=keys,
        checks={},
        body=limits,
        open_paths=frozenset({"/echo"}),
    )


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return app_with(tmp_path)


def in_pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-encoding": "gzip"}, {"content-type": "application/x-www-form-urlencoded"}],
)
@pytest.mark.parametrize("piece", [1, 7, 1_000])
async def test_gzip_is_recognised_whatever_the_headers_say(
    app: FastAPI, headers: dict[str, str], piece: int
) -> None:
    packed = gzip.compress(b'{"batch": []}' * 50)

    answer = await ask(app, "POST", "/echo", headers=headers, body=in_pieces(packed, piece))

    assert answer.body == b'{"batch": []}' * 50


@pytest.mark.parametrize("content", [b"", b"\x1f", b"x", b'{"a": 1}'])
async def test_what_is_not_gzip_stays_as_it_is(app: FastAPI, content: bytes) -> None:
    answer = await ask(app, "POST", "/echo", headers={"content-encoding": "gzip"}, body=content)

    assert answer.status == 200
    assert answer.body == content


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (gzip.compress(b"x" * 1_000)[:-9], 400, "gzip_unreadable"),
        (gzip.compress(b"x") + b"more", 400, "gzip_unreadable"),
        (gzip.compress(b"x") * 2, 400, "gzip_unreadable"),
        (b"\x1f\x8b" + b"\0" * 100, 400, "gzip_unreadable"),
        (gzip.compress(gzip.compress(b"x")), 415, "nested_compression"),
        (gzip.compress(b"0" * 2 * MIB), 413, "inflated_too_large"),
        (b"[" + b"0," * 600_000 + b"0]", 413, "too_many_values"),
    ],
)
async def test_a_body_that_cannot_be_meant_is_refused(
    app: FastAPI, content: bytes, status: int, code: str
) -> None:
    whole = await ask(app, "POST", "/echo", body=content)
    chunked = await ask(app, "POST", "/echo", body=in_pieces(content, 65_536))

    assert [(whole.status, whole.json["code"]), (chunked.status, chunked.json["code"])] == [
        (status, code)
    ] * 2


@pytest.mark.parametrize("encoding", ["deflate", "br", "zstd", "gzip, gzip"])
async def test_other_encodings_are_named_as_unsupported(app: FastAPI, encoding: str) -> None:
    headers = {"content-encoding": encoding}

    answer = await ask(app, "POST", "/echo", headers=headers, body=zlib.compress(b"{}"))

    assert answer.status == 415
    assert answer.headers["accept-encoding"] == "gzip"


async def test_chunked_bodies_are_counted_byte_by_byte(app: FastAPI) -> None:
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 65_536
            yield b"x" * 65_536

    answer = await ask(app, "POST", "/echo", body=endless())

    assert (answer.status, answer.json["code"]) == (413, "body_too_large")
    assert taken <= BATCHES.wire + 2 * 65_536


async def test_an_announced_size_is_refused_before_a_byte_is_read(app: FastAPI) -> None:
    headers = {"content-length": str(BATCHES.wire + 1)}

    read = []

    async def body() -> AsyncIterator[bytes]:
        read.append(1)
        yield b"x"

    answer = await ask(app, "POST", "/echo", headers=headers, body=body())

    assert answer.status == 413
    assert not read


async def test_a_gzip_bomb_costs_no_more_memory_than_the_limit(app: FastAPI) -> None:
    zeros = zlib.compressobj(wbits=31)
    first, again = (zeros.compress(bytes(MIB)) + zeros.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    bomb = first + again * 1_023
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    answer = await ask(app, "POST", "/echo", body=in_pieces(bomb, 65_536))

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert answer.status == 413
    assert grown < 64 << 10  # KiB, as Linux counts


async def test_a_slow_body_is_not_waited_for(tmp_path: Path) -> None:
    impatient = app_with(tmp_path, BodyLimits(seconds=0.05))

    async def drip() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.Event().wait()

    answer = await ask(impatient, "POST", "/echo", body=drip())

    assert (answer.status, answer.json["code"]) == (408, "slow_body")
    assert answer.headers["connection"] == "close"


async def test_a_caller_that_hangs_up_is_told_so() -> None:
    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    request = Request({"type": "http", "headers": []}, receive)

    with pytest.raises(Exception, match="closed before"):
        await read_body(request)


async def test_all_bodies_together_stay_within_a_budget() -> None:
    budget = BodyBudget(limit=3 * MIB)
    both_read = asyncio.Barrier(2)

    async def keep(scope: dict[str, object], receive: object, send: object) -> None:
        request = Request(scope, receive)  # type: ignore[arg-type]
        body = await read_body(request, BodyLimits(wire=4 * MIB, inflated=4 * MIB))
        await both_read.wait()
        await Response(str(len(body)))(scope, receive, send)  # type: ignore[arg-type]

    guarded = BodyGuard(keep, BodyLimits(wire=4 * MIB), budget)  # type: ignore[arg-type]
    small = (b"x" * MIB for _ in range(1))

    answers: list[Answer] = await asyncio.gather(
        *(ask(guarded, "POST", "/", body=body) for body in (small, [b"x" * MIB]))
    )
    with pytest.raises(Exception, match="too many large bodies"):
        await ask(guarded, "POST", "/", body=[b"x" * MIB] * 4)

    assert [answer.body for answer in answers] == [str(MIB).encode()] * 2
    assert budget.held == 0
