"""What every route works with."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from rapport_privacy.keyring import Keyring
from rapport_runtime.pool import Pool
from sqlalchemy.ext.asyncio import AsyncEngine

from rapport_feedback.asked import Looking
from rapport_feedback.recording import Recording
from rapport_feedback.settings import FeedbackSettings


@dataclass(frozen=True, slots=True)
class Desk:
    """`pool` is for reads and what many do together, `engine` for transactions that write."""

    settings: FeedbackSettings
    engine: AsyncEngine
    pool: Pool
    keyring: Keyring
    looking: Looking
    recording: Recording

    @classmethod
    def of(
        cls, settings: FeedbackSettings, engine: AsyncEngine, pool: Pool, keyring: Keyring
    ) -> "Desk":
        """With what all requests of a process do together."""
        looking, recording = Looking(pool, keyring), Recording(pool, engine, settings)
        return cls(settings, engine, pool, keyring, looking, recording)


async def desk_of(request: Request) -> Desk:
    """A coroutine, as FastAPI calls functions in another thread, which costs a millisecond."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)  # noqa: S101 - for the type checker
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
