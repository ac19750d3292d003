"""What every route works with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from rapport_privacy.keyring import Keyring
from rapport_runtime.pool import Pool
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_feedback.settings import FeedbackSettings


@dataclass(frozen=True, slots=True)
class Desk:
    """`pool` is for reads, `engine` for transactions that write."""

    settings: FeedbackSettings
    engine: AsyncEngine
    pool: Pool
    keyring: Keyring


async def desk_of(request: Request) -> Desk:
    """A coroutine, as FastAPI calls functions in another thread, which costs a millisecond."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)  # noqa: S101 - for the type checker
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
