"""JSON bodies of routes that declare a pydantic model: parsed strictly, once, before the model.

Starlette's `Request.json()` lets lone surrogates, NaN and any depth through to a model, which
takes them, and to the answer or the database, which do not: a 500 for the caller's fault.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, Final

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from rapport_runtime.http.problems import ApiError

DEEPEST: Final = 32


class JsonTooDeepError(ApiError):
    """Arrays and objects within each other, too many times."""

    def __init__(self) -> None:
        super().__init__(f"the JSON is nested deeper than {DEEPEST} levels; flatten it")


class NulInTextError(ApiError):
    """A NUL character in a text, which no text of ours can hold."""

    def __init__(self) -> None:
        super().__init__("a text holds a NUL character (\\u0000); leave it out")


class JsonRoute(APIRoute):
    """For every router: `APIRouter(route_class=JsonRoute)`. `create_app` insists on it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strict


class _StrictRequest(Request):
    async def json(self) -> Any:  # noqa: ANN401 - as Starlette declares it
        return parse_json(await self.body())


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a small body.

    Raises json.JSONDecodeError (FastAPI's handler makes it a 400), JsonTooDeepError,
    NulInTextError.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # Without the document: the error travels far, and the document may be personal.
        raise json.JSONDecodeError(error.msg, "", 0) from None
    _check(value, DEEPEST)
    return value


def _check(value: object, levels: int) -> None:
    match value:
        case str():
            if "\0" in value:
                raise NulInTextError
        case dict() | list() if levels == 0:
            raise JsonTooDeepError
        case dict():
            for key, item in value.items():
                _check(key, levels)
                _check(item, levels - 1)
        case list():
            for item in value:
                _check(item, levels - 1)
