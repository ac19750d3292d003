"""Which web pages may call from a browser: those whose origin the key lists.

A preflight carries no key, so it passes when any live key lists the origin; the request that
follows is held to the list of its own key (`auth.admit`).
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rapport_runtime.http.auth import Keys, OriginNotAllowedError, admitted
from rapport_runtime.http.problems import respond

_PREFLIGHT: Final = {
    "access-control-allow-methods": "GET, POST",
    "access-control-allow-headers": "authorization, content-type, x-write-key",
    "access-control-max-age": "600",
}
_READABLE: Final = "retry-after, x-request-id"


class Cors:
    """ASGI middleware. Requests without `Origin` pass untouched."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = _header(scope, b"origin") if scope["type"] == "http" else None
        if origin is None:
            await self._app(scope, receive, send)
        elif scope["method"] == "OPTIONS" and _header(scope, b"access-control-request-method"):
            await self._preflight(origin)(scope, receive, send)
        else:
            await self._app(scope, receive, self._marking(send, scope, origin))

    def _preflight(self, origin: str) -> Response:
        if not self._keys.any_allows_origin(origin):
            return respond(OriginNotAllowedError())
        return Response(
            status_code=204,
            headers={**_PREFLIGHT, "access-control-allow-origin": origin, "vary": "origin"},
        )

    def _marking(self, send: Send, scope: Scope, origin: str) -> Send:
        async def mark(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.add_vary_header("origin")
                if self._may_read(scope, origin):
                    headers["access-control-allow-origin"] = origin
                    headers["access-control-expose-headers"] = _READABLE
            await send(message)

        return mark

    def _may_read(self, scope: Scope, origin: str) -> bool:
        """Before authentication (a 401, a 413), the answer is for any page that some key lists."""
        principal = admitted(scope)
        if principal is None:
            return self._keys.any_allows_origin(origin)
        return "*" in principal.origins or origin in principal.origins


def _header(scope: Scope, wanted: bytes) -> str | None:
    for name, value in scope["headers"]:
        if name == wanted:
            return str(value.decode("latin-1").lower())
    return None
