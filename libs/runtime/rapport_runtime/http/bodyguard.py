"""What a request's body may cost, and the guard in front of every route that counts it.

FastAPI's own `max_body_size` knows neither time nor the sum over all requests, and answers in
plain text; so this one is ours. Inflating is `body.read_body`'s.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rapport_runtime.http.problems import ApiError

MIB: Final = 1 << 20
_SCOPE_KEY: Final = "rapport.body"


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What one request may cost. Bytes, seconds for the whole body, and parsed values."""

    wire: int = MIB
    inflated: int = MIB
    ratio: int = 100
    """Inflated bytes for each byte on the wire; asked only above 1 MiB, where it costs memory."""
    seconds: float = 10.0
    values: int = 500_000
    """Commas and brackets: a parsed empty object takes 30 times the memory of its two bytes."""


SMALL: Final = BodyLimits()


class BodyTooLargeError(ApiError):
    """More bytes on the wire than this service takes."""

    status_code = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"the body is larger than {limit} bytes; send smaller batches")


class SlowBodyError(ApiError):
    """The body did not arrive in time."""

    status_code = 408

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"the body did not arrive within {seconds:g} s; send smaller batches",
            headers={"connection": "close"},
        )


class ServerBusyError(ApiError):
    """All requests together hold as many bytes as this process allows."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "the service is reading too many large bodies at this moment; try again",
            headers={"retry-after": "1"},
        )


@dataclass(slots=True)
class BodyBudget:
    """Bytes that the bodies in flight may hold together, so that memory stays bounded."""

    limit: int = 128 * MIB
    held: int = 0

    def take(self, count: int) -> None:
        """Raises ServerBusyError when the budget is used up."""
        if self.held + count > self.limit:
            raise ServerBusyError
        self.held += count


class BodyGuard:
    """ASGI middleware: counts the bytes of every body, chunked ones too, and the time it takes."""

    def __init__(self, app: ASGIApp, limits: BodyLimits, budget: BodyBudget) -> None:
        self._app = app
        self._limits = limits
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _announces_body(scope):
            await self._app(scope, receive, send)
            return
        body = Incoming(receive, self._limits, self._budget, _content_length(scope))
        scope[_SCOPE_KEY] = body
        try:
            await self._app(scope, body.receive, send)
        finally:
            body.release()


def incoming(scope: Scope) -> "Incoming | None":
    """The body that this request is reading, if its headers announced one."""
    body: Incoming | None = scope.get(_SCOPE_KEY)
    return body


@dataclass(slots=True)
class Incoming:
    """One body on its way in."""

    source: Receive
    limits: BodyLimits
    budget: BodyBudget
    announced: int
    arrived: int = 0
    held: int = 0
    complete: bool = False
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = asyncio.get_running_loop().time() + self.limits.seconds

    async def receive(self) -> Message:
        if self.complete:
            return await self.source()
        if self.announced > self.limits.wire:
            raise BodyTooLargeError(self.limits.wire)
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self.source()
        except TimeoutError:
            raise SlowBodyError(self.limits.seconds) from None
        if message["type"] == "http.request":
            self._count(message)
        return message

    def _count(self, message: Message) -> None:
        size = len(message.get("body", b""))
        self.arrived += size
        self.complete = not message.get("more_body", False)
        if self.arrived > self.limits.wire:
            raise BodyTooLargeError(self.limits.wire)
        self.hold(size)

    def hold(self, count: int) -> None:
        """Count bytes that this request keeps in memory; raises ServerBusyError."""
        self.budget.take(count)
        self.held += count

    def release(self) -> None:
        self.budget.held -= self.held
        self.held = 0


def _announces_body(scope: Scope) -> bool:
    return any(name in {b"content-length", b"transfer-encoding"} for name, _ in scope["headers"])


def _content_length(scope: Scope) -> int:
    """0 when it is not announced: then the arriving bytes are what counts."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and len(value) < 20:
            return int(value)
    return 0
