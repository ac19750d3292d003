"""What an orchestrator and a scraper ask of every service; outside of authentication."""

import asyncio
import platform
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final, TypedDict

import orjson
from fastapi import APIRouter
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import Request
from starlette.responses import Response

from rapport_runtime.http.problems import ERRORS_PATH, ApiError
from rapport_runtime.metrics import Metrics

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else the reason in one sentence; an exception counts as a reason."""

PUBLIC_PATHS: Final = frozenset(
    {"/livez", "/readyz", "/healthz", "/version", "/metrics", ERRORS_PATH}
)

_CHECK_SECONDS: Final = 2.0
_PROBES: Final = ["GET", "HEAD"]


@dataclass(frozen=True, slots=True)
class Health:
    """What the health routes of one application tell of."""

    service: str
    checks: Mapping[str, Check]
    metrics: Metrics


class ErrorCode(TypedDict):
    """One line of the list at `ERRORS_PATH`."""

    code: str
    status: int
    meaning: str


router = APIRouter(tags=["health"], include_in_schema=False)


@router.api_route("/livez", methods=_PROBES)
@router.api_route("/healthz", methods=_PROBES)
async def read_liveness() -> Response:
    return _json({"status": "live"})


@router.api_route("/readyz", methods=_PROBES)
async def read_readiness(request: Request) -> Response:
    checks = _health(request).checks
    found = await asyncio.gather(*map(_run, checks.values()))
    well = all(check["ok"] for check in found)
    answer = {
        "status": "ready" if well else "unready",
        "checks": dict(zip(checks, found, strict=True)),
    }
    return _json(answer, 200 if well else 503)


@router.api_route("/version", methods=_PROBES)
async def read_version(request: Request) -> Response:
    return _json(
        {
            "service": _health(request).service,
            "version": version("rapport-runtime"),
            "python": platform.python_version(),
        }
    )


@router.api_route("/metrics", methods=_PROBES)
async def read_metrics(request: Request) -> Response:
    body, content_type = _health(request).metrics.expose(request.headers.get("accept", ""))
    return Response(body, headers={"content-type": content_type})


@router.api_route(ERRORS_PATH, methods=_PROBES)
async def read_error_codes() -> Response:
    return _json({"errors": error_codes()})


def database_check(engine: AsyncEngine) -> Check:
    """Whether the service's own database answers."""

    async def check() -> str | None:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
        return None

    return check


def error_codes() -> list[ErrorCode]:
    """Every error that this process can answer, by code."""
    kinds: list[type[ApiError]] = [ApiError]
    for kind in kinds:
        kinds.extend(kind.__subclasses__())
    found = {
        kind.code: ErrorCode(
            code=kind.code,
            status=kind.status_code,
            meaning=(kind.__doc__ or "").strip().partition("\n\n")[0],
        )
        for kind in kinds[1:]
    }
    return [found[code] for code in sorted(found)]


def _health(request: Request) -> Health:
    health: Health = request.app.state.health
    return health


async def _run(check: Check) -> dict[str, Any]:
    started = time.perf_counter()
    [reason] = await asyncio.gather(
        asyncio.wait_for(check(), _CHECK_SECONDS), return_exceptions=True
    )
    if isinstance(reason, TimeoutError):
        reason = f"no answer within {_CHECK_SECONDS:g} s"
    elif isinstance(reason, BaseException):
        # Its message may quote a connection string.
        reason = f"failed with {type(reason).__name__}"
    answer = {"ok": reason is None, "ms": round((time.perf_counter() - started) * 1000, 1)}
    return answer if reason is None else {**answer, "reason": reason}


def _json(document: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, media_type="application/json")
