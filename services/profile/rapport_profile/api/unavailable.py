"""What callers are told while a database is away: try again, nothing is wrong with you."""

import asyncpg
from fastapi import FastAPI
from rapport_privacy.keyring import KeyringUnavailableError
from rapport_runtime.failure import is_environment
from rapport_runtime.http.problems import ApiError, respond
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response

_AGAIN = {"retry-after": "1"}


class KeyringAwayError(ApiError):
    """The keyring cannot be reached, so personal data cannot be read."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__("the keyring does not answer at this moment; try again", headers=_AGAIN)


class DatabaseAwayError(ApiError):
    """The service's own database cannot be reached, or takes too long."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__("the database does not answer at this moment; try again", headers=_AGAIN)


def install_handlers(app: FastAPI) -> None:
    """503 for the moment's faults; a bug stays a bug."""
    app.add_exception_handler(KeyringUnavailableError, _answer_keyring_away)
    for kind in (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        app.add_exception_handler(kind, _answer_database_away)


async def _answer_keyring_away(_: Request, __: Exception) -> Response:
    return respond(KeyringAwayError())


async def _answer_database_away(_: Request, error: Exception) -> Response:
    if not is_environment(error):
        raise error
    return respond(DatabaseAwayError())
