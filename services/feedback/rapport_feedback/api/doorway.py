"""The short way to the survey page, which everybody who is asked comes to.

FastAPI tries its routes one after the other and solves dependencies that the page does not have:
a third of what a visit costs. So its path is known here, behind the same limits and in front of
the same error answers. FastAPI still refuses other methods, and what lies below the path.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_PARAMETER: Final = "{token}"

Endpoint = Callable[[Request], Awaitable[Response]]


class Doorway:
    """ASGI middleware, the innermost: right in front of the router."""

    def __init__(self, app: ASGIApp, router: APIRouter) -> None:
        """Takes the routes of the router whose only parameter ends their path."""
        self._app = app
        self._routes: dict[tuple[str, str], APIRoute] = {
            (method, route.path.removesuffix(_PARAMETER)): route
            for route in router.routes
            if isinstance(route, APIRoute) and route.path.endswith(_PARAMETER)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route, token = None, ""
        if scope["type"] == "http":
            folder, slash, token = scope["path"].rpartition("/")
            route = self._routes.get((scope["method"], folder + slash))
        if route is None or not token:
            await self._app(scope, receive, send)
            return
        scope["route"], scope["path_params"] = route, {"token": token}
        endpoint: Endpoint = route.endpoint
        response = await endpoint(Request(scope, receive))
        await response(scope, receive, send)
