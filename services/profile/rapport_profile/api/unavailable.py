"""What callers are told while a database is away: try again, nothing is wrong with you."""

from fastapi import FastAPI
from rapport_privacy.keyring import KeyringUnavailableError
from rapport_runtime.http import unavailable
from rapport_runtime.http.problems import ApiError, respond
from starlette.requests import Request
from starlette.responses import Response


class KeyringAwayError(ApiError):
    """The keyring cannot be reached, so personal data cannot be read."""

    status_code = 503

    def __init__(self) -> None:
        super().__init__(
            "the keyring does not answer at this moment; try again", headers={"retry-after": "1"}
        )


def install_handlers(app: FastAPI) -> None:
    """503 for the moment's faults; a bug stays a bug."""
    app.add_exception_handler(KeyringUnavailableError, _answer_keyring_away)
    unavailable.install_handlers(app)


async def _answer_keyring_away(_: Request, __: Exception) -> Response:
    return respond(KeyringAwayError())
