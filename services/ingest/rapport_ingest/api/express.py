"""The short way to the routes that SDKs call a thousand times a second.

FastAPI tries its routes one after the other and solves dependencies that these routes do not
have: half of what a request with one event costs. So their paths are looked up here, behind the
same limits and in front of the same error answers. FastAPI still documents them.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from rapport_runtime.http.problems import ApiError, respond
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]

_POST: Final = "POST"


class Express:
    """ASGI middleware, the innermost: right in front of the router."""

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter]) -> None:
        """Takes the POST routes of the routers whose only argument is the request."""
        self._app = app
        self._routes: dict[str, APIRoute] = {
            route.path: route
            for router in routers
            for route in router.routes
            if isinstance(route, APIRoute) and _is_plain(route)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None or scope["method"] != _POST:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        endpoint: Endpoint = route.endpoint
        try:
            response = await endpoint(Request(scope, receive))
        except ApiError as error:
            response = respond(error)
        await response(scope, receive, send)


def _is_plain(route: APIRoute) -> bool:
    dependant = route.dependant
    declared = (
        dependant.path_params,
        dependant.query_params,
        dependant.header_params,
        dependant.body_params,
        dependant.dependencies,
    )
    return route.methods == {_POST} and not any(declared)
