"""The outermost layer of every service: what is the same for each request, whatever its route.

Trace, trailing slash, security headers, the limit on requests at once, and one histogram. Plain
ASGI and outside of FastAPI's own error handling, so that crashes get all of it, too.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rapport_runtime.http.problems import ApiError, respond
from rapport_runtime.metrics import Metrics
from rapport_runtime.trace import Trace, enter_trace

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)
_API_ONLY: Final = (
    # Answers are personal: no cache may keep one.
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

_ANSWERS_ANYWAY: Final = frozenset({"/livez", "/readyz", "/metrics"})


class NulInUrlError(ApiError):
    """A NUL character in the path or the query, which no text of ours can hold."""

    def __init__(self) -> None:
        super().__init__("the URL holds a NUL character (%00); leave it out")


class TooManyRequestsAtOnceError(ApiError):
    """This process already works on as many requests as it may."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "the service works on too many requests at this moment; try again",
            headers={"retry-after": "1"},
        )


_EVENTS: Final = (b"content-type", b"text/event-stream")


@dataclass(slots=True)
class _Answer:
    """What the metrics say of one request."""

    status: int = 500
    started: float = field(default_factory=time.perf_counter)
    is_stream: bool = False
    """Answered when it began: from then on it waits, and has a limit of its own."""


class Edge:
    """ASGI middleware around a whole application."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, *, at_once: int, pages: frozenset[str] = frozenset()
    ) -> None:
        """`pages` are paths that answer with HTML of their own, as the API docs in development."""
        self._app = app
        self._at_once = at_once
        self._pages = pages
        self._working = 0
        self._seconds = metrics.histogram(
            "http_request_seconds", "Time to answer a request", ("method", "route", "status")
        )
        self._children: dict[tuple[str, str, int], Any] = {}
        metrics.gauge("http_requests_in_flight", "Requests being answered").set_function(
            lambda: self._working
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        trace = enter_trace(_header(scope, b"traceparent"))
        _forget_trailing_slash(scope)
        answer = _Answer()
        refusal = self._refusal(scope)
        app = self._app if refusal is None else respond(refusal)
        self._working += 1
        try:
            await app(scope, receive, self._finishing(send, scope, trace, answer))
        finally:
            if not answer.is_stream:
                self._answered(scope, answer)

    def _refusal(self, scope: Scope) -> ApiError | None:
        if self._working >= self._at_once and scope["path"] not in _ANSWERS_ANYWAY:
            return TooManyRequestsAtOnceError()
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return NulInUrlError()
        return None

    def _finishing(self, send: Send, scope: Scope, trace: Trace, answer: _Answer) -> Send:
        extra = [(b"x-request-id", trace.trace_id.encode()), *_SECURITY]
        if scope["path"] not in self._pages:
            extra += _API_ONLY

        async def finish(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                given = message.get("headers", ())
                taken = {name for name, _ in given}
                if any(name == _EVENTS[0] and kind.startswith(_EVENTS[1]) for name, kind in given):
                    answer.is_stream = True
                    self._answered(scope, answer)
                message["headers"] = [
                    *given,
                    *(header for header in extra if header[0] not in taken),
                ]
            await send(message)

        return finish

    def _answered(self, scope: Scope, answer: _Answer) -> None:
        self._working -= 1
        method = scope["method"] if scope["method"] in _METHODS else "other"
        labels = (method, getattr(scope.get("route"), "path", "unmatched"), answer.status)
        child = self._children.get(labels)
        if child is None:
            child = self._children[labels] = self._seconds.labels(*labels)
        child.observe(time.perf_counter() - answer.started)


def _forget_trailing_slash(scope: Scope) -> None:
    """Every path answers with and without it: some SDKs do not follow redirects."""
    path = scope["path"]
    if len(path) > 1 and path.endswith("/"):
        scope["path"] = path.rstrip("/") or "/"


def _header(scope: Scope, wanted: bytes) -> bytes | None:
    for name, value in scope["headers"]:
        if name == wanted:
            found: bytes = value
            return found
    return None
