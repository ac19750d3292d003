"""What callers are told while a database is away: try again, nothing is wrong with you."""

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

from rapport_runtime.failure import DRIVER, is_environment
from rapport_runtime.http.problems import ApiError, respond


class DatabaseAwayError(ApiError):
    """The service's own database cannot be reached, or takes too long."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "the database does not answer at this moment; try again", headers={"retry-after": "1"}
        )


def install_handlers(app: FastAPI) -> None:
    """503 for the moment's faults; a bug stays a bug."""
    for kind in (SQLAlchemyError, *DRIVER, OSError):
        app.add_exception_handler(kind, _answer)


async def _answer(_: Request, error: Exception) -> Response:
    if not is_environment(error):
        raise error
    return respond(DatabaseAwayError())
