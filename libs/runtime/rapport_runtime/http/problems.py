"""How a request fails: RFC 9457 problem details, the same for every error of every service.

An answer says what failed, why, and what to do. It never quotes what the caller sent (that may
be personal), and never a stack trace: `trace_id` is what support needs to find the log line.
Source: RFC 9457. The SDKs of publishers also want `code` and `message` at the top.
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, Final, NamedTuple

import orjson
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rapport_runtime.trace import current_trace

ERRORS_PATH: Final = "/docs/errors"
"""Where a service tells what its error codes mean; the `type` of a problem points there."""

PROBLEM_JSON: Final = "application/problem+json"

_log = structlog.get_logger(__name__)

_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_MOST_ERRORS: Final = 50

_PLAIN_CODES: Final = {
    400: ("bad_request", "the request could not be read; send valid JSON in UTF-8"),
    404: ("route_not_found", "nothing answers at this path; /openapi.json lists what does"),
    405: ("method_not_allowed", "this path answers other methods; see the Allow header"),
    413: ("body_too_large", "the body is larger than this service takes"),
}


class FieldError(NamedTuple):
    """One thing that is wrong with a request: where (JSON pointer), and what to send instead."""

    pointer: str
    detail: str
    code: str = "invalid"
    place: str = "body"
    """`body`, `query`, `path`, `header` or `cookie`."""


class ApiError(HTTPException):
    """A request that cannot be answered, by the caller's fault or the moment's.

    A subclass lives in the module that raises it, sets `status_code`, and builds its sentence.
    Its `code` is its name in snake case without `Error`, unless it sets another.
    `members` become further top-level members of the problem document.
    """

    status_code: int = 400
    code: ClassVar[str] = "bad_request"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in cls.__dict__:
            cls.code = _WORD_START.sub("_", cls.__name__.removesuffix("Error")).lower()

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(type(self).status_code, detail, headers)
        self.errors = errors
        self.members = members or {}


class ValidationFailedError(ApiError):
    """The request was read, but what it says is not what the route takes."""

    status_code = 422


class JsonUnreadableError(ApiError):
    """The body is no JSON."""


class InternalError(ApiError):
    """The service failed; the log has it under the trace id."""

    status_code = 500
    code = "internal_error"


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """The answer for one failure."""
    document = {
        **(members or {}),
        "type": f"{ERRORS_PATH}#{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "message": detail,
        "trace_id": current_trace().trace_id,
    }
    if errors:
        document["errors"] = [error._asdict() for error in errors]
    return Response(orjson.dumps(document), status, headers, PROBLEM_JSON)


def install_problem_handlers(app: FastAPI) -> None:
    """Make every failure of the app a problem document: 404, 405, 422 and crashes included."""
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(Exception, _answer_crash)


def respond(error: ApiError) -> Response:
    """The answer for an error that was caught outside of a route."""
    return problem_response(
        error.status_code,
        error.code,
        error.detail,
        errors=error.errors,
        headers=error.headers,
        members=error.members,
    )


async def _answer_http_exception(_: Request, error: Exception) -> Response:
    if isinstance(error, ApiError):
        return respond(error)
    if not isinstance(error, HTTPException):
        raise error
    code, detail = _PLAIN_CODES.get(error.status_code, ("bad_request", "the request failed"))
    return problem_response(error.status_code, code, detail, headers=error.headers)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return respond(JsonUnreadableError("the body is not valid JSON in UTF-8"))
    errors = [_field_error(item) for item in found[:_MOST_ERRORS]]
    first = errors[0]
    return respond(
        ValidationFailedError(
            f"{len(found)} field(s) are not what this route takes; "
            f"the first is {first.place} {first.pointer}: {first.detail}",
            errors=errors,
        )
    )


async def _answer_crash(request: Request, error: Exception) -> Response:
    route = request.scope.get("route")
    _log.error(
        "request crashed",
        route=getattr(route, "path", None),
        method=request.method,
        trace_id=current_trace().trace_id,
        exc_info=error,
    )
    return respond(
        InternalError("the service failed on this request; quote the trace id to its operators")
    )


def _field_error(item: Mapping[str, Any]) -> FieldError:
    place, *steps = item["loc"] or ("body",)
    pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps)
    return FieldError(pointer, str(item["msg"]), str(item["type"]), str(place))
