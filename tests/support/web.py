"""Applications and requests for tests of the HTTP kit, without a network."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.keyfile import add_key
from rapport_runtime.settings import Settings
from starlette.types import ASGIApp, Message, Scope

SETTINGS = Settings.model_validate(
    {
        "kafka": {"bootstrap": "localhost:1"},
        "database": {"url": "postgresql+asyncpg://unused"},
    }
)


@dataclass(frozen=True)
class Answer:
    """What an application answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401
        return orjson.loads(self.body)


def keys_file(directory: Path, *scopes: str, **options: Any) -> tuple[str, Keys]:  # noqa: ANN401
    """A key with these scopes, and the keys file that knows it."""
    key, _ = add_key(directory / "keys.json", "tests", scopes, **options)
    return key, Keys(directory / "keys.json")


async def ask(
    app: ASGIApp,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: Iterable[bytes] | AsyncIterator[bytes] | bytes | None = None,
) -> Answer:
    """One request straight into the application; a body that is not bytes arrives in chunks.

    What the application raises after its answer (as Starlette does on a crash) is swallowed, as
    a server would.
    """
    sent: list[Message] = []
    chunks = _chunks(body)

    async def receive() -> Message:
        return await anext(chunks)

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(_scope(method, target, headers or {}, body), receive, send)
    except RuntimeError:
        if not sent:
            raise
    start = sent[0]
    return Answer(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def _scope(method: str, target: str, headers: Mapping[str, str], body: object) -> Scope:
    path, _, query = target.partition("?")
    given = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    if isinstance(body, bytes):
        given.append((b"content-length", str(len(body)).encode()))
    elif body is not None:
        given.append((b"transfer-encoding", b"chunked"))
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": query.encode(),
        "headers": given,
        "http_version": "1.1",
        "state": {},
    }


async def _chunks(
    body: Iterable[bytes] | AsyncIterator[bytes] | bytes | None,
) -> AsyncIterator[Message]:
    if isinstance(body, AsyncIterator):
        async for chunk in body:
            yield {"type": "http.request", "body": chunk, "more_body": True}
    elif body is not None and not isinstance(body, bytes):
        for chunk in body:
            yield {"type": "http.request", "body": chunk, "more_body": True}
    last = body if isinstance(body, bytes) else b""
    yield {"type": "http.request", "body": last, "more_body": False}
    while True:
        yield {"type": "http.disconnect"}
