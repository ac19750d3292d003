"""Waits until something that was set going has come about."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from rapport_cli.failure import CliError

PATIENCE_SECONDS: Final = 90.0
_LOOK_AGAIN_SECONDS: Final = 0.1

T = TypeVar("T")


class NothingCameError(CliError):
    code = "RPT-E006"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The services did not bring {what} within {PATIENCE_SECONDS:g} s.",
            "The services' logs are in the state directory; keep it with --state-dir.",
        )


async def until(what: str, look: Callable[[], Awaitable[T | None]]) -> T:
    """Raises NothingCameError."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (found := await look()) is None:
        if time.monotonic() > deadline:
            raise NothingCameError(what)
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    return found
