"""The application every service starts from: create_app() and what it guarantees."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.security.base import SecurityBase
from pydantic import BaseModel, Field
from starlette.types import ASGIApp

from rapport_runtime.http import health
from rapport_runtime.http.auth import Keys
from rapport_runtime.http.bodyguard import SMALL, BodyBudget, BodyGuard, BodyLimits
from rapport_runtime.http.cors import Cors
from rapport_runtime.http.edge import Edge
from rapport_runtime.http.jsonbody import JsonRoute
from rapport_runtime.http.problems import PROBLEM_JSON, install_problem_handlers
from rapport_runtime.metrics import Metrics
from rapport_runtime.settings import Settings

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""Opens what the application needs, and closes it; what routes need goes to `app.state`."""

_OPENAPI_PATH: Final = "/openapi.json"
_DOCS_PATH: Final = "/docs"
_AT_ONCE: Final = 512


class UnguardedRouteError(Exception):
    """A route that neither requires a scope nor is declared open."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"{path} requires no scope; give it `requires(...)`, or name it in `open_paths` "
            "if it authenticates by itself or is public"
        )


class LenientBodyError(Exception):
    """A route reads JSON by Starlette's rules, which let through what breaks us later."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} takes a body; make its router with route_class=JsonRoute")


class ProblemField(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str = Field(description="JSON pointer into `place`", examples=["/batch/0/userId"])
    detail: str
    code: str
    place: str = Field(description="body, query, path, header or cookie")


class Problem(BaseModel):
    """RFC 9457 problem details: how every request of every service fails."""

    type: str = Field(description="What the code means", examples=["/docs/errors#key_missing"])
    title: str
    status: int
    detail: str = Field(description="What failed, why, and what to do")
    code: str = Field(description="Stable; branch on this", examples=["key_missing"])
    message: str = Field(description="The same as `detail`, for SDKs that ask for it")
    trace_id: str = Field(description="To be quoted to the operators")
    errors: list[ProblemField] | None = None


class RapportApp(FastAPI):
    """FastAPI with the layers that must surround its own error handling, too."""

    surround: Callable[[ASGIApp], ASGIApp]

    def build_middleware_stack(self) -> ASGIApp:
        return self.surround(super().build_middleware_stack())

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas.update(problem.pop("$defs"))
            schemas["Problem"] = problem
        return document


def create_app(
    service: str,
    settings: Settings,
    routers: Sequence[APIRouter],
    *,
    metrics: Metrics,
    keys: Keys,
    checks: Mapping[str, health.Check],
    lifespan: Lifespan | None = None,
    body: BodyLimits = SMALL,
    cors: bool = False,
    open_paths: frozenset[str] = frozenset(),
) -> FastAPI:
    """An application with health, problem details, limits and authentication in place.

    `service` is its short name (`ingest`); `checks` are those of `/readyz`; `body` bounds what
    is read from the wire; `open_paths` are routes without `requires(...)`, either public or
    authenticating by themselves. Raises UnguardedRouteError for any other, and LenientBodyError
    for a route that takes a body and is no JsonRoute.
    """
    docs = settings.env == "dev"
    app = RapportApp(
        title=f"Rapport {service}",
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=_OPENAPI_PATH,
        docs_url=_DOCS_PATH if docs else None,
        redoc_url=None,
        swagger_ui_oauth2_redirect_url=None,
        responses=_problem_responses(),
    )
    app.state.health = health.Health(service, checks, metrics)
    app.state.keys = keys

    def surround(stack: ASGIApp) -> ASGIApp:
        inner = Cors(stack, keys) if cors else stack
        return Edge(inner, metrics, at_once=_AT_ONCE, pages=frozenset({_DOCS_PATH}))

    app.surround = surround
    app.add_middleware(BodyGuard, limits=body, budget=BodyBudget())
    install_problem_handlers(app)
    for router in (*routers, health.router):
        app.include_router(router)
    _check_routes(app, open_paths | health.PUBLIC_PATHS | {_OPENAPI_PATH, _DOCS_PATH})
    return app


def _check_routes(app: FastAPI, open_paths: frozenset[str]) -> None:
    for found in iter_route_contexts(app.routes):
        route, path = found.original_route, str(found.path)
        guarded = isinstance(route, APIRoute) and _has_guard(route.dependant)
        if not guarded and path not in open_paths:
            raise UnguardedRouteError(path)
        if isinstance(route, APIRoute) and route.body_field and not isinstance(route, JsonRoute):
            raise LenientBodyError(path)


def _has_guard(dependant: Dependant) -> bool:
    return isinstance(dependant.call, SecurityBase) or any(map(_has_guard, dependant.dependencies))


def _problem_responses() -> dict[int | str, dict[str, Any]]:
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "4XX": {"description": "The request cannot be answered", "content": content},
        "5XX": {"description": "The service cannot answer now", "content": content},
    }
